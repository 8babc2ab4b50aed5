/**
 * Work on a suspended tenant as a whole, as a durable run: archiving it, restoring it from its archive, removing it for good.
 * Each step may be repeated after a crash at any point of it. The run's attempt number is the fence: a worker that was thought
 * dead and comes back finds a newer number and changes nothing more.
 */
import { randomUUID } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Services } from '../../context.ts';
import { type ControlDatabase, query, rowsWithin } from '../../db/control.ts';
import type { Queue } from '../../db/queue.ts';
import { OffboardingKind, OffboardingState } from '../../entities/control/offboarding.ts';
import { UNFINISHED_MOVE } from '../../entities/control/tenant-move.ts';
import { AppError } from '../../errors.ts';
import { FencedOff } from '../durable-run.ts';

/** What such work needs of a gateway, or of a command. */
export type OffboardingServices = Pick<
  Services,
  'components' | 'control' | 'keys' | 'kept' | 'log' | 'servers' | 'tenants'
>;

/** A run as it is read. */
export interface OffboardingRow {
  tenantId: string;
  kind: OffboardingKind;
  state: OffboardingState;
  step?: string | null;
  attempt: number;
  error?: string | null;
  activate: boolean;
  requestedBy?: string | null;
  createdAt: string;
}

const COLUMNS = `org_id as "tenantId", kind, state, step, attempt, error, activate, requested_by as "requestedBy",
  created_at as "createdAt"`;

/** By tenant. */
export const offboardingsOf = query<OffboardingRow>(
  'offboardings_of',
  `select ${COLUMNS} from offboarding_runs where org_id = any($1::uuid[])`,
);

const OVER: readonly OffboardingState[] = [OffboardingState.SUCCEEDED, OffboardingState.FAILED];

const UNDER_WAY: Record<OffboardingKind, string> = {
  archive: 'This organization is being archived.',
  restore: 'This organization is being restored from its archive.',
  purge: 'This organization is being removed for good.',
};

/** To be called with the organization's row locked. @param kind of work that is refused for; else any. @throws {AppError} conflict */
export async function refuseUnderWay(em: EntityManager, orgId: string, kind?: OffboardingKind): Promise<void> {
  const [run] = await rowsWithin(em, offboardingsOf, [[orgId]]);
  if (run && (!kind || run.kind === kind) && !OVER.includes(run.state))
    throw new AppError('conflict', { message: UNDER_WAY[run.kind] });
}

const movedNow = query<object>('is_being_moved', `select from tenant_moves where org_id = $1 and ${UNFINISHED_MOVE}`);

/** Of one that is between two servers, part of what it has would be left behind. @throws {AppError} conflict */
export async function refuseWhileMoved(em: EntityManager, orgId: string): Promise<void> {
  if ((await rowsWithin(em, movedNow, [orgId])).length === 0) return;
  throw new AppError('conflict', {
    message: 'This organization is being moved to another server: finish that move, undo it or cancel it first.',
  });
}

/** In the place of a former run, whose worker is fenced off should it still be alive. */
const begin = query(
  'begin_offboarding',
  `insert into offboarding_runs as run (org_id, kind, state, activate, requested_by, created_at)
     values ($1, $2, 'queued', $3, $4, date_trunc('milliseconds', now()))
     on conflict (org_id) do update set kind = excluded.kind, state = 'queued', step = null, error = null, activate = $3,
       requested_by = $4, created_at = excluded.created_at, attempt = run.attempt + 1`,
);

export interface NewRun {
  orgId: string;
  kind: OffboardingKind;
  /** Of a restore: whether the tenant is to be active at its end. */
  activate?: boolean;
  requestedBy?: string;
}

/** In the transaction that asks for it, with the organization's row locked and nothing else under way. */
export async function beginRun(em: EntityManager, queue: Queue, { orgId, kind, activate, requestedBy }: NewRun) {
  await rowsWithin(em, begin, [orgId, kind, activate ?? false, requestedBy ?? null]);
  // A key of its own: the job of a former run may just be ending.
  await queue.send(em, 'tenant.offboard', { orgId }, randomUUID());
}

/** Of those that have been there for a while: the job of a new one may just be ending, or be about to be seen. */
const lost = query<{ orgId: string }>(
  'lost_offboardings',
  `select org_id as "orgId" from offboarding_runs run
    where state in ('queued', 'running', 'retrying') and created_at < now() - interval '10 minutes'
      and not exists (select from pgboss.job where name = 'tenant.offboard' and data->>'orgId' = run.org_id::text and state < 'completed')`,
);

