/** The last step of a move, whichever way it ends: nothing is left of it on either server, and one of both databases goes. */
import pg from 'pg';
import { nowDate } from '../../clock.ts';
import { dropDatabase } from '../../db/drop-database.ts';
import { belongToNoMore, endSessions } from '../../db/end-sessions.ts';
import { PUBLICATION, replicationName, unpublish, unsubscribe } from '../../db/replication.ts';
import { ServerAway } from '../../db/server-liveness.ts';
import type { TenantCluster } from '../../db/tenant-cluster.ts';
import { arrivingName } from '../../db/tenant-names.ts';
import { TenantDatabase } from '../../entities/control/tenant-database.ts';
import { MoveState } from '../../entities/control/tenant-move.ts';
import { FencedOff } from '../durable-run.ts';
import { OTHERS } from './sessions.ts';
import { isItself, isMarked, isThere } from './standing.ts';
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
export async function release(
  { sessions, name }: Pick<StepContext, 'sessions' | 'name'>,
  server: TenantCluster,
): Promise<void> {
  const client = await sessions.in(server, name);
  await detach(client, name);
  await client.query(
    `comment on database ${quote(name)} is null; alter database ${quote(name)} reset default_transaction_read_only`,
  );
  await belongToNoMore(client, name);
}

/** Those of a pooler that came while it was not written would go on reading only, and be used again. */
export const endOthers = (client: pg.ClientBase, name: string) =>
  endSessions(client, `${OTHERS} and state = 'idle'`, [name]);

/** It follows nobody, and nobody it. */
export async function detach(client: pg.ClientBase, name: string): Promise<void> {
  await unsubscribe(client, name);
  await unpublish(client, name);
}

/** What there is of it, on the server that it is not to be on. */
export async function drop(context: StepContext, server: TenantCluster): Promise<void> {
  const { sessions, name } = context;
  if (await isThere(await administer(context, server), name)) {
    // The move that is called off may have ended because of it.
    if (server === context.target && !(await isMarked(await administer(context, server), name))) return;
    await detach(await sessions.in(server, name), name);
    await sessions.close(name);
  }
  await alone(context, server, async (client) => {
    await endSessions(client, 'datname = $1', [name]);
    for (const database of [name, arrivingName(name)]) {
      await dropDatabase(client, database);
    }
    await client.query(`drop role if exists ${quote(replicationName(name))}; drop role if exists ${quote(name)}`);
  });
}

/**
 * Ends the move without a server that does not answer. While the one that the tenant is on is out of reach, the other database
 * may be all that there is of it: it is kept.
 */
async function abandon(context: StepContext, kept: TenantCluster, gone: TenantCluster): Promise<Recorder> {
  const { services, sessions, name } = context;
  const orLetGo = async (server: TenantCluster, work: () => Promise<boolean>) => {
    const done = await unlessAway(server, work);
    if (done === undefined) sessions.abandon();
    return done ?? false;
  };
  const isReleased = await orLetGo(kept, async () => {
    const client = await administer(context, kept);
    if (!(await isItself(services.control.orm.em, client, kept.id, name))) return false;
    await release(context, kept);
    if (context.readOnlyMs() > 0) await endOthers(client, name);
    return true;
  });
  const isCleared = await orLetGo(gone, async () => {
    if (isReleased) await drop(context, gone);
    else if (await isThere(await administer(context, gone), name)) {
      const client = await sessions.in(gone, name);
      await detach(client, name);
      // No later move takes it for its own.
      await client.query(`comment on database ${quote(name)} is null`);
    }
    return true;
  });
  if (isReleased)
    return ended(isCleared ? [] : [`${gone.name}: ${REMOVED} the database and role ${name}, ${follows(name)}`]);
  const rest = isCleared ? '' : `; ${REMOVED} ${follows(name)}`;
  const left = [
    `${kept.name}, which the organization is on: its database stays; when it is back these go by themselves: ${follows(name)}, and ` +
      `that it is not written (by hand: alter database ${quote(name)} reset default_transaction_read_only)`,
    `${gone.name}: the database ${name} stays as it was when ${kept.name} went away, and may be all that there is of it${rest}`,
  ];
  return ended(left, true);
}

const REMOVED = 'to be removed when it is back, as far as they are there:';
const follows = (name: string) =>
  `the role, slot and subscription ${replicationName(name)} and the publication ${PUBLICATION}`;

/** @returns what came of it; undefined where the server is away. Whatever else it fails of is thrown. */
export async function unlessAway<T>(server: TenantCluster, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await server.whileUp(work);
  } catch (error) {
    if (error instanceof FencedOff || !(error instanceof ServerAway || server.isAway)) throw error;
    return undefined;
  }
}

const ENDS: Partial<Record<MoveState, MoveState>> = {
  [MoveState.FINISHING]: MoveState.FINISHED,
  [MoveState.UNDOING]: MoveState.UNDONE,
  [MoveState.CANCELLING]: MoveState.CANCELLED,
};

/** @param leftBehind a line a server. @param awaitsRelease of the one that the tenant is on, whose line is the first: giveBack does that. */
const ended =
  (leftBehind: string[], awaitsRelease = false): Recorder =>
  (_em, move) => {
    Object.assign(move, { state: ENDS[move.state]!, finishedAt: nowDate(), readOnlySince: null, awaitsRelease });
    if (leftBehind.length > 0) move.leftBehind = leftBehind;
  };

export const removeSteps: Record<string, Step> = {
  remove_source: (context) => remove(context, context.target, context.source),
  remove_target: (context) => remove(context, context.source, context.target),
};
