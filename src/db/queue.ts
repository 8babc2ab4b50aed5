/** The durable job queue (pg-boss) in the control database. A job is sent in the transaction of what it is for. */
import type { EntityManager } from '@mikro-orm/postgresql';
import { fromKysely, type JobWithMetadata, type KyselyTransactionLike, PgBoss, type QueueResult } from 'pg-boss';
import type { Logger } from 'pino';
import type { Metrics } from '../telemetry/metrics.ts';
import { traced, tracing } from '../telemetry/tracing.ts';

/** What each queue's jobs carry, besides where their trace goes on from. Never a secret: the table is plain to read. */
export interface Jobs {
  /** Makes, or unmakes, a tenant's databases. One at a time per tenant. */
  'tenant.provision': { orgId: string };
  /** Brings a tenant's limits to its own database. */
  'tenant.apply-limits': { orgId: string };
  /** Archives, restores or removes a tenant (domain/offboarding). */
  'tenant.offboard': { orgId: string };
  /** Makes an export. One at a time per export. */
  'tenant.export': { exportId: string };
  /** Moves a tenant's database to another server, or back. One at a time per tenant. */
  'tenant.move': { orgId: string };
}

export type JobName = keyof Jobs;
/** A job as a worker took it; each time that it is taken has another number. */
export type JobAttempt = Pick<JobWithMetadata, 'id' | 'retryCount'> & { name: string };
export type RunningJob<N extends JobName> = JobWithMetadata<Jobs[N]>;

const PROVISION: JobName = 'tenant.provision';
const EXPORT: JobName = 'tenant.export';
const MOVE: JobName = 'tenant.move';
const OFFBOARD: JobName = 'tenant.offboard';
/** Those that work for long. */
const LONG: readonly JobName[] = [PROVISION, EXPORT, MOVE, OFFBOARD];
const QUEUES: readonly JobName[] = [...LONG, 'tenant.apply-limits'];
const YEARS_SECONDS = 10 * 366 * 24 * 3600;
/**
 * Retries after 1, 2, 4, ... and then every 60 seconds, until it succeeds: what is to be given up, its work gives up and says so. Jobs that wait for
 * longer than a fortnight would be forgotten otherwise.
 */
const RETRIES = {
  retryLimit: 10_000_000,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 60,
  retentionSeconds: YEARS_SECONDS,
};
/** One at a time by its key, and given to another worker about twelve seconds after its own has died. */
const EXCLUSIVE = {
  policy: 'exclusive',
  notify: true,
  heartbeatSeconds: 10,
  expireInSeconds: 3600,
  ...RETRIES,
} as const;

/** The most that the queue allows is a day. */
const LONGEST_SECONDS = 23 * 3600;

function optionsOf(name: JobName) {
  if (!LONG.includes(name)) return { notify: true, expireInSeconds: 300, ...RETRIES };
  // All data of a tenant may take its time; a worker that is dead is noticed by its heartbeat.
  return name === EXPORT || name === OFFBOARD ? { ...EXCLUSIVE, expireInSeconds: LONGEST_SECONDS } : EXCLUSIVE;
}

export class Queue {
  readonly #boss: PgBoss;
  readonly #metrics?: Metrics;
  #started = false;

