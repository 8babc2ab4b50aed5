/**
 * One PostgreSQL server that tenants' databases are on: making and removing them and their login roles. Every operation may be
 * repeated after a crash at any point, and two that race end in the same state.
 */
import pLimit from 'p-limit';
import pg from 'pg';
import type { Logger } from 'pino';
import { HOME_SERVER_ID, ServerState } from '../entities/control/database-server.ts';
import { databaseError } from '../errors.ts';
import { type ControlDatabase, databaseUrlOf } from './control.ts';
import { refuseWithoutRoom } from './disk-space.ts';
import { dropDatabase } from './drop-database.ts';
import { makeLean } from './lean-template.ts';
import { LOCKS } from './locks.ts';
import { TENANT_SCHEMA_VERSION } from './migrations/tenant/index.ts';
import { OwnerPools } from './owner-pools.ts';
import { breakOff } from './pools.ts';
import type { Pooler, ServerAddress } from './server-address.ts';
import { ServerAway, type ServerLiveness, type ServerStanding } from './server-liveness.ts';
import { roomForTenants } from './server-upkeep.ts';
import { groupName, templateName, tenantName } from './tenant-names.ts';
import { CONNECTION_LIMIT, roleStatements, settleRoles } from './tenant-roles.ts';
import { type MigrateOptions, migrateTenantDatabase } from './tenant-schema.ts';

const quote = pg.escapeIdentifier;

/** PostgreSQL's answers to "it is there already", also when two make it at the same moment. */
const THERE_ALREADY = new Set(['42P04', '42710', '23505']);
/** Each has a connection to administer the server as long as it lasts, of which usage, provisioning and the doctor need some too. */
const UPGRADES_AT_ONCE = 4;
const UP: ServerStanding = { up: true };
const NEVER = new AbortController().signal;
const isThereAlready = (error: unknown) => THERE_ALREADY.has(databaseError(error)?.code ?? '');

async function unlessThere(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!isThereAlready(error)) throw error;
  });
}

export interface TenantClusterOptions extends ServerAddress {
  /** Absent for the home server, without which nothing goes. */
  liveness?: ServerLiveness;
  /** To the database of the URL. Session locks on what is made and dropped here are held there. */
  pool: pg.Pool;
  control: Pick<ControlDatabase, 'pool'>;
  /** Eight hex digits that stand in each name, so that installations can share a server. */
  code: string;
  log: Logger;
}

export class TenantCluster implements ServerAddress {
  readonly id: string;
  /** What super admins call it. */
  name: string;
  /** Connections that one process may have to tenants' databases here, by what the server allows; absent until it was asked. */
  roomForTenants?: number;
  /** Whether it takes new tenants. */
  state = ServerState.OPEN;
  readonly url: string;
  readonly pool: pg.Pool;
  /** Replaced by another object when it is another one. */
  pooler?: Pooler;
  readonly liveness?: ServerLiveness;
  readonly code: string;
  /** Runs an upgrade of a tenant here when few enough of this process are under way. */
  readonly limitUpgrades: ReturnType<typeof pLimit>;
  readonly #control: Pick<ControlDatabase, 'pool'>;
  readonly #log: Logger;
  readonly #owners: OwnerPools;
  #prepared?: Promise<void>;

  constructor({ id, name, url, pool, liveness, control, code, log }: TenantClusterOptions) {
    this.id = id;
    this.name = name;
    this.url = url;
    this.pool = pool;
    this.liveness = liveness;
    this.code = code;
    this.limitUpgrades = pLimit(this.isHome ? Number.POSITIVE_INFINITY : UPGRADES_AT_ONCE);
    this.#control = control;
    this.#log = log;
    this.#owners = new OwnerPools((database) => this.urlOf(database), log);
    liveness?.onChange(() => {
      // Whoever comes back at its address may have nothing of it.
      this.#prepared = undefined;
      this.#giveUp();
    });
  }

  /** Whether it is the control plane's own. */
  get isHome(): boolean {
    return this.id === HOME_SERVER_ID;
  }

  get isAway(): boolean {
    return this.liveness?.standing.up === false;
  }

  /** How it stands for its tenants: as the pooler in front of it does, as long as it is up itself. */
  get standing(): ServerStanding {
    const own = this.liveness?.standing ?? UP;
    const pooler = this.pooler?.liveness.standing;
    if (!own.up || !pooler || pooler.up) return own;
    return { ...pooler, error: `the pooler in front of it: ${pooler.error}` };
  }

