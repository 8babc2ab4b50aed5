/** What operators and their tools ask: liveness, readiness, metrics. */
import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { withDeadline } from './components/probe.ts';
import type { Services } from './context.ts';
import { query } from './db/control.ts';
import { LIVING_WORKERS } from './db/locks.ts';
import { AppError } from './errors.ts';
import type { Connections } from './live/connections.ts';

const livingWorkers = query<{ count: number }>('living_workers', `select ${LIVING_WORKERS} as count`);
/** What is asked of the database for metrics is not to keep the others from being read. */
const PATIENCE_MS = 500;
const NO_WORKER =
  'No worker is alive: requests are served, but nothing is provisioned, counted or watched until one is started.';

export function registerOperations(
  app: FastifyInstance,
  { control, bus, redis, clock }: Services,
  leaving: AbortSignal,
  connections?: Connections,
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
  if (connections) {
    new Gauge({
      name: 'live_connections',
      help: 'Sockets and event streams that are open.',
      registers: [registry],
      collect() {
        this.set(connections.count);
      },
    });
  }
  const workers = async () => {
    const { name, text } = livingWorkers;
    const { rows } = await control.pool.query<{ count: number }>({ name, text });
    return rows[0]!.count;
  };
  new Gauge({
    name: 'workers_alive',
    help: 'Processes that run jobs, on this control database; absent while it does not answer.',
    registers: [registry],
    async collect() {
      await withDeadline(PATIENCE_MS, workers).then(
        (count) => this.set(count),
        () => this.remove(),
      );
    },
  });
  new Gauge({
    name: 'event_log_lag_seconds',
    help: 'How long ago the event log was last read to its end.',
    registers: [registry],
    collect() {
      this.set(bus.lag / 1000);
    },
  });
  new Gauge({
    name: 'event_link_up',
    help: '1 while this process can read the event log (postgres), and is told of new events or tells of them (redis, where there is one).',
    labelNames: ['link'],
    registers: [registry],
    collect() {
      this.set({ link: 'postgres' }, Number(bus.isUp));
      if (redis) this.set({ link: 'redis' }, Number(redis.isUp));
    },
  });
  new Gauge({
    name: 'clock_offset_seconds',
    help: "How far the database's clock is ahead of this machine's; the process goes by the database's where they differ.",
    registers: [registry],
    collect() {
      this.set(clock.offset / 1000);
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
    const notices = [(await workers()) === 0 && NO_WORKER, redis?.notice, clock.notice];
    return { status: 'ready', notices: notices.filter(Boolean) };
  });
  app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
}
