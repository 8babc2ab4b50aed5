/**
 * What a server has of a tenant that is removed. Where the server does not answer, that is noted in the transaction which removes the
 * tenant, and dropped when it is back.
 */
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Services } from '../context.ts';
import { query, rowsWithin } from '../db/control.ts';
import { replicationName } from '../db/replication.ts';
import type { TenantCluster } from '../db/tenant-cluster.ts';
import { arrivingName, draftName, formerName } from '../db/tenant-names.ts';
import type { Organization } from '../entities/control/organization.ts';
import { detach, unlessAway } from './move/remove-steps.ts';
import { MoveSessions } from './move/sessions.ts';
import { isItself } from './move/standing.ts';

type Dropper = Pick<Services, 'control' | 'servers'>;

/** Also of a move or a restore that was cut off. A role goes after the databases that let it in. */
const namesOf = (name: string) => [draftName(name), formerName(name), arrivingName(name), name, replicationName(name)];

const keptByMove = query<{ ids: string[] }>(
  'kept_by_move',
  'select array[source_id, target_id] as ids from tenant_moves where org_id = $1 and left_behind is not null',
);

/** The servers that may have something of a tenant: its own, and those of a move that was ended without one of them. */
async function serversOf({ control, servers }: Dropper, orgId: string): Promise<TenantCluster[]> {
  const own = await servers.find(orgId);
  const { rows } = await control.pool.query<{ ids: string[] }>({ ...keptByMove, values: [orgId] });
  const others = await Promise.all((rows[0]?.ids ?? []).map((id) => servers.byId(id)));
  return [...(own ? [own] : []), ...others.filter(({ id }) => id !== own?.id)];
}

/**
 * Drops all databases and roles of a tenant.
 *
 * @param fence asked when nobody else can change anything about them any more: throws where they are to stay.
 * @returns the servers that did not answer: `noteLeft` takes note of them.
 */
export async function dropDatabases(dropper: Dropper, orgId: string, fence: () => Promise<void>): Promise<NotThere[]> {
  const left: NotThere[] = [];
  for (const server of await serversOf(dropper, orgId)) {
    const outcome = await dropOn(dropper, server, orgId, fence);
    if (outcome !== 'dropped') left.push({ server, reason: outcome });
  }
  return left;
}

/** A server on which nothing could be dropped. */
export interface NotThere {
  server: TenantCluster;
  /** Replaced: another one answers at its address, or it has got another identity, as by pg_upgrade. */
  reason: 'away' | 'replaced';
}

/** Whatever else it fails of is thrown. */
export async function dropOn(
  { control }: Dropper,
  server: TenantCluster,
  orgId: string,
  fence: () => Promise<void>,
): Promise<'dropped' | NotThere['reason']> {
  const name = server.nameFor(orgId);
  const outcome = await unlessAway(server, async () => {
    await fence();
    if (!(await isItself(control.orm.em, server.pool, server.id))) return 'replaced';
    const { rows } = await server.pool.query<{ name: string }>(
      'select datname as name from pg_database where datname = any($1) union select rolname from pg_roles where rolname = any($1)',
      [namesOf(name)],
    );
    const there = new Set(rows.map((row) => row.name));
    await detachFromMove(server, orgId, name);
    // One whose making is under way is not seen yet, and waited for.
    for (const one of namesOf(name)) if (one === name || there.has(one)) await server.drop(one, fence);
    return 'dropped';
  });
  return outcome ?? 'away';
}

/** One that follows another, or is followed, cannot be dropped. */
async function detachFromMove(server: TenantCluster, orgId: string, name: string): Promise<void> {
  const { rowCount } = await server.pool.query(
    `select from pg_database d where datname = $1 and datconnlimit <> -2
        and (exists (select from pg_subscription where subdbid = d.oid)
          or exists (select from pg_replication_slots where database = d.datname))`,
    [name],
  );
  if (!rowCount) return;
  const sessions = new MoveSessions({ orgId, number: 0, check: async () => {} });
  try {
    await detach(await sessions.in(server, name), name);
  } finally {
    await sessions.close();
  }
}

const note = query(
  'note_left_database',
  `insert into left_databases (server_id, name, org_id, slug, left_at) values ($1, $2, $3, $4, date_trunc('milliseconds', now()))
     on conflict do nothing`,
);

/** In the transaction that removes the tenant. @returns what its audit entry says of it: a line a server. */
export async function noteLeft(em: EntityManager, { id, slug }: Organization, left: readonly NotThere[]) {
  for (const { server } of left) await rowsWithin(em, note, [server.id, server.nameFor(id), id, slug]);
  if (left.length === 0) return undefined;
  const lines = left.map(({ server, reason }) => {
    const now = reason === 'replaced' ? ' (another server answers at its address)' : '';
    return `${server.name}: the database and role ${server.nameFor(id)}, dropped when it is back${now}`;
  });
  return { leftBehind: lines };
}
