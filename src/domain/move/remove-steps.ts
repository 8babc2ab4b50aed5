/** The last step of a move, whichever way it ends: nothing is left of it on either server, and one of both databases goes. */
import pg from 'pg';
import { nowDate } from '../../clock.ts';
import { belongToNoMore, endSessions } from '../../db/end-sessions.ts';
import { replicationName, unpublish, unsubscribe } from '../../db/replication.ts';
import type { TenantCluster } from '../../db/tenant-cluster.ts';
import { arrivingName } from '../../db/tenant-names.ts';
import { TenantDatabase } from '../../entities/control/tenant-database.ts';
import { MoveState } from '../../entities/control/tenant-move.ts';
import { administer, alone, type Step, type StepContext } from './step.ts';

const quote = pg.escapeIdentifier;

async function remove(context: StepContext, kept: TenantCluster, gone: TenantCluster): Promise<void> {
  const { services, sessions, orgId, name } = context;
  const { serverId } = await services.control.orm.em.fork().findOneOrFail(TenantDatabase, { orgId });
  if (serverId !== kept.id) throw new Error(`the database ${name} on ${gone.name} is the one in use`);
  // The one in use first: it goes on without the other, which may be out of reach.
  const present = await sessions.in(kept, name);
  await unsubscribe(present, name);
  await unpublish(present, name);
  await present.query(
    `comment on database ${quote(name)} is null; alter database ${quote(name)} reset default_transaction_read_only`,
  );
  await belongToNoMore(present, name);
  const admin = await administer(context, gone);
  if (await isThere(admin, name)) {
    const former = await sessions.in(gone, name);
    await unsubscribe(former, name);
    await unpublish(former, name);
    await sessions.close(name);
  }
  await alone(context, gone, async (client) => {
    await endSessions(client, 'datname = $1', [name]);
    for (const database of [name, arrivingName(name)]) {
      await client.query(`drop database if exists ${quote(database)} with (force)`);
    }
    await client.query(`drop role if exists ${quote(replicationName(name))}; drop role if exists ${quote(name)}`);
  });
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

const end: Awaited<ReturnType<Step>> = (_em, move) => {
  Object.assign(move, { state: ENDS[move.state]!, finishedAt: nowDate() });
};

export const removeSteps: Record<string, Step> = {
  remove_source: async (context) => {
    await remove(context, context.target, context.source);
    return end;
  },
  remove_target: async (context) => {
    await remove(context, context.source, context.target);
    return end;
  },
};
