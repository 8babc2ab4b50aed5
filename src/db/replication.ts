/**
 * Logical replication of one tenant's database, in statements that may each be repeated. The names of what is made are those
 * of the database with an ending, so that whatever is left of it can be found, and can be dropped alone.
 */
import pg from 'pg';
import { databaseUrlOf } from './control.ts';
import { endSessions } from './end-sessions.ts';
import { scramVerifier } from './scram.ts';
import { groupName } from './tenant-names.ts';

const quote = pg.escapeIdentifier;
const literal = pg.escapeLiteral;

export const PUBLICATION = 'omnistream_move';
/** Names of the slot, of the subscription and of the role that reads the changes, on either server. */
export const replicationName = (database: string): string => `${database}_move`;
const THERE_ALREADY = '42710';

/** What a server has to be for a database to be copied from it and to it. */
export interface Readiness {
  /** As `server_version_num`. */
  version: number;
  walLevel: string;
  mayReplicate: boolean;
  maySubscribe: boolean;
  freeSlots: number;
  /** What tells it from every other server. */
  system: string;
}

export async function readinessOf(client: pg.ClientBase): Promise<Readiness> {
  const { rows } = await client.query<Readiness>(
    `select current_setting('server_version_num')::int as version, current_setting('wal_level') as "walLevel",
            rolsuper or rolreplication as "mayReplicate",
            rolsuper or exists (select from pg_roles s where s.rolname = 'pg_create_subscription'
                                  and pg_has_role(current_user, s.oid, 'usage')) as "maySubscribe",
            (select system_identifier::text from pg_control_system()) as system,
            current_setting('max_replication_slots')::int - (select count(*)::int from pg_replication_slots) as "freeSlots"
       from pg_roles where rolname = current_user`,
  );
  return rows[0]!;
}

/** Where one server finds the changes of another. */
export interface Publisher {
  /** The server's URL, as the gateway reaches it. */
  url: string;
  database: string;
  /** Of the role that may read the changes. */
  password: string;
}

/**
 * Lets a role of its own read the database and its changes, and keeps those from now on.
 *
 * @param client in that database, outside of a transaction.
 * @param tables that are published.
 */
export async function publish(
  client: pg.ClientBase,
  { database, password, code, tables }: { database: string; password: string; code: string; tables: string[] },
): Promise<void> {
  const name = replicationName(database);
  const role = quote(name);
  const login = `login replication connection limit 20 password ${literal(await scramVerifier(password))}`;
  await client.query(`create role ${role} ${login}`).catch((error: { code?: string }) => {
    if (error.code !== THERE_ALREADY) throw error;
    return client.query(`alter role ${role} ${login}`);
  });
  await client.query(
    `grant ${quote(groupName(code))} to ${role}; grant connect on database ${quote(database)} to ${role}`,
  );
  if (!(await exists(client, 'pg_publication where pubname = $1', PUBLICATION))) {
    await client.query(`create publication ${PUBLICATION} for table ${tables.map(quote).join(', ')}`);
  }
  // Waits for all transactions that are under way on the server.
  if (!(await exists(client, 'pg_replication_slots where slot_name = $1', name))) {
    await client.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [name]);
  }
}

/**
 * Lets a database follow another one of the same name.
 *
 * @param client in the database that follows, outside of a transaction.
 * @param copy whether it takes over what the other one holds first.
 */
export async function subscribe(client: pg.ClientBase, from: Publisher, copy: boolean): Promise<void> {
  const name = replicationName(from.database);
  if (await subscriptionIn(client, from.database)) return;
  // The slot has been made before. What the other has from here is not sent back.
  await client.query(
    `create subscription ${quote(name)} connection ${literal(connectionOf(from))} publication ${PUBLICATION}
       with (create_slot = false, slot_name = ${quote(name)}, copy_data = ${copy}, origin = none,
             synchronous_commit = 'local')`,
  );
}

/** In the form of libpq, which does not know all that the driver's URLs may hold. */
function connectionOf({ url, database, password }: Publisher): string {
  const { hostname, port, searchParams } = new URL(databaseUrlOf(url, database));
  const parts: Record<string, string> = {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port || '5432',
    dbname: database,
    user: replicationName(database),
    password,
    connect_timeout: '10',
  };
  for (const key of ['sslmode', 'sslrootcert']) {
    const value = searchParams.get(key);
    // Which libpq calls `require`: it checks no certificate.
    if (value) parts[key] = value === 'no-verify' ? 'require' : value;
  }
  return Object.entries(parts)
    .map(([key, value]) => `${key}='${value.replaceAll(/[\\']/g, '\\$&')}'`)
    .join(' ');
}

