/** One gateway process, apart from listening and from the process itself; tests build the same one. */
import type { FastifyInstance } from 'fastify';
import type { Services } from './context.ts';
import { FLUSH_MS } from './domain/last-use.ts';
import { buildHttp } from './http.ts';
import { followRestores } from './jobs/chain-sealer.ts';
import { startExportWorker } from './jobs/export-worker.ts';
import { Leader } from './jobs/leader.ts';
import { startLimitsWorker } from './jobs/limits-worker.ts';
import { startMigrationWorker } from './jobs/migration-worker.ts';
import { ProvisioningWorker } from './jobs/provisioning-worker.ts';
import { every } from './jobs/timers.ts';
import { type OpenOptions, openServices } from './services.ts';

export interface App {
  readonly http: FastifyInstance;
  readonly services: Services;
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
  const worker = new ProvisioningWorker(services);
  const leader = new Leader(services);
  followRestores(services);
  await worker.start();
  await startLimitsWorker(services);
  const stopQueueing = await startMigrationWorker(services);
  const stopExporting = await startExportWorker(services);
  const stopNoting = every(FLUSH_MS, () => services.lastUse.flush(), services.log);
  leader.start();
  return {
    http,
    services,
    leave: () => leaving.abort(),
    async close() {
      await services.queue.takeNoMore();
      await Promise.all([
        http.close(),
        worker.beginStop(),
        stopQueueing(),
        stopExporting(),
        stopNoting(),
        leader.stop(),
      ]);
      await services.lastUse.flush().catch(() => {});
      await services.queue.stop(DRAIN_MS);
      await worker.close();
      await open.close();
    },
  };
}
