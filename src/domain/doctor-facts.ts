/** What the control database and the server's catalogs say, read at one instant and without changing anything. */
import type pg from 'pg';
import { SERVER_OF_TENANT } from '../db/database-servers.ts';
import { LIVING_WORKERS } from '../db/locks.ts';
import { groupName, tenantName } from '../db/tenant-names.ts';
import { HOME_SERVER_ID } from '../entities/control/database-server.ts';
import type { OffboardingKind } from '../entities/control/offboarding.ts';
import type { TenantStatus } from '../entities/control/organization.ts';
import type { ProvisioningState } from '../entities/control/provisioning-run.ts';
import { MOVES, type MoveFacts, namesOfMoves, SLOTS, type SlotFacts } from './doctor-moves.ts';

export interface DatabaseFacts {
  name: string;
  /** What a `DROP DATABASE` that was cut short leaves. */
  broken: boolean;
  allowsConnections: boolean;
  /** Whether it has a subscription, with which it cannot be dropped. */
  follows: boolean;
  /** Whether it takes no writes. */
  isReadOnly: boolean;
  /** Who may connect besides its owner; `PUBLIC` is everyone. */
  letsIn: string[];
  comment: string | null;
}

export interface RoleFacts {
  name: string;
  maySignIn: boolean;
  /** Whether it may do more to the server than connect. */
  powerful: boolean;
  memberOf: string[];
}

export interface TenantFacts {
  id: string;
  slug: string;
  status: TenantStatus;
  /** Without a database, as an archive. */
  isArchived: boolean;
  /** What is under way with it as a whole: its database is coming or going. */
  offboarding: OffboardingKind | null;
  /** How its latest attempt failed, and whether it was given up. */
  offboardingError: string | null;
  hasArchive: boolean;
  schemaVersion: number;
  tokenVersion: number;
  /** The home server before its names are reserved. */
  serverId: string;
  /** Absent before its names are reserved. */
  databaseName: string | null;
  roleName: string | null;
  sealedPassword: string | null;
  state: ProvisioningState | null;
  attempt: number | null;
  /** The first step that failed, and why. */
  failedStep: string | null;
  error: string | null;
  /** Whether the queue will come to it. */
  hasJob: boolean;
}

/** What concerns one server, or what the home server says of all. */
export interface Facts {
  code: string;
  /** The control database, where it is on this server. */
  control?: string;
  databases: DatabaseFacts[];
  /** This installation's own. */
  roles: RoleFacts[];
  tenants: TenantFacts[];
  /** Names of the databases and roles that tenants have, or may have by now, on this server. */
  expected: Set<string>;
  /** What keeps changes for moves. */
  slots: SlotFacts[];
  /** Moves that have not come to their end, on whatever servers. */
  moves: MoveFacts[];
  /** Gateway processes that work off the queue. */
  workers: number;
}

const DATABASES = `
  select d.datname as name, d.datconnlimit = -2 as broken, d.datallowconn as "allowsConnections",
         shobj_description(d.oid, 'pg_database') as comment,
         exists (select from pg_subscription where subdbid = d.oid) as follows,
         exists (select from pg_db_role_setting where setdatabase = d.oid and setrole = 0
                    and 'default_transaction_read_only=on' = any(setconfig)) as "isReadOnly",
         coalesce(json_agg(case acl.grantee when 0 then 'PUBLIC' else r.rolname end)
           filter (where acl.privilege_type = 'CONNECT' and acl.grantee <> d.datdba), '[]') as "letsIn"
    from pg_database d
    left join lateral aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) acl on true
    left join pg_roles r on r.oid = acl.grantee
   group by d.oid, d.datname, d.datconnlimit, d.datallowconn order by d.datname`;

