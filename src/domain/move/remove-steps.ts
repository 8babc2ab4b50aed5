/** The last step of a move, whichever way it ends: nothing is left of it on either server, and one of both databases goes. */
import pg from 'pg';
import { nowDate } from '../../clock.ts';
import { belongToNoMore, endSessions } from '../../db/end-sessions.ts';
import { replicationName, unpublish, unsubscribe } from '../../db/replication.ts';
import { ServerAway } from '../../db/server-liveness.ts';
import type { TenantCluster } from '../../db/tenant-cluster.ts';
import { arrivingName } from '../../db/tenant-names.ts';
import { TenantDatabase } from '../../entities/control/tenant-database.ts';
import { MoveState } from '../../entities/control/tenant-move.ts';
import { isUnavailable } from '../../errors.ts';
import { FencedOff } from '../durable-run.ts';
import { OTHERS } from './sessions.ts';
import { administer, alone, type Recorder, type Step, type StepContext } from './step.ts';

const quote = pg.escapeIdentifier;

async function remove(context: StepContext, kept: TenantCluster, gone: TenantCluster): Promise<Recorder> {
  const { services, orgId, name } = context;
  const { serverId } = await services.control.orm.em.fork().findOneOrFail(TenantDatabase, { orgId });
  if (serverId !== kept.id) throw new Error(`the database ${name} on ${gone.name} is the one in use`);
  if (context.isAbandoned) return abandon(context, kept, gone);
  // The one in use first: it goes on without the other, which may be out of reach.
  await release(context, kept);
  await drop(context, gone);
  return ended([]);
}

/** Nothing of the move is left at the database that is in use. */
async function release(context: StepContext, server: TenantCluster): Promise<void> {
  const { sessions, name } = context;
  const client = await sessions.in(server, name);
  await detach(client, name);
  await client.query(
    `comment on database ${quote(name)} is null; alter database ${quote(name)} reset default_transaction_read_only`,
  );
  await belongToNoMore(client, name);
}

/** It follows nobody, and nobody it. */
export async function detach(client: pg.ClientBase, name: string): Promise<void> {
  await unsubscribe(client, name);
  await unpublish(client, name);
}

/** What there is of it, on the server that it is not to be on. */
export async function drop(context: StepContext, server: TenantCluster): Promise<void> {
  const { sessions, name } = context;
  if (await isThere(await administer(context, server), name)) {
    await detach(await sessions.in(server, name), name);
    await sessions.close(name);
  }
  await alone(context, server, async (client) => {
    await endSessions(client, 'datname = $1', [name]);
    for (const database of [name, arrivingName(name)]) {
      await client.query(`drop database if exists ${quote(database)} with (force)`);
    }
    await client.query(`drop role if exists ${quote(replicationName(name))}; drop role if exists ${quote(name)}`);
  });
}

/**
 * Ends the move without a server that does not answer. While the one that the tenant is on is out of reach, the other database
 * may be all that there is of it: it is kept.
 */
async function abandon(context: StepContext, kept: TenantCluster, gone: TenantCluster): Promise<Recorder> {
  const { sessions, name } = context;
  const isReleased = await unlessAway(context, kept, async () => {
    await release(context, kept);
    // Those of a pooler would go on reading only, and be used again.
    const client = await administer(context, kept);
    if (context.readOnlyMs() > 0) await endSessions(client, `${OTHERS} and state = 'idle'`, [name]);
  });
  const isDropped = await unlessAway(context, gone, async () => {
    if (isReleased) await drop(context, gone);
    else if (await isThere(await administer(context, gone), name)) await detach(await sessions.in(gone, name), name);
  });
  const copy = 'the database stays as it was when the other server went away';
  return ended([
    ...(isReleased ? [] : [`${kept.name}, which the organization is on: ${remainsOf(name)}`]),
    ...(isDropped && isReleased ? [] : [`${gone.name}: ${isDropped ? `${copy}, ${name}` : remainsOf(name)}`]),
  ]);
}

const remainsOf = (name: string) =>
  `as far as they are there, the database and role ${name}, and the role, slot and subscription ${replicationName(name)}`;

/** @returns whether it was done; false where the server does not answer, or is another one by now that lets nobody in. */
async function unlessAway(context: StepContext, server: TenantCluster, work: () => Promise<void>): Promise<boolean> {
  let isIn = false;
  try {
    await server.whileUp(async () => {
      await administer(context, server);
      isIn = true;
      await work();
    });
    return true;
  } catch (error) {
    if (error instanceof FencedOff || (isIn && !(error instanceof ServerAway) && !isUnavailable(error))) throw error;
    context.sessions.abandon();
    return false;
  }
}

async function isThere(client: pg.ClientBase, name: string): Promise<boolean> {
  // What a DROP that was cut short left cannot be looked into.
  const { rowCount } = await client.query(`select from pg_database where datname = $1 and datconnlimit <> -2`, [name]);
  return rowCount === 1;
}

const ENDS: Partial<Record<MoveState, MoveState>> = {
  [MoveState.FINISHING]: MoveState.FINISHED,
  [MoveState.UNDOING]: MoveState.UNDONE,
  [MoveState.CANCELLING]: MoveState.CANCELLED,
};

/** @param leftBehind a line a server. */
const ended =
  (leftBehind: string[]): Recorder =>
  (_em, move) => {
    Object.assign(move, { state: ENDS[move.state]!, finishedAt: nowDate(), readOnlySince: null });
    if (leftBehind.length > 0) move.leftBehind = leftBehind;
  };

export const removeSteps: Record<string, Step> = {
  remove_source: (context) => remove(context, context.target, context.source),
  remove_target: (context) => remove(context, context.source, context.target),
};
