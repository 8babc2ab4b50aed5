/**
 * Making and removing tenants' databases and login roles. Every operation may be repeated after a crash at any point,
 * and two that race end in the same state.
 */
import { ReflectMetadataProvider } from '@mikro-orm/decorators/legacy';
import { Migrator } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';
import { LRUCache } from 'lru-cache';
import pg from 'pg';
import type { Logger } from 'pino';
import { tenantEntities } from '../entities/tenant/index.ts';
import { databaseError } from '../errors.ts';
import { type ControlDatabase, SESSION_OPTIONS } from './control.ts';
import { refuseWithoutRoom } from './disk-space.ts';
import { LOCKS } from './locks.ts';
import { TENANT_SCHEMA_VERSION, tenantMigrations } from './migrations/tenant/index.ts';
import { guardPool } from './pools.ts';
import { scramVerifier } from './scram.ts';
import { groupName, templateName, tenantName } from './tenant-names.ts';

const quote = pg.escapeIdentifier;

/** PostgreSQL's answers to "it is there already", also when two make it at the same moment. */
const THERE_ALREADY = new Set(['42P04', '42710', '23505']);
const INSUFFICIENT_PRIVILEGE = '42501';
/** At most this many connections to one tenant's database, from all processes. */
export const CONNECTION_LIMIT = 40;

const isThereAlready = (error: unknown) => THERE_ALREADY.has(databaseError(error)?.code ?? '');

async function unlessThere(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!isThereAlready(error)) throw error;
  });
}

/**
 * A worker that was cut off may come back when its tenant has been called off, and nobody would remove what it makes; or when
 * another worker has made the tenant, which is its users' by then.
 */
async function refuseUnwanted(client: pg.ClientBase, name: string): Promise<void> {
  const { rowCount } = await client.query(
    `select from tenant_databases d join provisioning_runs run on run.org_id = d.org_id
      where d.database_name = $1 and run.state not in ('cancelling', 'succeeded')`,
    [name],
  );
  if (!rowCount) throw new Error(`the tenant of ${name} has been called off, or made by another worker`);
}

export class TenantCluster {
  readonly #control: ControlDatabase;
  readonly #log: Logger;
  readonly #owners = new LRUCache<string, pg.Pool>({ max: 16, dispose: (pool) => void pool.end().catch(() => {}) });
  /** Eight hex digits that stand in each name, so that installations can share a server. */
  readonly code: string;

  constructor(control: ControlDatabase, code: string, log: Logger) {
    this.#control = control;
    this.code = code;
    this.#log = log;
  }

  /** Of the tenant's database and of its login role. */
  nameFor(orgId: string): string {
    return tenantName(this.code, orgId);
  }