const ROLES = `
  select r.rolname as name, r.rolcanlogin as "maySignIn",
         r.rolsuper or r.rolcreatedb or r.rolcreaterole or r.rolreplication or r.rolbypassrls as powerful,
         (select coalesce(json_agg(g.rolname), '[]') from pg_auth_members m join pg_roles g on g.oid = m.roleid
           where m.member = r.oid) as "memberOf"
    from pg_roles r where r.rolname = $1 or starts_with(r.rolname, $1 || '_') order by r.rolname`;

const TENANTS = `
  select o.id, o.slug, o.status, o.archived_at is not null as "isArchived",
         case when off.state not in ('succeeded', 'failed') then off.kind end as offboarding, off.error as "offboardingError",
         exists (select from tenant_archives a where a.org_id = o.id) as "hasArchive", o.schema_version as "schemaVersion",
         o.token_version as "tokenVersion",
         coalesce(${SERVER_OF_TENANT}, '${HOME_SERVER_ID}') as "serverId", d.database_name as "databaseName",
         d.role_name as "roleName", d.sealed_password as "sealedPassword", run.state, run.attempt,
         failed.name as "failedStep", failed.error,
         exists (select from pgboss.job where name = 'tenant.provision' and singleton_key = o.id::text
                   and state < 'completed') as "hasJob"
    from organizations o
    left join tenant_databases d on d.org_id = o.id
    left join provisioning_runs run on run.org_id = o.id
    left join offboarding_runs off on off.org_id = o.id
    left join lateral (select name, error from provisioning_steps
                        where org_id = o.id and error is not null order by position limit 1) failed on true
   order by o.id`;

/** @throws when the database is no control database. */
export async function readFacts(client: pg.ClientBase): Promise<Facts> {
  const rows = async <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) =>
    (await client.query<Row>(text, values)).rows;
  // One snapshot for all: a tenant that is made meanwhile is either wholly in it or not at all.
  await client.query('begin isolation level repeatable read read only');
  const [installation] = await rows<{ code: string; control: string }>(
    'select code, current_database() as control from installation',
  );
  const { code, control } = installation!;
  const tenants = await rows<TenantFacts>(TENANTS);
  const facts = {
    code,
    control,
    ...(await readCatalogs(client, code)),
    tenants,
    moves: await rows<MoveFacts>(MOVES),
    expected: new Set(tenants.map(({ id }) => tenantName(code, id))),
    workers: (await rows<{ workers: number }>(`select ${LIVING_WORKERS} as workers`))[0]!.workers,
  };
  await client.query('commit');
  return facts;
}

/** What a server says of databases and roles. */
async function readCatalogs(
  client: pg.ClientBase,
  code: string,
): Promise<Pick<Facts, 'databases' | 'roles' | 'slots'>> {
  const databases = (await client.query<DatabaseFacts>(DATABASES)).rows;
  const { rows: slots } = await client.query<SlotFacts>(SLOTS, [groupName(code)]);
  return { databases, roles: (await client.query<RoleFacts>(ROLES, [groupName(code)])).rows, slots };
}

const isOn = (serverId: string) => (tenant: TenantFacts) => tenant.serverId === serverId;

/** What of the facts concerns the home server. */
export function factsOfHome(facts: Facts): Facts {
  const tenants = facts.tenants.filter(isOn(HOME_SERVER_ID));
  const names = tenants.map(({ id }) => tenantName(facts.code, id));
  return { ...facts, tenants, expected: new Set([...names, ...namesOfMoves(facts, HOME_SERVER_ID)]) };
}

/** The same of another server. @param client in its maintenance database. */
export async function factsOfServer(client: pg.ClientBase, control: pg.ClientBase, facts: Facts, serverId: string) {
  const catalogs = await readCatalogs(client, facts.code);
  // A tenant that was made since the facts were read is nobody's orphan.
  const { rows } = await control.query<{ name: string }>(
    'select database_name as name from tenant_databases where server_id = $1',
    [serverId],
  );
  const expected = new Set([...rows.map(({ name }) => name), ...namesOfMoves(facts, serverId)]);
  return { ...facts, ...catalogs, control: undefined, tenants: facts.tenants.filter(isOn(serverId)), expected };
}
