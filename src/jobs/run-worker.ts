/** Works a queue of durable runs, and hands on what a dead worker left. */
import type { Services } from '../context.ts';
import { type Query, query } from '../db/control.ts';
import { LOCKS } from '../db/locks.ts';
import type { RunningJob } from '../db/queue.ts';
import { FencedOff, HandedBack, type Worker } from '../domain/durable-run.ts';
import { every } from './timers.ts';
import type { WorkerSession } from './worker-session.ts';

const SWEEP_MS = 500;

/** A living worker claims the run of a job within milliseconds of taking it. */
const CLAIM_SECONDS = 1;

/** A kind of runs: a row each in a table of the control plane, with `org_id` and `worker_session`. */
export interface RunKind {
  queue: 'tenant.provision' | 'tenant.move';
  table: 'provisioning_runs' | 'tenant_moves';
  /** Of rows that somebody has to work on: SQL. */
  unfinished: string;
  /** Of rows that get a job where they have none: SQL. */
  needsJob?: string;
  /** Runs that one process works on at the same time. */
  concurrency: number;
  /** For the log. */
  noun: string;
  work(services: Services, orgId: string, worker: Worker): Promise<void>;
}

interface Orphan {
  orgId: string;
  session: number | null;
  /** The job and the attempt of it that is orphaned. */
  name: string;
  id: string;
  retryCount: number;
}

/** Jobs under way whose worker's session is over, or whose worker never came to claim the run. */
const orphansOf = ({ queue, table, unfinished }: RunKind) =>
  query<Orphan>(
    `orphaned_${table}`,
    `select run.org_id as "orgId", run.worker_session as session, job.name, job.id, job.retry_count as "retryCount"
       from ${table} run
       join pgboss.job on job.name = '${queue}' and job.singleton_key = run.org_id::text and job.state = 'active'
      where ${unfinished} and case
          when run.worker_session is null then job.started_on < now() - interval '${CLAIM_SECONDS} seconds'
          else not exists (
            select from pg_locks
             where locktype = 'advisory' and classid = ${LOCKS.worker} and objid::int = run.worker_session and granted
               and database = (select oid from pg_database where datname = current_database()))
        end
      -- A worker that is at claiming it lives.
      for update of run skip locked`,
  );

const withoutJob = ({ queue, table, needsJob }: RunKind) =>
  query<{ orgId: string }>(
    `without_job_${table}`,
    `select run.org_id as "orgId" from ${table} run where ${needsJob ?? 'false'}
        and not exists (select from pgboss.job where name = '${queue}' and singleton_key = run.org_id::text
                           and state < 'completed')`,
  );

export class RunWorker {
  readonly #services: Services;
  readonly #session: WorkerSession;
  readonly #kind: RunKind;
  readonly #orphans: Query<Orphan>;
  readonly #withoutJob: Query<{ orgId: string }>;
  readonly #stopping = new AbortController();
  #stopSweeping: () => Promise<void> = async () => {};

  /** @param session open, and closed by who gives it, after the queue has been stopped. */
  constructor(services: Services, session: WorkerSession, kind: RunKind) {
    this.#services = services;
    this.#session = session;
    this.#kind = kind;
    this.#orphans = orphansOf(kind);
    this.#withoutJob = withoutJob(kind);
  }

  async start(): Promise<void> {
    const { queue, concurrency } = this.#kind;
    await this.#services.queue.work(queue, concurrency, (job) => this.#run(job));
    this.#stopSweeping = every(SWEEP_MS, () => this.#sweep(), this.#services.log);
  }

  /** Asks running steps to hand back at their end. The queue is stopped after this, and waits for them. */
  async beginStop(): Promise<void> {
    this.#stopping.abort();
    await this.#stopSweeping();
  }

  async #run(job: RunningJob<RunKind['queue']>): Promise<void> {
    const { control, log, queue } = this.#services;
    const { orgId } = job.data;
    const signal = AbortSignal.any([this.#stopping.signal, job.signal]);
    try {
      await this.#kind.work(this.#services, orgId, { session: this.#session.number, job, signal });
    } catch (error) {
      if (error instanceof FencedOff) return;
      if (error instanceof HandedBack) {
        await control.orm.em.fork().transactional((em) => queue.release(em, job));
        return;
      }
      log.warn({ orgId, attempt: job.retryCount + 1, err: error }, `${this.#kind.noun} failed and will be tried again`);
      throw error;
    }
  }

  /** Gives runs whose worker is gone to the next one, without waiting for their heartbeat to run out. */
  async #sweep(): Promise<void> {
    const { control, queue, log } = this.#services;
    const { name, text } = this.#orphans;
    const { rows } = await control.pool.query<Orphan>({ name, text });
    for (const { orgId, session, ...job } of rows) {
      log.info({ orgId }, `taking over a ${this.#kind.noun} whose worker is gone`);
      // Another process may see the same: whichever comes second finds another session and another attempt.
      await control.orm.em.fork().transactional(async (em) => {
        const forget = `update ${this.#kind.table} set worker_session = null where org_id = ? and worker_session is not distinct from ?`;
        await em.execute(forget, [orgId, session]);
        await queue.release(em, job);
      });
    }
    if (this.#kind.needsJob) await this.#sendMissing();
  }

  async #sendMissing(): Promise<void> {
    const { control, queue } = this.#services;
    const { name, text } = this.#withoutJob;
    const { rows } = await control.pool.query<{ orgId: string }>({ name, text });
    for (const { orgId } of rows) {
      await control.orm.em.fork().transactional((em) => queue.send(em, this.#kind.queue, { orgId }, orgId));
    }
  }
}
