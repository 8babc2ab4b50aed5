/** What is asked of the control database for the metrics: little, at most once a second, however often it is scraped. */
import { query, type Sql } from '../db/control.ts';
import { LIVING_WORKERS } from '../db/locks.ts';
import { ProvisioningState } from '../entities/control/provisioning-run.ts';
import { LONG_WORK, type LongWork } from './long-work.ts';

export interface ControlFacts {
  /** Number of the newest event. */
  newestEvent: number;
  /** For how many seconds the first event that this process has not seen has been there; 0 where it has seen all. */
  behindSeconds: number;
  /** Processes that run jobs. */
  workers: number;
  queues: QueueFacts[];
  /** Of those that have not succeeded, by state. */
  provisionings: Record<string, number>;
  longWork: LongWork;
}

interface QueueFacts {
  name: string;
  /** By state, as the queue counted them some seconds ago at most. */
  jobs: Record<'waiting' | 'deferred' | 'active' | 'failed', number>;
  /** For how many seconds the oldest job that nobody works at has been there. */
  oldestSeconds: number;
}

const SHARED_MS = 1000;

/** Most look at the ends of indexes, or at as many rows as there is work to be done; tenants of a server are counted in an index. */
const facts = query<ControlFacts>(
  'metrics_facts',
  `select (select coalesce(max(seq), 0)::float8 from events) as "newestEvent",
          coalesce((select greatest(0, extract(epoch from clock_timestamp() - created_at))::float8
                      from events where seq > $1 order by seq limit 1), 0) as "behindSeconds",
          ${LIVING_WORKERS} as workers,
          (select coalesce(json_agg(json_build_object(
              'name', name,
              'jobs', json_build_object('waiting', ready_count, 'deferred', deferred_count,
                                        'active', active_count, 'failed', failed_count),
              'oldestSeconds', coalesce((
                select greatest(0, extract(epoch from clock_timestamp() - created_on))::float8 from pgboss.job
                 where job.name = queue.name and state < 'active' and not blocked
                 order by priority desc, created_on limit 1), 0)) order by name), '[]')
             from pgboss.queue where name not like '\\_\\_%') as queues,
          (select coalesce(json_object_agg(state, count), '{}') from (
              select state, count(*) from provisioning_runs where state = any($2::provisioning_state[]) group by state
            ) _) as provisionings,
          ${LONG_WORK} as "longWork"`,
);
const UNFINISHED = Object.values(ProvisioningState).filter((state) => state !== ProvisioningState.SUCCEEDED);

export class ControlFactsReader {
  readonly #sql: Sql;
  readonly #seen: () => number;
  #latest?: { facts: Promise<ControlFacts | undefined>; at: number };

  /** @param sql gives up in time. @param seen the last event that this process has seen. */
  constructor(sql: Sql, seen: () => number) {
    this.#sql = sql;
    this.#seen = seen;
  }

  /** Undefined while the control database does not answer. */
  read(): Promise<ControlFacts | undefined> {
    if (!this.#latest || Date.now() - this.#latest.at > SHARED_MS) {
      this.#latest = { facts: this.#ask().catch(() => undefined), at: Date.now() };
    }
    return this.#latest.facts;
  }

  async #ask(): Promise<ControlFacts> {
    const [row] = await this.#sql.rows(facts, [this.#seen(), UNFINISHED]);
    return row!;
  }
}
