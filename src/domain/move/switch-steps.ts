/**
 * The seconds in which the tenant is read and not written, and the change of its server within them. All of it works in both
 * directions: from the server that the tenant is on to the other one.
 *
 * Processes are told first and hold writes back; then the database itself takes none, so that a process that was not told can
 * write nothing either. What may still be said of the former place is over before a write is let through to the new one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EntityManager } from '@mikro-orm/postgresql';
import pg from 'pg';
import { nowDate } from '../../clock.ts';
import { describeFailure } from '../../components/describe-failure.ts';
import { NoAnswerError, withDeadline } from '../../components/probe.ts';
import { endSessions } from '../../db/end-sessions.ts';
import { dropSlots, markPlace, unsubscribe } from '../../db/replication.ts';
import type { TenantCluster } from '../../db/tenant-cluster.ts';
import { Organization } from '../../entities/control/organization.ts';
import { TenantDatabase } from '../../entities/control/tenant-database.ts';
import { MoveState, type TenantMove } from '../../entities/control/tenant-move.ts';
import { Usage } from '../../entities/control/usage.ts';
import { isUnavailable } from '../../errors.ts';
import { audit, bySystem } from '../audit.ts';
import type { PlatformAction } from '../audit-actions.ts';
import { sequencesOf } from '../backup/tables.ts';
import { StepFailure } from '../durable-run.ts';
import { compare } from './compare.ts';
import { follow, reaches } from './copy-steps.ts';
import { OTHERS } from './sessions.ts';
import type { Step, StepContext } from './step.ts';

const quote = pg.escapeIdentifier;

/** Every process that lives reads the event log more often than this (live/event-bus.ts). */
const HEARD_MS = 500;
/** Writes that were under way when their process was told have so long to end. */
const PATIENCE_MS = 1500;
/** A former server that does not answer is waited for so long. */
const FORMER_MS = 5000;

interface Direction {
  /** Where the tenant is. */
  from: TenantCluster;
  to: TenantCluster;
}

const forth = ({ source, target }: StepContext): Direction => ({ from: source, to: target });
const back = ({ source, target }: StepContext): Direction => ({ from: target, to: source });

/** @throws {StepFailure} when the seconds for which it may be so are over. */
function timeLeft({ maxReadOnlyMs, readOnlyMs }: StepContext): number {
  const left = maxReadOnlyMs - readOnlyMs();
  if (left > 0) return left;
  throw outOfTime(maxReadOnlyMs);
}

export const outOfTime = (maxReadOnlyMs: number): StepFailure =>
  new StepFailure(
    `The switch would have taken longer than the ${maxReadOnlyMs / 1000} s for which the tenant may not be written.`,
  );

const setReadOnly = (client: pg.ClientBase, database: string, on: boolean) =>
  client.query(
    `alter database ${quote(database)} ${on ? 'set default_transaction_read_only = on' : 'reset default_transaction_read_only'}`,
  );

/** Ends sessions that began before: those that do not end by themselves while they are at rest, at last all of them. */
async function endFormer(client: pg.ClientBase, name: string, before: string): Promise<void> {
  const former = `${OTHERS} and backend_start <= $2`;
  for (const began = performance.now(); performance.now() - began < PATIENCE_MS; await sleep(25)) {
    const { rowCount } = await client.query(`select from pg_stat_activity where ${former}`, [name, before]);
    if (!rowCount) return;
    // A pooler's do not, whoever has left it.
    const atRest = performance.now() - began > PATIENCE_MS / 3;
    if (atRest) await endSessions(client, `${former} and state = 'idle'`, [name, before]);
  }
  await endSessions(client, former, [name, before]);
}

/** Lets nobody write any more, and waits until the other database has all that was written. */
const takeWrites = async (context: StepContext, { from }: Direction): Promise<undefined> => {
  const { sessions, name } = context;
  timeLeft(context);
  await sleep(HEARD_MS);
  // Who is out of time has been given up, and writes are given back.
  timeLeft(context);
  const client = await sessions.in(from, name);
  await setReadOnly(client, name, true);
  const { rows } = await client.query<{ at: string }>('select clock_timestamp()::text as at');
  // Processes that are told open new sessions, which read only.
  await context.announce();
  await endFormer(client, name, rows[0]!.at);
  if (!(await reaches(context, client, await markPlace(client), timeLeft(context)))) timeLeft(context);
  return undefined;
};

