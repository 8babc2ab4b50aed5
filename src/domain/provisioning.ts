/**
 * A tenant's provisioning as a durable run: whatever is done outside of the control database begins and ends with a commit,
 * so another worker can take it up wherever one died; steps that need nothing else are part of such a commit. The run's
 * attempt number is the fence: a worker that was thought dead and comes back finds a newer number and changes nothing more.
 */
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { newId, nowDate } from '../clock.ts';
import type { Context, Services } from '../context.ts';
import { DiskFull } from '../db/disk-space.ts';
import type { JobAttempt } from '../db/queue.ts';
import { ServerAway } from '../db/server-liveness.ts';
import { Organization, TenantStatus } from '../entities/control/organization.ts';
import {
  type Provisioning,
  ProvisioningRun,
  ProvisioningState,
  ProvisioningStep,
  StepState,
} from '../entities/control/provisioning-run.ts';
import { AppError, isUnavailable, notFound } from '../errors.ts';
import { TenantChange } from '../live/event-log.ts';
import { traced } from '../telemetry/tracing.ts';
import { audit, bySystem } from './audit.ts';
import { FencedOff, HandedBack, StepFailure, type Worker } from './durable-run.ts';
import { type NotThere, noteLeft } from './left-databases.ts';
import { NoRoom } from './placement.ts';
import { asTold } from './provisioning-state.ts';
import { type Outside, PROVISIONING_STEPS, type Recorder, type StepContext, unmake } from './provisioning-steps.ts';
import { tellOfProvisioning, tellOfTenant } from './tenant-events.ts';

/** Adds a queued run with its pending steps to the transaction that makes the organization. */
export async function queueProvisioning(services: Services, em: EntityManager, orgId: string): Promise<void> {
  const jobId = await services.queue.send(em, 'tenant.provision', { orgId }, orgId);
  em.persist(
    em.create(ProvisioningRun, { orgId, jobId, state: ProvisioningState.QUEUED, attempt: 0, createdAt: nowDate() }),
  );
  PROVISIONING_STEPS.forEach(({ name }, position) => {
    em.persist(
      em.create(ProvisioningStep, { id: newId(), orgId, name, position, state: StepState.PENDING, attempt: 0 }),
    );
  });
}

/**
 * Works a tenant's run to its end, or, when it was called off, undoes it.
 *
 * @throws {FencedOff} {HandedBack} or the step's own error, after recording it.
 */
export async function runProvisioning(services: Services, orgId: string, worker: Worker): Promise<void> {
  const hold: Hold = { context: { services, orgId, toTell: [] }, worker, isClaimed: false };
  for (let done: Done | undefined; ; ) {
    const turn = await takeTurn(hold, done);
    if (turn.ending === 'over') return;
    if (turn.ending === 'called off') return undo(services, orgId, hold.attempt!, worker.job);
    if (turn.ending === 'handed back') throw new HandedBack();
    if (turn.failure) throw turn.failure;
    done = turn.done;
  }
}

/** A worker's hold on a run, for as long as nobody has a newer attempt. */
interface Hold {
  context: StepContext;
  worker: Worker;
  /** The newest attempt: this worker's own once the run is claimed, the one before it until then. Absent before it is read. */
  attempt?: number;
  isClaimed: boolean;
}

/** A step whose work outside of the control database has been done, and is to be recorded. */
interface Done {
  name: string;
  at: Date;
  record?: Recorder;
}

/** What a transaction on the run came to. */
interface Turn {
  attempt?: number;
  /** Absent while there is more to do. */
  ending?: 'over' | 'called off' | 'handed back';
  /** What the step that was started leaves to do outside of the transaction. */
  outside?: { name: string; work: Outside };
}

/** Records what was done, goes on to the next step that has work outside of the control database, and does that. */
async function takeTurn(hold: Hold, done?: Done): Promise<{ ending?: Turn['ending']; done?: Done; failure?: unknown }> {
  try {
    const { ending, outside } = await inTurn(hold, (em, run) => goOn(hold, em, run, done));
    if (!outside) return { ending };
    const { name, work } = outside;
    return { ending, done: { name, record: await traced(`provisioning ${name}`, () => ({}), work), at: nowDate() } };
  } catch (failure) {
    // Where the run could not even be read, its failure is the queue's alone.
    if (failure instanceof FencedOff || hold.attempt === undefined) throw failure;
    const { isClaimed } = hold;
    try {
      const { ending } = await inTurn(hold, (em, run) => recordFailure(hold, em, run, failure));
      return { ending, failure };
    } catch (error) {
      // The claim that was rolled back may be another's by now, or even have been committed: the queue tries again.
      throw isClaimed ? error : failure;
    }
  }
}

