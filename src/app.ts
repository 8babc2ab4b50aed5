/** One gateway process, apart from listening and from the process itself; tests build the same one. */
import type { FastifyInstance } from 'fastify';
import type { Services } from './context.ts';
import { FLUSH_MS } from './domain/last-use.ts';
import { awaitsFirstSignIn } from './domain/super-admins.ts';
import { buildHttp } from './http.ts';
import { startJobs } from './jobs/jobs.ts';
import { every } from './jobs/timers.ts';
import { type OpenOptions, openServices } from './services.ts';

export interface App {
  readonly http: FastifyInstance;
  readonly services: Services;
  /** Whether the first super admin has this password and nobody has signed in yet. */
  awaitsFirstSignIn(email: string, password: string): Promise<boolean>;
  /** Says so that requests are to be sent elsewhere (`/readyz` is 503), and goes on serving those that come. */
  leave(): void;
  /** Ends in order: no new requests, running ones and steps finish or are handed back, then every connection. */
  close(): Promise<void>;
}

/** How long running jobs may take to come to a place where they can be handed back. */
const DRAIN_MS = 7000;

export async function buildApp(options: OpenOptions): Promise<App> {
  const open = await openServices(options);
  const { services } = open;
  const leaving = new AbortController();
  const http = await buildHttp(services, leaving.signal).catch(async (error: unknown) => {
    await services.queue.stop(0);
    await open.close();
    throw error;
  });
  const jobs = options.config.role === 'gateway' ? undefined : await startJobs(services);
  const stopNoting = every(FLUSH_MS, () => services.lastUse.flush(), services.log);
  return {
    http,
    services,
    awaitsFirstSignIn: (email, password) => awaitsFirstSignIn(services.control, email, password),
    leave: () => leaving.abort(),
    async close() {
      await services.queue.takeNoMore();
      await Promise.all([http.close(), jobs?.beginStop(), stopNoting()]);
      await services.lastUse.flush().catch(() => {});
      await services.queue.stop(DRAIN_MS);
      await jobs?.close();
      await open.close();
    },
  };
}