/** Compares both, and opens the other one, to which nobody is sent yet. */
const verify = async (context: StepContext, { from, to }: Direction): Promise<undefined> => {
  const { sessions, name } = context;
  const [one, other] = await Promise.all([sessions.in(from, name), sessions.in(to, name)]);
  for (const { name: sequence, last } of await sequencesOf(one, 'tenant')) {
    if (last > 0) await other.query('select setval($1::regclass, $2)', [quote(sequence), last]);
  }
  const left = timeLeft(context);
  const { rows, differing } = await compare(one, other, left).catch((error: { code?: string }) => {
    // Cancelled by its timeout.
    if (error.code === '57014') timeLeft({ ...context, maxReadOnlyMs: 0 });
    throw error;
  });
  if (differing.length > 0) {
    throw new StepFailure(`The copies of ${differing.join(', ')} are not the same on both servers.`);
  }
  await context.report({ rowsVerified: rows });
  await openDatabase(other, name);
  timeLeft(context);
  return undefined;
};

async function openDatabase(client: pg.ClientBase, name: string): Promise<void> {
  await client.query(
    `alter role ${quote(name)} login; grant connect on database ${quote(name)} to ${quote(name)};
     alter database ${quote(name)} reset default_transaction_read_only`,
  );
}

const placeAt = (context: StepContext, step: string): TenantCluster =>
  (step.startsWith('undo_') ? back(context) : forth(context)).from;

/** Lets writes go on where they were. */
export async function giveWritesBack(context: StepContext, step: string): Promise<void> {
  const client = await context.sessions.in(placeAt(context, step), context.name);
  await setReadOnly(client, context.name, false);
}

/** Ends the sessions that were opened while nobody could write, and cannot either. To be called when all have been told. */
export async function endReaders(context: StepContext, step: string): Promise<void> {
  await sleep(HEARD_MS);
  const client = await context.sessions.in(placeAt(context, step), context.name);
  await endSessions(client, `${OTHERS} and state = 'idle' and backend_start < now() - interval '${HEARD_MS} ms'`, [
    context.name,
  ]);
}

/** The one transaction in which the tenant changes its place. */
const change =
  (action: PlatformAction, { from, to }: Direction) =>
  async (em: EntityManager, { orgId }: TenantMove): Promise<void> => {
    await em.nativeUpdate(TenantDatabase, { orgId }, { serverId: to.id });
    // The new server counts its writes by itself.
    await em.nativeUpdate(Usage, { orgId }, { gatheredMark: '' });
    const org = await em.findOneOrFail(Organization, orgId);
    org.updatedAt = nowDate();
    audit(em, bySystem, {
      action,
      orgId,
      target: { type: 'tenant', id: orgId },
      before: { server: from.name },
      after: { server: to.name },
    });
  };

async function closeDatabase(client: pg.ClientBase, name: string): Promise<void> {
  await client.query(`alter role ${quote(name)} nologin`);
  await endSessions(client, OTHERS, [name]);
}

/**
 * Closes the former place, when every process that lives has heard of the new one; then writes are let through to that. They are
 * also where the former server is out of reach, which may be why the tenant leaves it: nobody can write there, it reads only.
 */
const closeFormer = async ({ sessions, name, services }: StepContext, { from }: Direction): Promise<void> => {
  await sleep(HEARD_MS);
  try {
    await withDeadline(FORMER_MS, async () => closeDatabase(await sessions.in(from, name), name));
  } catch (error) {
    if (!(error instanceof NoAnswerError) && !isUnavailable(error)) throw error;
    sessions.abandon();
    services.log.warn(
      { server: from.name, database: name, error: describeFailure(error) },
      'a former server is out of reach',
    );
  }
};

/** Lets the former database follow the new one, so that the move can be undone without a loss. */
const followBack: Step = async (context) => {
  const { sessions, source, target, name } = context;
  const [former, present] = await Promise.all([sessions.in(source, name), sessions.in(target, name)]);
  // It may have been out of reach before.
  await closeDatabase(former, name);
  await unsubscribe(present, name);
  await dropSlots(former, name);
  await follow(former, context, target, source, false);
  return undefined;
};

export const switchSteps: Record<string, Step> = {
  read_only: (context) => takeWrites(context, forth(context)),
  verify: (context) => verify(context, forth(context)),
  switch: async (context) => change('tenant.change_server', forth(context)),
  open: async (context) => {
    await closeFormer(context, forth(context));
    return (_em, move) => {
      Object.assign(move, { state: MoveState.SWITCHED });
    };
  },
  follow_back: followBack,
  undo_read_only: (context) => takeWrites(context, back(context)),
  undo_verify: (context) => verify(context, back(context)),
  undo_switch: async (context) => change('tenant.change_server', back(context)),
  undo_open: async (context) => {
    await closeFormer(context, back(context));
    return undefined;
  },
};
