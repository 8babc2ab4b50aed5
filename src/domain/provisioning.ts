/**
 * A tenant's provisioning as a durable run: each step's start and end is committed before the work goes on, so another
 * worker can take it up wherever one died. The run's attempt number is the fence: a worker that was thought dead and
 * comes back finds a newer number and changes nothing more.
 */
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import type { Context, Services } from '../context.ts';
import type { JobAttempt } from '../db/queue.ts';
import { Organization, TenantStatus } from '../entities/control/organization.ts';
import {
  ProvisioningRun,
  ProvisioningState,
  ProvisioningStep,
  StepState,
} from '../entities/control/provisioning-run.ts';
import { AppError, isUnavailable, notFound } from '../errors.ts';
import { TenantChange } from '../live/event-log.ts';
import { audit, bySystem } from './audit.ts';
import { PROVISIONING_STEPS, type StepContext, StepFailure, unmake } from './provisioning-steps.ts';
import { tellOfProvisioning, tellOfTenant } from './tenant-events.ts';

/** Thrown by a worker that found a newer one at its run; nothing of it is recorded. */
export class FencedOff extends Error {}
/** Thrown by a worker that is asked to stop, between two steps. */
export class HandedBack extends Error {}

/** Who works on a run. */
export interface Worker {
  /** Number of the process's worker session. */
  session: number;
  /** The queue's job, as it was taken. */
  job: JobAttempt;
  /** Says that the process is stopping, or that the queue took the job away. */
  signal: AbortSignal;
}

/** Adds a queued run with its pending steps to the transaction that makes the organization. */
export async function queueProvisioning(services: Services, em: EntityManager, orgId: string): Promise<void> {
  const jobId = await services.queue.send(em, 'tenant.provision', { orgId }, orgId);
  em.persist(
    em.create(ProvisioningRun, { orgId, jobId, state: ProvisioningState.QUEUED, attempt: 0, createdAt: new Date() }),
  );
  PROVISIONING_STEPS.forEach(({ name }, position) => {
    em.persist(
      em.create(ProvisioningStep, { id: uuidv7(), orgId, name, position, state: StepState.PENDING, attempt: 0 }),
    );
  });
}

/**
 * Works a tenant's run to its end, or, when it was called off, undoes it.
 *
 * @throws {FencedOff} {HandedBack} or the step's own error, after recording it.
 */
export async function runProvisioning(services: Services, orgId: string, worker: Worker): Promise<void> {
  const run = await claim(services, orgId, worker);
  if (!run) return;
  const callOff = () => undo(services, orgId, run.attempt, worker.job);
  if (run.state === ProvisioningState.CANCELLING) return callOff();

  const states = new Map(run.steps.map((step) => [step.name, step.state]));
  const remaining = PROVISIONING_STEPS.filter(({ name }) => states.get(name) !== StepState.DONE);
  const context: StepContext = { services, orgId };
  let finish: ((em: EntityManager) => Promise<void>) | undefined;
  let finished: string | undefined;
  for (const step of remaining) {
    // One transaction ends the step before and starts this one.
    const state = await fenced(services, orgId, run.attempt, async (em) => {
      if (finished) await markDone(em, orgId, finished, finish);
      await markRunning(em, orgId, step.name);
    });
    if (state === ProvisioningState.CANCELLING) return callOff();
    if (worker.signal.aborted) throw new HandedBack();
    try {
      finish = await step.run(context);
      finished = step.name;
    } catch (error) {
      const before = await fenced(services, orgId, run.attempt, async (em, locked) => {
        locked.state = ProvisioningState.RETRYING;
        await recordFailure(services, em, locked, step.name, error, worker.job);
      });
      if (before === ProvisioningState.CANCELLING) return callOff();
      throw error;
    }
  }
  const before = await fenced(services, orgId, run.attempt, async (em, locked) => {
    if (finished) await markDone(em, orgId, finished, finish);
    locked.state = ProvisioningState.SUCCEEDED;
    locked.finishedAt = new Date();
    locked.workerSession = null;
  });
  if (before === ProvisioningState.CANCELLING) return callOff();
}