async function exists(client: pg.ClientBase, what: string, value: string): Promise<boolean> {
  return (await client.query(`select from ${what}`, [value])).rowCount === 1;
}

const subscriptionIn = (client: pg.ClientBase, database: string) =>
  exists(
    client,
    'pg_subscription where subdbid = (select oid from pg_database where datname = current_database()) and subname = $1',
    replicationName(database),
  );

/** How far a database that follows has come. */
export interface CopyState {
  tables: number;
  copied: number;
  /** Of the tables that are being copied: bytes that have arrived. */
  bytesUnderWay: number;
  /** Names of those that are copied. */
  done: string[];
  /** How often something could not be written. */
  errors: number;
}

export async function copyState(client: pg.ClientBase, database: string): Promise<CopyState> {
  const { rows } = await client.query<CopyState>(
    `select count(*)::int as tables, (count(*) filter (where srsubstate in ('r', 's')))::int as copied,
            coalesce(array_agg(srrelid::regclass::text) filter (where srsubstate in ('r', 's')), '{}') as done,
            (select coalesce(sum(bytes_processed), 0)::float8 from pg_stat_progress_copy
              where datname = current_database()) as "bytesUnderWay",
            coalesce((select apply_error_count + sync_error_count from pg_stat_subscription_stats
                       where subname = $1), 0)::int as errors
       from pg_subscription_rel join pg_subscription s on s.oid = srsubid
      where subname = $1 and subdbid = (select oid from pg_database where datname = current_database())`,
    [replicationName(database)],
  );
  return rows[0]!;
}

/** Marks a place in the changes of a database. @param client in it. */
export async function markPlace(client: pg.ClientBase): Promise<string> {
  const { rows } = await client.query<{ place: string }>(
    `select pg_logical_emit_message(true, 'omnistream', '')::text as place`,
  );
  return rows[0]!.place;
}

/** Whether the one that follows has everything up to a place, and how many bytes of the server's log it has not confirmed. */
export async function lagOf(client: pg.ClientBase, database: string, place: string) {
  const { rows } = await client.query<{ reached: boolean; lagBytes: number; lost: boolean }>(
    `select confirmed_flush_lsn > $2::pg_lsn as reached, wal_status = 'lost' as lost,
            pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::float8 as "lagBytes"
       from pg_replication_slots where slot_name = $1`,
    [replicationName(database), place],
  );
  return rows[0];
}

/** Stops the database from following. What it followed may be out of reach. @param client in that database. */
export async function unsubscribe(client: pg.ClientBase, database: string): Promise<void> {
  if (!(await subscriptionIn(client, database))) return;
  const name = quote(replicationName(database));
  // Without its slot, which is dropped where it is.
  for (const change of [`alter subscription ${name} disable`, `alter subscription ${name} set (slot_name = none)`]) {
    await client.query(change);
  }
  await client.query(`drop subscription ${name}`);
}

/** Those of a move, and of the copies of single tables within one, which PostgreSQL names; an operator may have others. */
const SLOTS = `pg_replication_slots where database = $1 and (slot_name = $2 or slot_name ~ '^pg_[0-9]+_sync_[0-9]+_[0-9]+$')`;

/**
 * Keeps no changes of a database for a move any more: an abandoned slot fills the server's disk.
 *
 * @param client in any database of the server.
 */
export async function dropSlots(client: pg.ClientBase, database: string): Promise<void> {
  const values = [database, replicationName(database)];
  for (;;) {
    const { rowCount } = await client.query(
      `select case when not active then pg_drop_replication_slot(slot_name) end from ${SLOTS}`,
      values,
    );
    if (!rowCount) return;
    await endSessions(client, `pid in (select active_pid from ${SLOTS} and active_pid is not null)`, values);
  }
}

/** Removes what `publish` made. @param client in that database. */
export async function unpublish(client: pg.ClientBase, database: string): Promise<void> {
  await dropSlots(client, database);
  await client.query(`drop publication if exists ${PUBLICATION}`);
  const role = replicationName(database);
  if (await exists(client, 'pg_roles where rolname = $1', role)) {
    await client.query(`revoke connect on database ${quote(database)} from ${quote(role)}; drop role ${quote(role)}`);
  }
}
