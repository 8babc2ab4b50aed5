/** On which server a new tenant's database is made. */
import type { EntityManager } from '@mikro-orm/postgresql';
import { query, rowsWithin } from '../db/control.ts';
import type { DatabaseServers } from '../db/database-servers.ts';
import { LOCKS } from '../db/locks.ts';
import type { TenantCluster } from '../db/tenant-cluster.ts';
import { ServerState } from '../entities/control/database-server.ts';
import { INBOUND_MOVE } from '../entities/control/tenant-move.ts';
import { invalid } from '../errors.ts';

/** Thrown where no server takes a tenant; the message says why, for operators. */
export class NoRoom extends Error {}

interface Candidate {
  id: string;
  name: string;
  state: ServerState;
  capacity: number;
  tenants: number;
}

const candidates = query<Candidate>(
  'servers_for_a_tenant',
  `select s.id, s.name, s.state, s.capacity,
          (select count(*)::int from tenant_databases d where d.server_id = s.id)
            + (select count(*)::int from tenant_moves m where m.target_id = s.id and m.${INBOUND_MOVE}) as tenants
     from database_servers s where $1::text is null or s.region = $1 order by s.sealed_url is not null, lower(s.name)`,
);
const wishedRegion = query<{ region: string | null }>(
  'wished_region',
  'select region from organizations where id = $1',
);
const holdPlacement = query<object>('hold_placement', 'select pg_advisory_xact_lock($1, 0)');

/** With so few places left, those who look for one at the same time take turns: none gets more than it has room for. */
const FEW = 64;

const isFree = ({ state, capacity, tenants }: Candidate) => state === ServerState.OPEN && tenants < capacity;
const fullness = ({ capacity, tenants }: Candidate) => tenants / capacity;

/**
 * The open server with the greatest share of its capacity free, in the region where one is wished for.
 *
 * @param em in the transaction that writes it down. @throws {NoRoom}
 */
export async function placeTenant(em: EntityManager, servers: DatabaseServers, orgId: string): Promise<TenantCluster> {
  // Not its entity: whoever locks that one later in the transaction would see it as it is now.
  const [wish] = await rowsWithin(em, wishedRegion, [orgId]);
  const region = wish?.region ?? null;
  const look = () => rowsWithin(em, candidates, [region]);
  let all = await look();
  if (all.some((one) => isFree(one) && one.capacity - one.tenants <= FEW)) {
    await rowsWithin(em, holdPlacement, [LOCKS.placement]);
    all = await look();
  }
  const away: string[] = [];
  for (const { id, name } of all.filter(isFree).sort((a, b) => fullness(a) - fullness(b))) {
    const server = await servers.byId(id);
    if (server.standing.up) return server;
    away.push(name);
  }
  throw new NoRoom(whyNot(all, away, region));
}

const regionKnown = query<object>('region_known', 'select from database_servers where region = $1 limit 1');

/** One in which no server takes tenants now may have room later. @throws {AppError} validation_failed */
export async function refuseUnknownRegion(em: EntityManager, region: string): Promise<void> {
  const [known] = await rowsWithin(em, regionKnown, [region]);
  if (!known) throw invalid('region', 'is not the region of any database server');
}

function whyNot(all: Candidate[], away: string[], region: string | null): string {
  const where = region ? ` in the region ${region}` : '';
  const each = all.map((one) => {
    if (away.includes(one.name)) return `${one.name} is away`;
    if (one.state !== ServerState.OPEN) return `${one.name} is ${one.state}`;
    return `${one.name} is full (${one.tenants} of ${one.capacity} tenants)`;
  });
  const reason = each.length > 0 ? each.join(', ') : 'there is none';
  return `No database server${where} takes a new tenant now: ${reason}. It is tried again; open one, raise a capacity or register another.`;
}
