/** Brings the schema of one tenant's database to a version, all of it or nothing. */
import pg from 'pg';
import { SESSION_OPTIONS } from './control.ts';
import { checksumOf, type MigrationClass, statementsOf } from './migrations/frozen.ts';
import { TENANT_SCHEMA_VERSION, tenantMigrations } from './migrations/tenant/index.ts';
import { rightsOf } from './tenant-rights.ts';

/** Raised by a database that this version of the gateway must not change; its message is written for the operator. */
export class UnknownSchema extends Error {}

/** A statement of a migration failed; its cause is the server's error. */
export class MigrationFailed extends Error {
  readonly migration: string;

  constructor(migration: string, cause: unknown) {
    super(`${migration}: ${(cause as Error).message}`, { cause });
    this.migration = migration;
  }
}

export interface MigrateOptions {
  /** The role that all tenants' roles belong to; without it nobody is granted anything. */
  group?: string;
  /** The version to bring it to: the newest, unless it says otherwise. */
  to?: number;
  /** How long a statement waits for a lock that somebody holds, in milliseconds: others queue up behind it meanwhile. */
  lockTimeoutMs?: number;
}

/** As MikroORM makes it, which kept this list up to version 4. */
const MIGRATIONS_TABLE = `
  create table if not exists mikro_orm_migrations (
    id serial primary key, name varchar(255) not null, executed_at timestamptz(6) not null default current_timestamp(6))`;

interface Applied {
  name: string;
  checksum?: string | null;
}

/**
 * Applies the migrations that the database lacks, and grants what belongs to them, in one transaction: cut off anywhere, the
 * database is as it was, or at the version. Two at once apply nothing twice.
 *
 * @param url of the database, as the owner of its tables.
 * @returns the schema version that it then has.
 * @throws {UnknownSchema} when it has migrations that this version does not know, or that were something else when they were
 * applied. {MigrationFailed} or the server's own error otherwise.
 */
export async function migrateTenantDatabase(url: string, options: MigrateOptions = {}): Promise<number> {
  const client = new pg.Client({
    connectionString: url,
    options: SESSION_OPTIONS,
    connectionTimeoutMillis: 15_000,
    application_name: 'omnistream upgrade',
  });
  client.on('error', () => {});
  await client.connect();
  try {
    // One that hangs between two statements holds locks that requests wait for.
    await client.query("begin; set local idle_in_transaction_session_timeout = '10s'");
    const version = await migrate(client, options);
    await client.query('commit');
    return version;
  } finally {
    // Also rolls back.
    await client.end();
  }
}

async function migrate(client: pg.ClientBase, { group, to, lockTimeoutMs = 0 }: MigrateOptions): Promise<number> {
  await client.query(`set local lock_timeout = ${lockTimeoutMs}`);
  await client.query(MIGRATIONS_TABLE);
  // Whoever comes second reads what the first one has applied.
  await client.query('lock table mikro_orm_migrations in share row exclusive mode');
  const { rows } = await client.query<Applied>('select * from mikro_orm_migrations order by id');
  refuseUnknown(rows);
  const pending = tenantMigrations.slice(rows.length, to);
  for (const one of pending) {
    try {
      for (const statement of statementsOf(one)) await client.query(statement);
    } catch (error) {
      throw new MigrationFailed(one.name, error);
    }
    await client.query('insert into mikro_orm_migrations (name) values ($1)', [one.name]);
  }
  await noteChecksums(client, pending);
  if (group) await client.query(rightsOf(group));
  return rows.length + pending.length;
}

function refuseUnknown(applied: readonly Applied[]): void {
  applied.forEach(({ name, checksum }, place) => {
    const known = tenantMigrations[place];
    if (known?.name !== name) {
      throw new UnknownSchema(
        `The database has the migration ${name} in place ${place + 1}, where this version knows ` +
          `${known ? known.name : `no more than ${TENANT_SCHEMA_VERSION}`}.`,
      );
    }
    if (checksum && checksum !== checksumOf(known)) throw new UnknownSchema(changedSince(name));
  });
}

const changedSince = (name: string) => `The database's migration ${name} was something else when it was applied.`;

/** What is wrong with the list of migrations that a database has, a line each. */
export async function changedMigrations(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<Applied>('select * from mikro_orm_migrations order by id');
  const known = new Map<string, MigrationClass>(tenantMigrations.map((one) => [one.name, one]));
  return rows
    .filter(({ name, checksum }) => checksum && known.has(name) && checksum !== checksumOf(known.get(name)!))
    .map(({ name }) => changedSince(name));
}

/** Where the database can keep them: the first versions could not. */
async function noteChecksums(client: pg.ClientBase, applied: readonly MigrationClass[]): Promise<void> {
  if (applied.length === 0) return;
  const { rows } = await client.query(
    `select from pg_attribute where attrelid = 'mikro_orm_migrations'::regclass and attname = 'checksum'`,
  );
  if (rows.length === 0) return;
  await client.query(
    `update mikro_orm_migrations m set checksum = now_applied.checksum
       from unnest($1::text[], $2::text[]) as now_applied (name, checksum) where m.name = now_applied.name`,
    [applied.map(({ name }) => name), applied.map(checksumOf)],
  );
}