/** Sends a job for runs that have none any more: an earlier version gave up after half a day, or somebody has removed it. */
export async function sendLostRuns({ control, queue }: Pick<Services, 'control' | 'queue'>): Promise<void> {
  const { rows } = await control.pool.query<{ orgId: string }>({ ...lost });
  for (const { orgId } of rows) {
    await control.orm.em.fork().transactional((em) => queue.send(em, 'tenant.offboard', { orgId }, orgId));
  }
}

/** The step of an archiving whose archive is kept: the next attempt goes on from there. */
export const DROP = 'drop';

const claim = query<Claimed>(
  'claim_offboarding',
  `update offboarding_runs run set state = 'running', attempt = run.attempt + 1,
          step = case when run.kind = 'archive' and run.step = '${DROP}' then '${DROP}' end
     from organizations o left join tenant_databases d on d.org_id = o.id
    where run.org_id = $1 and run.state in ('queued', 'running', 'retrying') and o.id = run.org_id
    returning run.kind, run.attempt, run.step, run.activate, run.requested_by as "requestedBy", run.created_at as "createdAt",
              o.id as "orgId", o.slug, d.database_name as "databaseName"`,
);

/** A run that a worker has taken up, and what it is about. */
export interface Claimed {
  kind: OffboardingKind;
  attempt: number;
  /** What it goes on from; nothing: from the beginning. */
  step: string | null;
  activate: boolean;
  requestedBy: string | null;
  createdAt: string;
  orgId: string;
  slug: string;
  databaseName: string | null;
}

/** @returns undefined where there is nothing to do any more. */
export async function claimRun({ pool }: ControlDatabase, orgId: string): Promise<Claimed | undefined> {
  return (await pool.query<Claimed>({ ...claim, values: [orgId] })).rows[0];
}

export const atStep = query(
  'offboarding_step',
  'update offboarding_runs set step = $3 where org_id = $1 and attempt = $2',
);

/** Says what is done next. @throws {FencedOff} */
export async function tellStep({ pool }: ControlDatabase, { orgId, attempt }: Claimed, step: string): Promise<void> {
  const { rowCount } = await pool.query({ ...atStep, values: [orgId, attempt, step] });
  if (!rowCount) throw new FencedOff();
}

const held = query<object>(
  'offboarding_fence',
  'select from offboarding_runs where org_id = $1 and attempt = $2 for update',
);

/** A transaction that happens only while the attempt is the newest. @throws {FencedOff} */
export function whileHeld<T>(
  { orm }: ControlDatabase,
  { orgId, attempt }: Claimed,
  body: (em: EntityManager) => Promise<T>,
): Promise<T> {
  return orm.em.fork().transactional(async (em) => {
    if ((await rowsWithin(em, held, [orgId, attempt])).length === 0) throw new FencedOff();
    return body(em);
  });
}

/** The same question, for whoever holds the lock on the tenant's database meanwhile. @throws {FencedOff} */
export async function refuseUnheld({ pool }: ControlDatabase, { orgId, attempt }: Claimed): Promise<void> {
  const { rowCount } = await pool.query({ ...held, values: [orgId, attempt] });
  if (!rowCount) throw new FencedOff();
}

const end = query(
  'end_offboarding',
  `update offboarding_runs set state = 'succeeded', step = null, error = null where org_id = $1`,
);

export const endRun = (em: EntityManager, { orgId }: Claimed) => rowsWithin(em, end, [orgId]);

const fail = query(
  'fail_offboarding',
  'update offboarding_runs set error = $3, state = $4 where org_id = $1 and attempt = $2',
);

/** In the place of its end. */
export const recordFailure = (em: EntityManager, run: Claimed, reason: string, state: OffboardingState) =>
  rowsWithin(em, fail, [run.orgId, run.attempt, reason, state]);

const stepOf = query<{ step: string | null }>(
  'offboarding_step_of',
  'select step from offboarding_runs where org_id = $1',
);

/** Whether an archiving has come so far that the archive is kept: its database may be gone. */
export async function isKept(em: EntityManager, { kind, orgId }: Claimed): Promise<boolean> {
  const [run] = await rowsWithin(em, stepOf, [orgId]);
  return kind === OffboardingKind.ARCHIVE && run?.step === DROP;
}
