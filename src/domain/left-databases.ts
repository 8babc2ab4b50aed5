/**
 * What a server has of a tenant that is removed. Where the server does not answer, that is noted in the transaction which removes the
 * tenant, and dropped when it is back.
 */
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Services } from '../context.ts';
import { query, rowsWithin } from '../db/control.ts';
import { replicationName } from '../db/replication.ts';
import { ServerAway } from '../db/server-liveness.ts';
import type { TenantCluster } from '../db/tenant-cluster.ts';
import { arrivingName, draftName, formerName } from '../db/tenant-names.ts';
import type { Organization } from '../entities/control/organization.ts';
import { audit, bySystem } from './audit.ts';
import { FencedOff } from './durable-run.ts';
import { detach } from './move/remove-steps.ts';
import { MoveSessions } from './move/sessions.ts';
import { isItself } from './move/standing.ts';

/** How often what was left is looked for. Milliseconds. */
export const DROP_LEFT_MS = 5000;

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
export async function dropDatabases(
  dropper: Dropper,
  orgId: string,
  fence: () => Promise<void>,
): Promise<TenantCluster[]> {
  const left: TenantCluster[] = [];
  for (const server of await serversOf(dropper, orgId)) {
    if (!(await dropOn(dropper, server, orgId, fence))) left.push(server);
  }
  return left;
}

/** @returns false where the server is away, or another one answers at its address. Whatever else it fails of is thrown. */
async function dropOn(
  { control }: Dropper,
  server: TenantCluster,
  orgId: string,
  fence: () => Promise<void>,
): Promise<boolean> {
  const name = server.nameFor(orgId);
  try {
    return await server.whileUp(async () => {
      await fence();
      if (!(await isItself(control.orm.em, server.pool, server.id))) return false;
      const { rows } = await server.pool.query<{ name: string }>(
        'select datname as name from pg_database where datname = any($1) union select rolname from pg_roles where rolname = any($1)',
        [namesOf(name)],
      );
      const there = new Set(rows.map((row) => row.name));
      await detachFromMove(server, orgId, name);
      // One whose making is under way is not seen yet, and waited for.
      for (const one of namesOf(name)) if (one === name || there.has(one)) await server.drop(one, fence);
      return true;
    });
  } catch (error) {
    if (error instanceof FencedOff || !(error instanceof ServerAway || server.isAway)) throw error;
    return false;
  }
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
export async function noteLeft(em: EntityManager, { id, slug }: Organization, servers: readonly TenantCluster[]) {
  for (const server of servers) await rowsWithin(em, note, [server.id, server.nameFor(id), id, slug]);
  if (servers.length === 0) return undefined;
  const lines = servers.map(
    (server) => `${server.name}: the database and role ${server.nameFor(id)}, dropped when it is back`,
  );
  return { leftBehind: lines };
}

interface Left {
  serverId: string;
  name: string;
  orgId: string;
  slug: string;
}

const allLeft = query<Left>(
  'left_databases',
  'select server_id as "serverId", name, org_id as "orgId", slug from left_databases order by left_at',
);
const forget = query<{ name: string }>(
  'forget_left_database',
  'delete from left_databases where server_id = $1 and name = $2 returning name',
);
const isThere = query<object>('is_organization_there', 'select from organizations where id = $1');

/** A backup has brought the tenant back: what the server has may be newer than that, and is for somebody to look into. */
class CameBack extends Error {}

/** Drops what servers that are back have of tenants that were removed without them. */
export async function dropLeft(services: Pick<Services, 'control' | 'log' | 'servers'>): Promise<void> {
  const { control, log, servers } = services;
  const { rows } = await control.pool.query<Left>({ ...allLeft });
  for (const { serverId, name, orgId, slug } of rows) {
    const server = await servers.byId(serverId);
    const refuseCameBack = async () => {
      if ((await control.pool.query({ ...isThere, values: [orgId] })).rowCount) throw new CameBack();
    };
    try {
      const isBack = await dropOn(services, server, orgId, refuseCameBack).catch((error: unknown) => {
        if (error instanceof CameBack) return undefined;
        throw error;
      });
      if (isBack === false) continue;
      await control.orm.em.fork().transactional(async (em) => {
        if ((await rowsWithin(em, forget, [serverId, name])).length === 0 || !isBack) return;
        const target = { type: 'tenant', id: orgId };
        const before = { slug, server: server.name, database: name };
        audit(em, bySystem, { action: 'tenant.drop_left', orgId, target, before });
      });
      const told = { orgId, slug, server: server.name, database: name };
      if (isBack) log.info(told, 'what a server that was away had of a removed tenant is dropped');
      else
        log.warn(
          told,
          'a removed tenant was restored since: what its former server has stays, npm run doctor names it',
        );
    } catch (err) {
      log.warn({ orgId, server: server.name, err }, 'what a removed tenant left is not dropped yet; it is tried again');
    }
  }
}
