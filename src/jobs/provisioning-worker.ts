/** Works the provisioning queue, and hands on what a dead worker left. */
import type { Services } from '../context.ts';
import { query } from '../db/control.ts';
import { LOCKS } from '../db/locks.ts';
import type { RunningJob } from '../db/queue.ts';
import { FencedOff, HandedBack, runProvisioning } from '../domain/provisioning.ts';
import { ProvisioningRun } from '../entities/control/provisioning-run.ts';
import { every } from './timers.ts';
import { WorkerSession } from './worker-session.ts';

/** Tenants made at the same time by one process: more would only wait for the server's disk. */
const CONCURRENCY = 4;
const SWEEP_MS = 500;

/** A living worker claims the run of a job within milliseconds of taking it. */
const CLAIM_SECONDS = 1;

interface Orphan {
  orgId: string;
  session: number | null;
  /** The job and the attempt of it that is orphaned. */
  id: string;
  retryCount: number;
}

/** Jobs under way whose worker's session is over, or whose worker never came to claim the run. */
const orphans = query<Orphan>(
  'orphaned_runs',
  `select run.org_id as "orgId", run.worker_session as session, job.id, job.retry_count as "retryCount"
     from provisioning_runs run
     join pgboss.job on job.name = 'tenant.provision' and job.singleton_key = run.org_id::text and job.state = 'active'
    where run.state <> 'succeeded' and case
        when run.worker_session is null then job.started_on < now() - interval '${CLAIM_SECONDS} seconds'
        else not exists (
          select from pg_locks
           where locktype = 'advisory' and classid = ${LOCKS.worker} and objid::int = run.worker_session and granted
             and database = (select oid from pg_database where datname = current_database()))
      end
    -- A worker that is at claiming it lives.
    for update of run skip locked`,
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
    const { control, log, queue } = this.#services;
    const { orgId } = job.data;
    const signal = AbortSignal.any([this.#stopping.signal, job.signal]);
    try {
      await runProvisioning(this.#services, orgId, { session: this.#session.number, job, signal });
    } catch (error) {
      if (error instanceof FencedOff) return;
      if (error instanceof HandedBack) {
        await control.orm.em.fork().transactional((em) => queue.release(em, job));
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
    const { rows } = await control.pool.query<Orphan>({ name, text });
    for (const { orgId, session, ...job } of rows) {
      log.info({ orgId }, 'taking over a provisioning whose worker is gone');
      // Another process may see the same: whichever comes second finds another session and another attempt.
      await control.orm.em.fork().transactional(async (em) => {
        await em.nativeUpdate(ProvisioningRun, { orgId, workerSession: session }, { workerSession: null });
        await queue.release(em, job);
      });
    }
  }
}