  /** @param works whether jobs are worked off here; otherwise they are only sent. @param metrics count the attempts. */
  constructor(url: string, log: Logger, works: boolean, metrics?: Metrics) {
    this.#metrics = metrics;
    this.#boss = new PgBoss({
      connectionString: url,
      application_name: 'omnistream jobs',
      // That a job has been taken, or is done, may be lost in a crash of PostgreSQL, and the job is worked off once more: nobody waits for the
      // disk for it. Jobs are sent in transactions of the control database's own sessions, which do wait.
      options: '-c synchronous_commit=off',
      max: works ? 4 : 1,
      useListenNotify: works,
      supervise: works,
      schedule: false,
      // With the heartbeat below: a frozen worker's job is given to another one after about twelve seconds.
      superviseIntervalSeconds: 2,
      monitorIntervalSeconds: 2,
    });
    this.#boss.on('error', (error) => log.warn({ error: error.message }, 'job queue'));
    this.#boss.on('warning', (warning) => log.debug({ warning }, 'job queue'));
  }

  async start(): Promise<void> {
    await this.#boss.start();
    this.#started = true;
    const made = new Map((await this.#boss.getQueues([...QUEUES])).map((queue) => [queue.name, queue]));
    for (const name of QUEUES) {
      const options = optionsOf(name);
      const found = made.get(name);
      if (!found) await this.#boss.createQueue(name, options);
      else await this.#bringUpToDate(found, { ...RETRIES, expireInSeconds: options.expireInSeconds });
    }
  }

  /** An earlier version may have made it. */
  async #bringUpToDate(found: QueueResult, wanted: typeof RETRIES & { expireInSeconds: number }): Promise<void> {
    const keys = Object.keys(wanted) as (keyof typeof wanted)[];
    if (keys.some((key) => found[key] !== wanted[key])) await this.#boss.updateQueue(found.name, wanted);
  }

  /** Sends in the manager's transaction: a rollback takes the job along. @returns its id, or null when the key is taken. */
  send<N extends JobName>(em: EntityManager, name: N, data: Jobs[N], key?: string): Promise<string | null> {
    const send = () =>
      this.#boss.send(
        name,
        { ...data, ...tracing?.context() },
        { db: inTransaction(em), ...(key && { singletonKey: key }) },
      );
    return traced(`send ${name}`, () => ({ kind: 'producer', attributes: attributesOf(name, data) }), send);
  }

  /** Makes sure that a tenant's job runs now, whether it is waiting for its next retry, has failed for good, or is gone. */
  async runNow(em: EntityManager, name: 'tenant.provision' | 'tenant.move', orgId: string): Promise<void> {
    const db = inTransaction(em);
    const { updated } = await this.#boss.update(name, undefined, { singletonKey: orgId, startAfter: 0, db });
    if (updated) return;
    const failed = (await this.#boss.findJobs(name, { key: orgId, db })).find((job) => job.state === 'failed');
    if (failed) await this.#boss.retry(name, failed.id, { db });
    else await this.send(em, name, { orgId }, orgId);
  }

  /** Gives a job whose worker is gone, or is stopping, to the next worker at once, unless that has happened already. */
  async release(em: EntityManager, attempt: JobAttempt): Promise<void> {
    const failed = await this.#fail(em, attempt, 'handed to another worker');
    // Failed jobs wait longer with each attempt; this one has not failed.
    if (!failed) return;
    await this.#boss.update(attempt.name, undefined, { id: attempt.id, startAfter: 0, db: inTransaction(em) });
  }

  /** Puts a job whose work failed back for a later attempt. What its handler ends with has no effect after this. */
  async retryLater(em: EntityManager, attempt: JobAttempt, reason: string): Promise<void> {
    await this.#fail(em, attempt, reason);
  }

  async #fail(em: EntityManager, { name, id, retryCount }: JobAttempt, message: string): Promise<boolean> {
    const options = { db: inTransaction(em) };
    const answer = await this.#boss.fail(name, { id, retryCount }, { message }, options);
    return (answer as { affected: number }).affected > 0;
  }

  /** Works off a queue with so many jobs at a time in this process. */
  async work<N extends JobName>(
    name: N,
    concurrency: number,
    handle: (job: RunningJob<N>) => Promise<void>,
  ): Promise<void> {
    await Promise.all(Array.from({ length: concurrency }, () => this.#startWorker(name, handle)));
  }

  async #startWorker<N extends JobName>(name: N, handle: (job: RunningJob<N>) => Promise<void>): Promise<void> {
    const worker: { id?: string } = {};
    worker.id = await this.#boss.work<Jobs[N]>(
      name,
      {
        includeMetadata: true,
        // Retries send no notification.
        notifyPollingIntervalSeconds: 0.5,
        pollingIntervalSeconds: 0.5,
      },
      async ([job]) => {
        try {
          if (job) await this.#attempt(name, job as RunningJob<N>, () => handle(job as RunningJob<N>));
        } finally {
          // Where there was one job there may be more: it looks again at once instead of at its next poll.
          if (worker.id) this.#boss.notifyWorker(worker.id);
        }
      },
    );
  }

  async #attempt(name: JobName, { id, data, retryCount }: JobAttempt & { data: object }, work: () => Promise<void>) {
    const began = performance.now();
    let outcome: 'done' | 'failed' = 'failed';
    try {
      const attempt = { 'messaging.message.id': id, 'omnistream.job.attempt': retryCount + 1 };
      await traced(
        `job ${name}`,
        () => ({ kind: 'consumer', parent: data, attributes: { ...attributesOf(name, data), ...attempt } }),
        work,
      );
      outcome = 'done';
    } finally {
      this.#metrics?.job(name, outcome, performance.now() - began);
    }
  }

  /** Takes no new job; the running ones go on, and jobs can still be sent. */
  async takeNoMore(): Promise<void> {
    if (!this.#started) return;
    await Promise.all(QUEUES.map((name) => this.#boss.offWork(name, { wait: false })));
  }

  /** Takes no new job and waits for the running ones, up to `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    if (this.#started) await this.#boss.stop({ graceful: true, timeout: timeoutMs });
  }
}

const attributesOf = (name: JobName, data: object) => ({
  'messaging.system': 'pg-boss',
  'messaging.destination.name': name,
  'omnistream.tenant.id': 'orgId' in data ? String(data.orgId) : undefined,
});

function inTransaction(em: EntityManager) {
  const transaction = em.getTransactionContext<KyselyTransactionLike>();
  if (!transaction) throw new Error('a job is sent in the transaction of what it is for');
  return fromKysely(transaction);
}