/**
 * A transaction on the run that happens only while this worker's attempt is the newest. The first one claims the run: that
 * is its attempt. A claim that was rolled back is made again only where nobody else has claimed the run meanwhile.
 */
async function inTurn(hold: Hold, body: (em: EntityManager, run: ProvisioningRun) => Promise<Turn>): Promise<Turn> {
  const { services, orgId } = hold.context;
  const { worker, attempt, isClaimed } = hold;
  const turn = await services.control.orm.em.fork().transactional(async (em): Promise<Turn> => {
    const run = await em.findOne(ProvisioningRun, { orgId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (attempt !== undefined && run?.attempt !== attempt) throw new FencedOff();
    if (!run || run.state === ProvisioningState.SUCCEEDED) return { ending: 'over' };
    hold.attempt = run.attempt;
    if (!isClaimed) {
      em.assign(run, { attempt: run.attempt + 1, workerSession: worker.session, jobId: worker.job.id });
    }
    if (run.state === ProvisioningState.CANCELLING) return { attempt: run.attempt, ending: 'called off' };
    return { ...(await body(em, run)), attempt: run.attempt };
  });
  Object.assign(hold, { attempt: turn.attempt, isClaimed: true });
  return turn;
}

/**
 * Records the step that was done, and goes through those that need nothing but the control database, up to the first one
 * that has work outside of it: one commit for them all. Followers are told of each.
 */
async function goOn({ context, worker }: Hold, em: EntityManager, run: ProvisioningRun, done?: Done): Promise<Turn> {
  const steps = await stepsOf(em, run);
  const told: Provisioning[] = [];
  run.state = ProvisioningState.RUNNING;
  const end = async (turn: Turn) => {
    if (turn.ending) told.push(asTold(run, steps));
    for (const tell of context.toTell.splice(0)) await tell();
    await tellOfProvisioning(em, run.orgId, told);
    return turn;
  };
  if (done) {
    await done.record?.(em);
    markDone(steps.find(({ name }) => name === done.name)!, done.at);
  }
  for (const { name, begin } of PROVISIONING_STEPS) {
    const step = steps.find((one) => one.name === name)!;
    if (step.state === StepState.DONE) continue;
    if (worker.signal.aborted) return end({ ending: 'handed back' });
    Object.assign(step, { state: StepState.RUNNING, startedAt: nowDate(), finishedAt: null, error: null });
    step.attempt += 1;
    told.push(asTold(run, steps));
    const work = await begin(em, context);
    if (work) return end({ outside: { name, work } });
    markDone(step, nowDate());
  }
  Object.assign(run, { state: ProvisioningState.SUCCEEDED, finishedAt: nowDate(), workerSession: null });
  return end({ ending: 'over' });
}

const stepsOf = (em: EntityManager, { orgId }: ProvisioningRun) =>
  em.find(ProvisioningStep, { orgId }, { orderBy: { position: 'asc' } });

const markDone = (step: ProvisioningStep, finishedAt: Date) =>
  Object.assign(step, { state: StepState.DONE, finishedAt });

/** The failure, and the job's return to the queue, are one: whoever sees the one may count on the other. */
async function recordFailure(
  { context: { services }, worker }: Hold,
  em: EntityManager,
  run: ProvisioningRun,
  error: unknown,
): Promise<Turn> {
  const steps = await stepsOf(em, run);
  // Steps are done in their order, and what the failed transaction did is undone.
  const step = steps.find(({ state }) => state !== StepState.DONE)!;
  if (step.state !== StepState.RUNNING) Object.assign(step, { attempt: step.attempt + 1, startedAt: nowDate() });
  run.state = ProvisioningState.RETRYING;
  await fail(services, em, run, step, error, worker.job);
  await tellOfProvisioning(em, run.orgId, [asTold(run, steps)]);
  return {};
}

async function fail(
  services: Services,
  em: EntityManager,
  run: ProvisioningRun,
  step: ProvisioningStep,
  error: unknown,
  job: JobAttempt,
): Promise<void> {
  const reason = reasonOf(error);
  run.workerSession = null;
  Object.assign(step, { state: StepState.FAILED, finishedAt: nowDate(), error: reason });
  await services.queue.retryLater(em, job, reason);
}

function reasonOf(error: unknown): string {
  if (error instanceof StepFailure || error instanceof DiskFull || error instanceof NoRoom) return error.message;
  if (error instanceof ServerAway) return `The database server ${error.server} is away.`;
  if (isUnavailable(error)) return 'The database server could not be reached.';
  return 'An unexpected error; the log of the gateway names it.';
}

/** Removes what was made, then the organization itself, which frees its slug. */
async function undo(services: Services, orgId: string, attempt: number, job: JobAttempt): Promise<void> {
  const ifNewest = (body: (em: EntityManager, run: ProvisioningRun) => Promise<void> = async () => {}) =>
    services.control.orm.em.fork().transactional(async (em) => {
      const run = await em.findOne(ProvisioningRun, { orgId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (run?.attempt !== attempt) throw new FencedOff();
      await body(em, run);
    });
  let left: NotThere[];
  try {
    left = await unmake({ services, orgId, fence: ifNewest });
  } catch (error) {
    await ifNewest(async (em, run) => {
      // The stores' failures are the ones foreseen; otherwise it is the database that would not go.
      const failed = error instanceof StepFailure ? 'create_stores' : 'create_database';
      const steps = await stepsOf(em, run);
      await fail(services, em, run, steps.find(({ name }) => name === failed)!, error, job);
      await tellOfProvisioning(em, orgId, [asTold(run, steps)]);
    });
    throw error;
  }
  await ifNewest(async (em) => {
    const org = await em.findOneOrFail(Organization, orgId);
    const after = await noteLeft(em, org, left);
    audit(em, bySystem, {
      action: 'tenant.remove',
      orgId,
      target: { type: 'tenant', id: orgId },
      before: { name: org.name, slug: org.slug },
      after,
    });
    await em.flush();
    await em.nativeDelete(Organization, orgId);
    await tellOfTenant(em, TenantChange.REMOVED, org);
  });
}

async function lockUnfinished(em: EntityManager, orgId: string): Promise<ProvisioningRun> {
  const org = await em.findOne(Organization, orgId);
  if (!org) throw notFound('tenant');
  const run = await em.findOneOrFail(ProvisioningRun, { orgId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (run.state === ProvisioningState.SUCCEEDED || org.status !== TenantStatus.PROVISIONING) {
    throw new AppError('conflict', { message: 'The provisioning of this tenant has ended already.' });
  }
  return run;
}

/** Starts a failed or waiting run again at once; one that is running goes on. */
export async function retryProvisioning(ctx: Context, orgId: string): Promise<string> {
  return ctx.em.transactional(async (em) => {
    const run = await lockUnfinished(em, orgId);
    if (run.state === ProvisioningState.RETRYING) run.state = ProvisioningState.QUEUED;
    await ctx.services.queue.runNow(em, 'tenant.provision', orgId);
    audit(em, ctx, { action: 'tenant.retry_provisioning', orgId, target: { type: 'tenant', id: orgId } });
    await tellOfProvisioning(em, orgId, [asTold(run, await stepsOf(em, run))]);
    return orgId;
  });
}

/** Calls a run off: what was made is removed in the background, then the tenant is gone and its slug free. */
export async function cancelProvisioning(ctx: Context, orgId: string): Promise<string> {
  return ctx.em.transactional(async (em) => {
    const run = await lockUnfinished(em, orgId);
    run.state = ProvisioningState.CANCELLING;
    await ctx.services.queue.runNow(em, 'tenant.provision', orgId);
    audit(em, ctx, { action: 'tenant.cancel_provisioning', orgId, target: { type: 'tenant', id: orgId } });
    await tellOfProvisioning(em, orgId, [asTold(run, await stepsOf(em, run))]);
    return orgId;
  });
}