  /** Whoever waits for an answer of a server that is away is told so instead. */
  #giveUp(): void {
    if (!this.isAway) return;
    breakOff(this.pool);
    this.#owners.breakOff();
  }

  /** For what goes to the server itself. @throws {ServerAway} */
  refuseWhileAway(): void {
    if (this.isAway) throw new ServerAway(this.name);
  }

  /**
   * Work over connections of its own: where the server goes away, it is not waited for.
   *
   * @param work is given a signal of that, to let go of what it has open. @throws {ServerAway}
   */
  whileUp<T>(work: (away: AbortSignal) => Promise<T>): Promise<T> {
    return this.liveness?.whileUp(this.name, work) ?? work(NEVER);
  }

  /** For tenants' ordinary work, which a pooler may be in the way of. @throws {ServerAway} */
  refuseTenantsWhileAway(): void {
    if (!this.standing.up) throw new ServerAway(this.name);
  }

  /** Something has failed that may mean that it, or its pooler, is away. */
  suspect(): void {
    this.liveness?.suspect();
    this.pooler?.liveness.suspect();
  }

  /** Of one of its databases, as the role of its URL. */
  urlOf(database: string): string {
    return databaseUrlOf(this.url, database);
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
    return this.pool.query(text);
  }

  /** Keeps tenants' roles out of the control database, which anyone may connect to by PostgreSQL's default. */
  async closeControl(): Promise<void> {
    const { rows } = await this.#sql('select current_database() as name');
    await this.#sql(`revoke connect, temporary on database ${quote(rows[0].name)} from public`);
  }

  /** Makes the database that tenants' are copied from, unless it is there. Called under the set-up lock. */
  async ensureTemplate(): Promise<void> {
    const { rows } = await this.pool.query<{ datname: string; datallowconn: boolean }>(
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
    await this.whileUp(() => makeLean(this.urlOf(this.#template)));
    // A template that can be connected to fails every copy while somebody is connected.
    await this.#sql(`alter database ${quote(this.#template)} allow_connections false`);
    this.#log.debug({ template: this.#template }, 'tenant template made');
  }

  /**
   * Makes what tenants' databases need on a server that is not the home server, unless it is there. Of processes that do so at once
   * one does it and the others wait.
   */
  prepare(): Promise<void> {
    this.#prepared ??= this.#prepare().catch((error: unknown) => {
      this.#prepared = undefined;
      throw error;
    });
    return this.#prepared;
  }

  async #prepare(): Promise<void> {
    if (!this.isHome) await this.alone(this.#template, () => this.ensureTemplate());
    // For the day when a pooler is put in front.
    await settleRoles(this.pool, this.code);
    this.roomForTenants = await roomForTenants(this.pool, this.isHome ? 40 : 12);
  }

  /** Creates the tenant's login role, or gives the existing one this password. @throws when nobody wants it any more. */
  async createRole(name: string, password: string): Promise<void> {
    await this.prepare();
    const { create, alter } = await roleStatements(this.code, name, password);
    return this.alone(name, async (client) => {
      await this.refuseUnwanted(client, name);
      await client.query(create).catch(async (error: unknown) => {
        if (!isThereAlready(error)) throw error;
        await client.query(alter);
      });
    });
  }

  /**
   * Copies the template to a database that the role of the same name alone may connect to.
   *
   * @throws when nobody wants it any more.
   */
  createDatabase(name: string): Promise<void> {
    return this.alone(name, async (client) => {
      await this.refuseUnwanted(client, name);
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
   * A worker that was cut off may come back when its tenant has been called off, and nobody would remove what it makes; or when
   * another worker has made the tenant, which is its users' by then.
   *
   * @param client of `alone`.
   */
  async refuseUnwanted(client: pg.ClientBase, name: string): Promise<void> {
    const { rowCount } = await (this.isHome ? client : this.#control.pool).query(
      `select from tenant_databases d join provisioning_runs run on run.org_id = d.org_id
        where d.database_name = $1 and d.server_id = $2 and run.state not in ('cancelling', 'succeeded')`,
      [name, this.id],
    );
    if (!rowCount) throw new Error(`the tenant of ${name} has been called off, or made by another worker`);
  }

  /**
   * Makes, migrates and drops one database one after the other. The lock is the session's, on this very server: where a worker
   * dies, the server goes on with its CREATE DATABASE, and a DROP that did not wait for its end would find nothing to drop.
   *
   * @param work is given that session.
   */
  async alone<T>(name: string, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    this.refuseWhileAway();
    const client = await this.pool.connect();
    let failed = true;
    try {
      await client.query('select pg_advisory_lock($1, hashtext($2))', [LOCKS.tenantDatabase, name]);
      const result = await work(client);
      await client.query('select pg_advisory_unlock($1, hashtext($2))', [LOCKS.tenantDatabase, name]);
      failed = false;
      return result;
    } finally {
      // Closing the connection gives the lock back as well.
      client.release(failed);
    }
  }

  /** Applies the tenant migrations that the database lacks. @returns the schema version it then has. */
  async migrate(database: string, options: Omit<MigrateOptions, 'group'> = {}): Promise<number> {
    return this.whileUp(() => migrateTenantDatabase(this.urlOf(database), { ...options, group: this.#group }));
  }

  /** Runs SQL in a tenant's database as the owner of its tables, for what its own role may not do. */
  async asOwner<T>(database: string, body: (client: pg.ClientBase) => Promise<T>): Promise<T> {
    this.refuseWhileAway();
    return this.#owners.use(database, body);
  }

  /** Ends the connections that are open to it; the control database's pool is not its own. */
  async close(): Promise<void> {
    this.#owners.close();
    await Promise.all([this.liveness?.stop(), this.pooler?.liveness.stop()]);
    if (!this.isHome) await this.pool.end();
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
    // A fresh copy of the template has them all, and a connection is open to it.
    return applied === TENANT_SCHEMA_VERSION && granted ? applied : this.migrate(database);
  }

  /**
   * Removes the tenant's database and role; nothing there is fine.
   *
   * @param unless throws where they are to stay: asked when nobody else can change anything about them any more.
   */
  drop(name: string, unless: () => Promise<void>): Promise<void> {
    this.#owners.forget(name);
    return this.alone(name, async (client) => {
      await unless();
      await dropDatabase(client, name, name);
      await client.query(`drop role if exists ${quote(name)}`);
    });
  }
}