  get #group(): string {
    return groupName(this.code);
  }

  get #template(): string {
    return templateName(this.code);
  }

  /** Several statements in one text are one transaction: one wait for the disk instead of one each. */
  #sql(text: string): Promise<pg.QueryResult> {
    return this.#control.pool.query(text);
  }

  /** Keeps tenants' roles out of the control database, which anyone may connect to by PostgreSQL's default. */
  async closeControl(): Promise<void> {
    const { rows } = await this.#sql('select current_database() as name');
    await this.#sql(`revoke connect, temporary on database ${quote(rows[0].name)} from public`);
  }

  /** Makes the database that tenants' are copied from, unless it is there. Called under the set-up lock. */
  async ensureTemplate(): Promise<void> {
    const { rows } = await this.#control.pool.query<{ datname: string; datallowconn: boolean }>(
      'select datname, datallowconn from pg_database where datname = $1',
      [this.#template],
    );
    if (rows[0] && !rows[0].datallowconn) return;
    await unlessThere(this.#sql(`create role ${quote(this.#group)} nologin`));
    // One that still allows connections is what a crashed start left behind.
    if (rows[0]) await this.#sql(`drop database ${quote(this.#template)} with (force)`);
    await this.#sql(`create database ${quote(this.#template)} template template0`);
    await this.#sql(`revoke all on database ${quote(this.#template)} from public`);
    await this.migrate(this.#template);
    // A template that can be connected to fails every copy while somebody is connected.
    await this.#sql(`alter database ${quote(this.#template)} allow_connections false`);
    this.#log.debug({ template: this.#template }, 'tenant template made');
  }

  /** Creates the tenant's login role, or gives the existing one this password. @throws when nobody wants it any more. */
  async createRole(name: string, password: string): Promise<void> {
    const { create, alter } = await this.roleStatements(name, password);
    return this.#alone(name, async (client) => {
      await refuseUnwanted(client, name);
      await client.query(create).catch(async (error: unknown) => {
        if (!isThereAlready(error)) throw error;
        await client.query(alter);
      });
    });
  }

  /** What makes a tenant's login role, and what gives one that is there this password. */
  async roleStatements(name: string, password: string): Promise<{ create: string; alter: string }> {
    const role = quote(name);
    const secret = `password ${pg.escapeLiteral(await scramVerifier(password))}`;
    const member = `grant ${quote(this.#group)} to ${role}`;
    return {
      create: `create role ${role} login connection limit ${CONNECTION_LIMIT} ${secret}; ${member}`,
      alter: `alter role ${role} login ${secret}; ${member}`,
    };
  }

  /**
   * Copies the template to a database that the role of the same name alone may connect to.
   *
   * @throws when nobody wants it any more.
   */
  createDatabase(name: string): Promise<void> {
    return this.#alone(name, async (client) => {
      await refuseUnwanted(client, name);
      const { rows } = await client.query<{ broken: boolean }>(
        'select datconnlimit = -2 as broken from pg_database where datname = $1',
        [name],
      );
      // What a DROP that was cut short leaves can only be dropped.
      if (rows[0]?.broken) await client.query(`drop database ${quote(name)}`);
      if (!rows[0] || rows[0].broken) {
        await refuseWithoutRoom(client, this.#template);
        await unlessThere(
          client.query(
            `create database ${quote(name)} template ${quote(this.#template)}
               allow_connections false connection limit ${CONNECTION_LIMIT}`,
          ),
        );
      }
      // Rights on the template are not copied, so the copy is closed before it is opened.
      await client.query(
        `revoke all on database ${quote(name)} from public;
         grant connect on database ${quote(name)} to ${quote(name)};
         alter database ${quote(name)} allow_connections true`,
      );
    });
  }

  /**
   * Makes and drops one database one after the other. The lock is the session's: where a worker dies, the server goes on
   * with its CREATE DATABASE, and a DROP that did not wait for its end would find nothing to drop.
   */
  async #alone(name: string, work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
    const client = await this.#control.pool.connect();
    let failed = true;
    try {
      await client.query('select pg_advisory_lock($1, hashtext($2))', [LOCKS.tenantDatabase, name]);
      await work(client);
      await client.query('select pg_advisory_unlock($1, hashtext($2))', [LOCKS.tenantDatabase, name]);
      failed = false;
    } finally {
      // Closing the connection gives the lock back as well.
      client.release(failed);
    }
  }

  /** Applies the tenant migrations that the database lacks. @returns the schema version it then has. */
  async migrate(database: string): Promise<number> {
    const url = new URL(this.#control.url);
    url.pathname = `/${database}`;
    const orm = await MikroORM.init({
      clientUrl: url.href,
      entities: tenantEntities,
      extensions: [Migrator],
      metadataProvider: ReflectMetadataProvider,
      logger: (message) => this.#log.debug(message),
      ensureDatabase: false,
      pool: { min: 0, max: 1 },
      driverOptions: { connectionString: url.href, options: SESSION_OPTIONS },
      migrations: { migrationsList: tenantMigrations, snapshot: false },
    });
    try {
      await orm.migrator.up();
      const group = quote(this.#group);
      // Also when nothing was applied: a crash may have come between the two.
      await orm.em.getConnection().executeDump(`
        grant usage on schema public to ${group};
        grant select, insert, update, delete on all tables in schema public to ${group};
        revoke insert, update, delete on usage_counters, usage_limits, mikro_orm_migrations, schedule_versions,
          activity_chain, activity_unlinked from ${group};
        revoke update, delete on activity_log from ${group};
        revoke execute on function count_usage(text, text, int), record_schedule(uuid) from public;
        grant execute on function record_schedule(uuid) to ${group};
      `);
      return TENANT_SCHEMA_VERSION;
    } finally {
      await orm.close(true);
    }
  }

  /** Runs SQL in a tenant's database as the owner of its tables, for what its own role may not do. */
  async asOwner<T>(database: string, body: (client: pg.ClientBase) => Promise<T>): Promise<T> {
    const client = await this.#ownerPool(database).connect();
    let failed = true;
    try {
      const result = await body(client);
      failed = false;
      return result;
    } finally {
      // One whose work failed may be in the middle of a transaction.
      client.release(failed);
    }
  }

  /** The first connection to a new database costs the server 30 ms, so the steps of a run share one. */
  #ownerPool(database: string): pg.Pool {
    const open = this.#owners.get(database);
    if (open) return open;
    const url = new URL(this.#control.url);
    url.pathname = `/${database}`;
    const pool = new pg.Pool({
      connectionString: url.href,
      options: SESSION_OPTIONS,
      max: 1,
      idleTimeoutMillis: 1000,
      connectionTimeoutMillis: 15_000,
    });
    guardPool(pool);
    pool.on('error', (error) => this.#log.debug({ error: error.message, database }, 'an idle connection was lost'));
    this.#owners.set(database, pool);
    return pool;
  }

  /** Ends the connections that are open to tenants' databases. */
  close(): void {
    this.#owners.clear();
  }

  /** Applies the migrations that a tenant's database lacks. @returns the schema version that it then has. */
  async bringUpToDate(database: string): Promise<number> {
    const { applied, granted } = await this.asOwner(database, async (client) => {
      const { rows } = await client.query<{ applied: number; granted: boolean }>(
        `select (select count(*)::int from mikro_orm_migrations) as applied,
                (select bool_and(has_table_privilege($1, oid, 'select')) from pg_class
                  where relkind = 'r' and relnamespace = 'public'::regnamespace) as granted`,
        [this.#group],
      );
      return rows[0]!;
    });
    // A fresh copy of the template has them all, and opening an ORM to find that out takes longer than the copy.
    return applied === TENANT_SCHEMA_VERSION && granted ? applied : this.migrate(database);
  }

  /** Removes the tenant's database and role; nothing there is fine. */
  drop(name: string): Promise<void> {
    this.#owners.delete(name);
    return this.#alone(name, async (client) => {
      const remove = () => client.query(`drop database if exists ${quote(name)} with (force)`);
      await remove().catch(async (error: unknown) => {
        if (databaseError(error)?.code !== INSUFFICIENT_PRIVILEGE) throw error;
        // Who is no superuser may end sessions only of roles that it belongs to.
        await client.query(`grant ${quote(name)} to current_user`);
        await remove();
      });
      await client.query(`drop role if exists ${quote(name)}`);
    });
  }
}
