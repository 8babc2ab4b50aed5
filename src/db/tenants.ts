/** The tenants' own databases: a bounded set of small pools a server, and one ORM that is routed to the tenant at hand. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReflectMetadataProvider } from '@mikro-orm/decorators/legacy';
import { createPostgreSqlTypeParsers, type EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { PostgresDialect, type PostgresPool } from 'kysely';
import { LRUCache } from 'lru-cache';
import pg from 'pg';
import { parse as parseUrl } from 'pg-connection-string';
import type { Logger } from 'pino';
import { nowDate } from '../clock.ts';
import { tenantEntities } from '../entities/tenant/index.ts';
import { AppError, databaseError, isCutOff, isUnanswered, isUnavailable } from '../errors.ts';
import { type ControlDatabase, type Query, query } from './control.ts';
import type { DatabaseServers } from './database-servers.ts';
import type { Keys } from './keys.ts';
import { TENANT_SCHEMA_VERSION } from './migrations/tenant/index.ts';
import { ServerPools, type TenantUse, totalUse } from './server-pools.ts';
import type { TenantCluster } from './tenant-cluster.ts';
import { TENANT_OPTIONS } from './tenant-roles.ts';

interface TenantLogin {
  serverId: string;
  databaseName: string;
  roleName: string;
  sealedPassword: string;
}

const findLogin = query<TenantLogin>(
  'tenant_login',
  `select server_id as "serverId", database_name as "databaseName", role_name as "roleName", sealed_password as "sealedPassword"
     from tenant_databases where org_id = $1`,
);

/** Read-only transaction: the database is being moved, and this process has not been told yet. */
const IS_MOVED = '25006';
/** Its role may not sign in there, or there is no such database: the tenant is on another server by now. */
const HAS_MOVED = new Set(['28000', '3D000']);

const beingMoved = (cause?: unknown) =>
  new AppError('unavailable', {
    message: 'This organization is being moved to another server and takes no changes for some seconds; try again.',
    retryAfter: 2,
    cause,
  });

/** Changes of a tenant that wait. */
interface Hold {
  over: Promise<void>;
  end(): void;
}

/** Undefined table, column, function; one that is not granted yet. */
const LACKING = new Set(['42P01', '42703', '42883', '42501']);

/** Whether the tenant's database was still of an older version at some time since an instant. */
const wasBehind = query<object>(
  'tenant_was_behind',
  'select from organizations where id = $1 and (schema_version < $2 or updated_at >= $3)',
);

const types = new pg.TypeOverrides();
for (const [oid, parser] of Object.entries(
  createPostgreSqlTypeParsers((text) => text.slice(1, -1).split(',').filter(Boolean)),
)) {
  types.setTypeParser(Number(oid), parser as (text: string) => unknown);
}

/** Of so many tenants it is remembered which server they are on. */
const PLACES = 20_000;
/** Longer than any statement of a request takes. A server or pooler that hangs is noticed sooner; this is for one tenant's session that does. */
const ANSWER_MS = 60_000;
/** Less than what the control plane lets a transaction wait that has something to write here. */
const HELD_MS = 8000;

export interface TenantDatabasesOptions {
  control: ControlDatabase;
  keys: Keys;
  servers: DatabaseServers;
  /** That this process may have to the tenants' databases of one server. */
  connections: number;
  log: Logger;
}

export class TenantDatabases {
  readonly #options: TenantDatabasesOptions;
  readonly #orm: MikroORM;
  readonly #current: AsyncLocalStorage<pg.Pool>;
  readonly #pools = new Map<TenantCluster, ServerPools>();
  /** By tenant, the server that it is on. */
  readonly #places = new LRUCache<string, string>({ max: PLACES });
  readonly #held = new Map<string, Hold>();
  /** How often it was forgotten where a tenant is. */
  #forgotten = 0;

  private constructor(options: TenantDatabasesOptions, orm: MikroORM, current: AsyncLocalStorage<pg.Pool>) {
    this.#options = options;
    this.#orm = orm;
    this.#current = current;
  }

  static async open(options: TenantDatabasesOptions): Promise<TenantDatabases> {
    const current = new AsyncLocalStorage<pg.Pool>();
    const route = {
      connect: async () => {
        const pool = current.getStore();
        if (!pool) throw new Error('a tenant entity was used outside TenantDatabases.work()');
        return pool.connect();
      },
      end: async () => {},
    };
    // One ORM for all tenants: one of its own would cost each of them 900 KB and 40 ms.
    const orm = new MikroORM({
      dbName: 'tenant',
      // Else a transaction of the control plane around this one would be taken for it.
      contextName: 'tenant',
      entities: tenantEntities,
      metadataProvider: ReflectMetadataProvider,
      forceUtcTimezone: true,
      logger: (message) => options.log.debug(message),
      ensureDatabase: false,
      colors: false,
      driverOptions: new PostgresDialect({ pool: route as unknown as PostgresPool }),
    });
    const databases = new TenantDatabases(options, orm, current);
    databases.#openPools(options.servers.home);
    return databases;
  }

  /** How to sign in to the tenant's database as its own role. @throws {AppError} tenant_not_ready without one. */
  async connection(orgId: string): Promise<pg.ClientConfig> {
    const { keys, servers } = this.#options;
    const login = await this.#login(orgId);
    const { url, pooler } = await servers.byId(login.serverId);
    return {
      // By the same road as its administrator: socket, port, TLS.
      ...(parseUrl(pooler?.url ?? url) as pg.ClientConfig),
      database: login.databaseName,
      user: login.roleName,
      password: keys.open(login.sealedPassword),
      // A pooler refuses them; the role has them as its settings.
      options: pooler ? undefined : TENANT_OPTIONS,
      application_name: 'omnistream',
      connectionTimeoutMillis: 5000,
      query_timeout: ANSWER_MS,
      keepAlive: true,
    };
  }

