/** What operators and their tools ask: liveness, readiness, metrics. */
import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Services } from './context.ts';
import { AppError } from './errors.ts';
import type { Connections } from './live/connections.ts';

export function registerOperations(
  app: FastifyInstance,
  { control }: Services,
  connections: Connections,
  leaving: AbortSignal,
): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'How long requests took, by route.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
    registers: [registry],
  });
  new Gauge({
    name: 'live_connections',
    help: 'Sockets and event streams that are open.',
    registers: [registry],
    collect() {
      this.set(connections.count);
    },
  });
  // Of each route and outcome one, which finds its place by itself: by its labels that takes six times as long.
  const series = new Map<string, Histogram.Internal<string>>();
  app.addHook('onResponse', ({ method, routeOptions }, reply, done) => {
    const route = routeOptions.url ?? 'unknown';
    const key = `${method} ${reply.statusCode} ${route}`;
    let one = series.get(key);
    if (!one) {
      one = duration.labels({ method, route, status: String(reply.statusCode) });
      series.set(key, one);
    }
    one.observe(reply.elapsedTime / 1000);
    done();
  });

  app.get('/api/health', async () => ({ status: 'ok' }));
  app.get('/readyz', async () => {
    if (leaving.aborted)
      throw new AppError('unavailable', { message: 'This gateway is about to stop.', retryAfter: 1 });
    await control.pool.query('select 1');
    return { status: 'ready' };
  });
  app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
}
