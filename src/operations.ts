/** What operators and their tools ask: liveness, readiness, metrics. */
import type { FastifyInstance } from 'fastify';
import type { Services } from './context.ts';
import { query } from './db/control.ts';
import { LIVING_WORKERS } from './db/locks.ts';
import { AppError } from './errors.ts';
import type { Connections } from './live/connections.ts';
import { MOST_LAG_MS } from './live/remembered.ts';
import { registerGauges } from './telemetry/gauges.ts';

const livingWorkers = query<{ count: number }>('living_workers', `select ${LIVING_WORKERS} as count`);
const NO_WORKER =
  'No worker is alive: requests are served, but nothing is provisioned, counted or watched until one is started.';

export function registerOperations(
  app: FastifyInstance,
  services: Services,
  leaving: AbortSignal,
  connections?: Connections,
): void {
  const { control, bus, metrics, redis, clock } = services;
  const { registry } = metrics;
  const workers = async () => {
    const { name, text } = livingWorkers;
    const { rows } = await control.pool.query<{ count: number }>({ name, text });
    return rows[0]!.count;
  };
  registerGauges(registry, services, connections);

  app.get('/api/health', async () => ({ status: 'ok' }));
  app.get('/readyz', async () => {
    if (leaving.aborted)
      throw new AppError('unavailable', { message: 'This gateway is about to stop.', retryAfter: 1 });
    const notices = [(await workers()) === 0 && NO_WORKER, redis?.notice, clock.notice];
    if (!(await bus.catchUp(MOST_LAG_MS))) {
      const message = 'This gateway does not hear of changes at the moment.';
      throw new AppError('unavailable', { message, retryAfter: 1 });
    }
    return { status: 'ready', notices: notices.filter(Boolean) };
  });
  app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
}
