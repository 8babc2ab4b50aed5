/** Works the provisioning queue, and hands on what a dead worker left. */
import type { Services } from '../context.ts';
import { query } from '../db/control.ts';
import { LOCKS } from '../db/locks.ts';
import type { RunningJob } from '../db/queue.ts';
import { FencedOff, HandedBack, runProvisioning } from '../domain/provisioning.ts';
import { every } from './timers.ts';
import { WorkerSession } from './worker-session.ts';

/** Tenants made at the same time by one process: more would only wait for the server's disk. */
const CONCURRENCY = 4;
const SWEEP_MS = 500;

const orphans = query<{ orgId: string; jobId: string; session: number }>(
  'orphaned_runs',
  `select org_id as "orgId", job_id as "jobId", worker_session as session from provisioning_runs run
    where worker_session is not null and state <> 'succeeded' and job_id is not null
      and not exists (
        select from pg_locks
         where locktype = 'advisory' and classid = ${LOCKS.worker} and objid::int = run.worker_session and granted
           and database = (select oid from pg_database where datname = current_database()))`,
);

export class ProvisioningWorker {
  readonly #services: Services;
  readonly #session: WorkerSession;
  readonly #stopping = new AbortController();
  #stopSweeping: () => Promise<void> = async () => {};

  constructor(services: Services) {
    this.#services = services;
    this.#session = new WorkerSession(services.control.url, services.log);
  }

  async start(): Promise<void> {
    await this.#session.open();
    await this.#services.queue.work('tenant.provision', CONCURRENCY, (job) => this.#run(job));
    this.#stopSweeping = every(SWEEP_MS, () => this.#sweep(), this.#services.log);
  }

  /** Asks running steps to hand back at their end. The queue is stopped after this, and waits for them. */
  async beginStop(): Promise<void> {
    this.#stopping.abort();
    await this.#stopSweeping();
  }

  async close(): Promise<void> {
    await this.#session.close();
  }

  async #run(job: RunningJob<'tenant.provision'>): Promise<void> {
    const { log, queue } = this.#services;
    const { orgId } = job.data;
    const signal = AbortSignal.any([this.#stopping.signal, job.signal]);
    try {
      await runProvisioning(this.#services, orgId, { session: this.#session.number, jobId: job.id, signal });
    } catch (error) {
      if (error instanceof FencedOff) return;
      if (error instanceof HandedBack) {
        await queue.release(job.id);
        return;
      }
      log.warn({ orgId, attempt: job.retryCount + 1, err: error }, 'provisioning failed and will be tried again');
      throw error;
    }
  }

  /** Gives runs whose worker is gone to the next one, without waiting for their heartbeat to run out. */
  async #sweep(): Promise<void> {
    const { control, queue, log } = this.#services;
    const { name, text } = orphans;
    const { rows } = await control.pool.query<{ orgId: string; jobId: string; session: number }>({ name, text });
    for (const { orgId, jobId, session } of rows) {
      // Of several processes that see it, the one that clears the number does the rest.
      const { rowCount } = await control.pool.query(
        'update provisioning_runs set worker_session = null where org_id = $1 and worker_session = $2',
        [orgId, session],
      );
      if (!rowCount) continue;
      log.info({ orgId }, 'taking over a provisioning whose worker is gone');
      await queue.release(jobId);
    }
  }
}
