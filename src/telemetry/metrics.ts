/**
 * What this process counts as it happens. What is looked up when somebody asks is in gauges.ts.
 *
 * Every label has few values, whatever clients send: routes are templates, operations and fields names that the gateway knows, and
 * nothing is counted by tenant.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { ErrorCode } from '../errors.ts';
import { type Durations, DurationsByLabels } from './durations.ts';

/** What became of an operation: `refused` is the caller's to mend, `failed` ours. */
export type Outcome = 'ok' | 'refused' | 'failed';

const METHODS: Readonly<Record<string, number>> = { GET: 0, HEAD: 1, POST: 2, PUT: 3, PATCH: 4, DELETE: 5, OPTIONS: 6 };
const OTHER_METHOD = 7;
/** Places that a method takes: one for each class of statuses. */
const CLASSES = 6;

/** Stands for whatever has no name of its own. */
export const OTHER = 'other';

export class Metrics {
  readonly registry = new Registry();
  readonly #errors: Counter<'code'>;
  readonly #subscriptions: Gauge<'field'>;
  readonly #cutOff: Counter;
  readonly #requests: DurationsByLabels;
  readonly #operations: DurationsByLabels;
  readonly #resolvers: DurationsByLabels;
  readonly #jobs: DurationsByLabels;
  /** By what a route's registration made, the series of its methods and classes of statuses. */
  readonly #byRoute = new WeakMap<object, Durations[]>();

  constructor() {
    const { registry } = this;
    const registers = [registry];
    collectDefaultMetrics({ register: registry });
    this.#requests = new DurationsByLabels(registry, {
      name: 'http_request_duration_seconds',
      help: 'How long requests took, by method, route (a template) and class of status (`2xx`).',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
    });
    this.#operations = new DurationsByLabels(registry, {
      name: 'graphql_operation_duration_seconds',
      help:
        'How long queries and mutations over GraphQL took, by name of a known document (else `other`), type, ' +
        'and outcome: `ok`, `refused` (the caller’s to mend) or `failed`.',
      labelNames: ['operation', 'type', 'outcome'],
      buckets: [0.005, 0.05, 0.5, 5],
    });
    this.#resolvers = new DurationsByLabels(registry, {
      name: 'graphql_resolver_duration_seconds',
      help: 'How long root fields took to resolve, such as `Query.tenants`, on both surfaces.',
      labelNames: ['field'],
      buckets: [0.001, 0.01, 0.1, 1],
    });
    this.#jobs = new DurationsByLabels(registry, {
      name: 'omnistream_job_duration_seconds',
      help: 'How long attempts at jobs took in this process, by queue and outcome: `done` or `failed`.',
      labelNames: ['queue', 'outcome'],
      buckets: [0.05, 0.5, 5, 60],
    });
    this.#errors = new Counter({
      name: 'omnistream_errors_total',
      help: 'Errors that were answered, by code, on both surfaces.',
      labelNames: ['code'],
      registers,
    });
    this.#subscriptions = new Gauge({
      name: 'omnistream_subscriptions',
      help: 'Subscriptions under way in this process, by field.',
      labelNames: ['field'],
      registers,
    });
    this.#cutOff = new Counter({
      name: 'omnistream_subscribers_cut_off_total',
      help: 'Connections that were cut off because a subscriber did not read what it was told.',
      registers,
    });
  }

  /** @param route what the route was registered with: one object for each. @param url its template. */
  request(method: string, route: object, url: string | undefined, status: number, ms: number): void {
    let series = this.#byRoute.get(route);
    if (!series) {
      series = [];
      this.#byRoute.set(route, series);
    }
    const place = (METHODS[method] ?? OTHER_METHOD) * CLASSES + ((status / 100) | 0);
    let one = series[place];
    if (!one) {
      one = this.#requests.series(method in METHODS ? method : OTHER, url ?? 'unknown', `${(status / 100) | 0}xx`);
      series[place] = one;
    }
    one.observe(ms);
  }

  /** @param operation a name that the gateway knows, or `other`. */
  operation(operation: string, type: string, outcome: Outcome, ms: number): void {
    this.#operations.series(operation, type, outcome).observe(ms);
  }

  /** @param field such as `Query.tenants`. */
  resolver(field: string): Durations {
    return this.#resolvers.series(field);
  }

  /** @param outcome of the attempt. */
  job(queue: string, outcome: 'done' | 'failed', ms: number): void {
    this.#jobs.series(queue, outcome).observe(ms);
  }

  /** An error that is answered. */
  error(code: ErrorCode): void {
    this.#errors.inc({ code });
  }

  /** @param field of the schema, or `other`. @returns what is to be called when it has ended. */
  subscription(field: string): () => void {
    this.#subscriptions.inc({ field });
    let open = true;
    return () => {
      if (open) this.#subscriptions.dec({ field });
      open = false;
    };
  }

  /** A subscriber did not read, and its connection is ended. */
  cutOff(): void {
    this.#cutOff.inc();
  }
}