async function claim(services: Services, orgId: string, worker: Worker) {
  return services.control.orm.em.fork().transactional(async (em) => {
    const run = await em.findOne(ProvisioningRun, { orgId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!run || run.state === ProvisioningState.SUCCEEDED) return undefined;
    run.attempt += 1;
    run.workerSession = worker.session;
    run.jobId = worker.job.id;
    if (run.state !== ProvisioningState.CANCELLING) run.state = ProvisioningState.RUNNING;
    const steps = await em.find(ProvisioningStep, { orgId });
    return { attempt: run.attempt, state: run.state, steps };
  });
}

/** A transaction on the run that happens only while this attempt is the newest. @returns the run's state before it. */
async function fenced(
  services: Services,
  orgId: string,
  attempt: number,
  body: (em: EntityManager, run: ProvisioningRun) => Promise<void>,
): Promise<ProvisioningState> {
  return services.control.orm.em.fork().transactional(async (em) => {
    const run = await em.findOne(ProvisioningRun, { orgId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (run?.attempt !== attempt) throw new FencedOff();
    const { state } = run;
    if (state !== ProvisioningState.CANCELLING) {
      await body(em, run);
      await tellOfProvisioning(services, em, orgId);
    }
    return state;
  });
}

async function markRunning(em: EntityManager, orgId: string, name: string): Promise<void> {
  const step = await em.findOneOrFail(ProvisioningStep, { orgId, name });
  step.attempt += 1;
  em.assign(step, { state: StepState.RUNNING, startedAt: new Date(), finishedAt: null, error: null });
}

async function markDone(em: EntityManager, orgId: string, name: string, record?: (em: EntityManager) => Promise<void>) {
  await record?.(em);
  await em.nativeUpdate(ProvisioningStep, { orgId, name }, { state: StepState.DONE, finishedAt: new Date() });
}

/** The failure, and the job's return to the queue, are one: whoever sees the one may count on the other. */
async function recordFailure(
  services: Services,
  em: EntityManager,
  run: ProvisioningRun,
  name: string,
  error: unknown,
  job: JobAttempt,
): Promise<void> {
  const reason = reasonOf(error);
  run.workerSession = null;
  await em.nativeUpdate(
    ProvisioningStep,
    { orgId: run.orgId, name },
    { state: StepState.FAILED, finishedAt: new Date(), error: reason },
  );
  await services.queue.retryLater(em, job, reason);
}

function reasonOf(error: unknown): string {
  if (error instanceof StepFailure) return error.message;
  if (isUnavailable(error)) return 'The database server could not be reached.';
  return 'An unexpected error; the log of the gateway names it.';
}

/** Removes what was made, then the organization itself, which frees its slug. */
async function undo(services: Services, orgId: string, attempt: number, job: JobAttempt): Promise<void> {
  const ifNewest = (body: (em: EntityManager, run: ProvisioningRun) => Promise<void>) =>
    services.control.orm.em.fork().transactional(async (em) => {
      const run = await em.findOne(ProvisioningRun, { orgId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (run?.attempt !== attempt) throw new FencedOff();
      await body(em, run);
    });
  try {
    await unmake({ services, orgId });
  } catch (error) {
    await ifNewest(async (em, run) => {
      // The stores' failures are the ones foreseen; otherwise it is the database that would not go.
      const step = error instanceof StepFailure ? 'create_stores' : 'create_database';
      await recordFailure(services, em, run, step, error, job);
      await tellOfProvisioning(services, em, orgId);
    });
    throw error;
  }
  await ifNewest(async (em) => {
    const org = await em.findOneOrFail(Organization, orgId);
    audit(em, bySystem, {
      action: 'tenant.remove',
      orgId,
      target: { type: 'tenant', id: orgId },
      before: { name: org.name, slug: org.slug },
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
    await ctx.services.queue.provisionNow(em, orgId);
    audit(em, ctx, { action: 'tenant.retry_provisioning', orgId, target: { type: 'tenant', id: orgId } });
    await tellOfProvisioning(ctx.services, em, orgId);
    return orgId;
  });
}

/** Calls a run off: what was made is removed in the background, then the tenant is gone and its slug free. */
export async function cancelProvisioning(ctx: Context, orgId: string): Promise<string> {
  return ctx.em.transactional(async (em) => {
    const run = await lockUnfinished(em, orgId);
    run.state = ProvisioningState.CANCELLING;
    await ctx.services.queue.provisionNow(em, orgId);
    audit(em, ctx, { action: 'tenant.cancel_provisioning', orgId, target: { type: 'tenant', id: orgId } });
    await tellOfProvisioning(ctx.services, em, orgId);
    return orgId;
  });
}