  async #login(orgId: string): Promise<TenantLogin> {
    const { name, text } = findLogin;
    const { rows } = await this.#options.control.pool.query<TenantLogin>({ name, text, values: [orgId] });
    if (!rows[0]) throw new AppError('tenant_not_ready', { retryAfter: 2 });
    return rows[0];
  }

  /** Of the server that the tenant is on. */
  async #poolsOf(orgId: string): Promise<ServerPools> {
    let serverId = this.#places.get(orgId);
    while (!serverId) {
      const before = this.#forgotten;
      const login = await this.#login(orgId);
      // What was read may be where the tenant was before.
      if (before !== this.#forgotten) continue;
      serverId = login.serverId;
      this.#places.set(orgId, serverId);
    }
    const server = await this.#options.servers.byId(serverId);
    return this.#pools.get(server) ?? this.#openPools(server);
  }

  #openPools(server: TenantCluster): ServerPools {
    const { connections, log } = this.#options;
    for (const [former, pools] of this.#pools) {
      if (former.id !== server.id) continue;
      // It has got another address.
      this.#pools.delete(former);
      void pools.close();
    }
    const pools = new ServerPools(server, connections, log);
    this.#pools.set(server, pools);
    return pools;
  }

  /** Reads plain rows of one tenant by a prepared statement, twice where its session ends at just that moment. */
  async rows<Row>(orgId: string, { name, text, timeoutMs }: Query<Row>, values: unknown[] = []): Promise<Row[]> {
    return this.#use(
      orgId,
      async (pool, { prepares }) => {
        const statement = { text, values, ...(prepares && { name }), ...(timeoutMs && { query_timeout: timeoutMs }) };
        // A move ends sessions that are at rest, and this one may just have been.
        const { rows } = await pool.query(statement).catch((error: unknown) => {
          if (!isCutOff(error)) throw error;
          return pool.query(statement);
        });
        return rows as Row[];
      },
      timeoutMs,
    );
  }

  /**
   * Works with one tenant's entities; every manager forked inside is that tenant's.
   *
   * @throws {AppError} unavailable, as `whenWritable`.
   */
  async work<T>(orgId: string, body: (em: EntityManager) => Promise<T>): Promise<T> {
    await this.whenWritable(orgId);
    return this.#use(orgId, async (pool, pools) => {
      try {
        return await this.#current.run(pool, () => body(this.#orm.em.fork()));
      } catch (error) {
        // The session still waits for that answer, and would never be given back.
        if (isUnanswered(error)) pools.abandon(orgId, pool);
        throw error;
      }
    });
  }

  /** @param waitMs how long its turn is waited for, unless as long as anybody's. */
  async #use<T>(orgId: string, body: (pool: pg.Pool, of: ServerPools) => Promise<T>, waitMs?: number): Promise<T> {
    const pools = await this.#poolsOf(orgId);
    const work = async () => {
      const began = nowDate();
      try {
        const pool = await pools.pool(orgId, async () => ({ ...(await this.connection(orgId)), types }));
        return await body(pool, pools);
      } catch (error) {
        if (isUnavailable(error)) this.#doubt(orgId, pools);
        throw await this.#explain(orgId, error, began);
      }
    };
    return pools.take(orgId, work, waitMs);
  }

  /** Keeps changes of a tenant waiting until they are released; it is read as ever. */
  hold(orgId: string): void {
    if (this.#held.has(orgId)) return;
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    this.#held.set(orgId, { over, end });
  }

  holds(orgId: string): boolean {
    return this.#held.has(orgId);
  }

  release(orgId: string): void {
    this.#held.get(orgId)?.end();
    this.#held.delete(orgId);
  }

  /** Waits for the end of the seconds in which a tenant is moved. @throws {AppError} unavailable where they are many. */
  async whenWritable(orgId: string): Promise<void> {
    const held = this.#held.get(orgId);
    if (!held) return;
    const late = sleep(HELD_MS, true, { ref: false });
    if (await Promise.race([held.over, late])) throw beingMoved();
  }

  /** Its server may be away, or it may be on another one by now. */
  #doubt(orgId: string, { server }: ServerPools): void {
    this.#places.delete(orgId);
    server.suspect();
  }

  /** What a database lacks that is still to be brought up to date (domain/upgrades) is no mistake of ours. */
  async #explain(orgId: string, error: unknown, began: Date): Promise<unknown> {
    const code = databaseError(error)?.code ?? '';
    if (code === IS_MOVED) return beingMoved(error);
    if (HAS_MOVED.has(code)) {
      this.forget(orgId);
      return new AppError('unavailable', { retryAfter: 1, cause: error });
    }
    if (!LACKING.has(code)) return error;
    const { name, text } = wasBehind;
    const values = [orgId, TENANT_SCHEMA_VERSION, began];
    const behind = await this.#options.control.pool.query({ name, text, values }).catch(() => undefined);
    if (!behind?.rowCount) return error;
    const message = 'This organization is being brought up to date; try again in a moment.';
    return new AppError('unavailable', { message, retryAfter: 2, cause: error });
  }

  /** How much of what there is for tenants' databases is in use, on all servers together. */
  get use(): TenantUse {
    return totalUse([...this.#pools.values()].map(({ use }) => use));
  }

  /** Closes what is open to this tenant, and asks anew where it is: before its database is dropped, or when it has moved. */
  forget(orgId: string): void {
    this.#forgotten += 1;
    this.#places.delete(orgId);
    for (const pools of this.#pools.values()) pools.forget(orgId);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pools) => pools.close()));
    await this.#orm.close(true);
  }
}
