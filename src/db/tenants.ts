/** The tenants' own databases: a bounded set of small pools, and one ORM that is routed to the tenant at hand. */
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
import { AppError, databaseError } from '../errors.ts';
import { type ControlDatabase, type Query, query, SESSION_OPTIONS } from './control.ts';
import type { DatabaseServers } from './database-servers.ts';
import { TENANT_SCHEMA_VERSION } from './migrations/tenant/index.ts';
import { guardPool } from './pools.ts';
import type { Keys } from './secrets.ts';
import { Turns, type TurnsState } from './turns.ts';

/** Processes x pools x connections, plus the control pools, has to stay under the server's max_connections. */
const MAX_POOLS = 50;
const CONNECTIONS_PER_POOL = 2;
/**
 * What waits for one of a tenant's connections is at work as well: twice as many as there are connections keep them busy, and
 * leave room for other tenants where one hangs.
 */
const TURNS = { all: 60, each: 2 * CONNECTIONS_PER_POOL, waitMs: 5000 };
/** Whoever waits for a lock that nobody gives back, or holds one and does nothing, is ended by the server. */
const TENANT_OPTIONS = `${SESSION_OPTIONS} -c lock_timeout=5s -c idle_in_transaction_session_timeout=10s`;
const IDLE_MS = 10_000;
/** Less than what the control plane lets a transaction wait that has something to write here. */
const HELD_MS = 8000;

export interface TenantUse {
  pools: number;
  mostPools: number;
  turns: TurnsState;
  connections: { inUse: number; idle: number; waiting: number };
}

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

/** A pool that is ended serves nobody any more, those who already wait for a connection included: they go first. */
async function endWhenIdle(pool: pg.Pool): Promise<void> {
  do await sleep(20);
  while (pool.waitingCount > 0 || pool.totalCount > pool.idleCount);
  await pool.end();
}

export class TenantDatabases {
  readonly #control: ControlDatabase;
  readonly #keys: Keys;
  readonly #servers: DatabaseServers;
  readonly #log: Logger;
  readonly #orm: MikroORM;
  readonly #current: AsyncLocalStorage<pg.Pool>;
  readonly #pools: LRUCache<string, pg.Pool>;
  readonly #ending = new Set<Promise<void>>();
  readonly #held = new Map<string, Hold>();
  /** How often a pool was forgotten. */
  #forgotten = 0;
  readonly #turns = new Turns(TURNS);

  private constructor(
    control: ControlDatabase,
    keys: Keys,
    servers: DatabaseServers,
    log: Logger,
    orm: MikroORM,
    current: AsyncLocalStorage<pg.Pool>,
  ) {
    this.#control = control;
    this.#keys = keys;
    this.#servers = servers;
    this.#log = log;
    this.#orm = orm;
    this.#current = current;
    this.#pools = new LRUCache<string, pg.Pool>({
      max: MAX_POOLS,
      dispose: (pool) => {
        const end = endWhenIdle(pool).catch((error: unknown) =>
          log.warn({ err: error }, 'a tenant pool did not close'),
        );
        this.#ending.add(end);
        void end.then(() => this.#ending.delete(end));
      },
    });
  }

  static async open(
    control: ControlDatabase,
    keys: Keys,
    servers: DatabaseServers,
    log: Logger,
  ): Promise<TenantDatabases> {
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
    const orm = await MikroORM.init({
      dbName: 'tenant',
      // Else a transaction of the control plane around this one would be taken for it.
      contextName: 'tenant',
      entities: tenantEntities,
      metadataProvider: ReflectMetadataProvider,
      forceUtcTimezone: true,
      logger: (message) => log.debug(message),
      ensureDatabase: false,
      colors: false,
      driverOptions: new PostgresDialect({ pool: route as unknown as PostgresPool }),
    });
    return new TenantDatabases(control, keys, servers, log, orm, current);
  }

  /** How to sign in to the tenant's database as its own role. @throws {AppError} tenant_not_ready without one. */
  async connection(orgId: string): Promise<pg.ClientConfig> {
    const { name, text } = findLogin;
    const login = (await this.#control.pool.query<TenantLogin>({ name, text, values: [orgId] })).rows[0];
    if (!login) throw new AppError('tenant_not_ready', { retryAfter: 2 });
    const server = await this.#servers.byId(login.serverId);
    return {
      // By the same road as its administrator: socket, port, TLS.
      ...(parseUrl(server.url) as pg.ClientConfig),
      database: login.databaseName,
      user: login.roleName,
      password: this.#keys.open(login.sealedPassword),
      options: TENANT_OPTIONS,
      application_name: 'omnistream',
      connectionTimeoutMillis: 5000,
    };
  }

  async #pool(orgId: string): Promise<pg.Pool> {
    const open = this.#pools.get(orgId);
    if (open) return open;
    const before = this.#forgotten;
    const connection = await this.connection(orgId);
    // Another request may have opened it meanwhile.
    const raced = this.#pools.get(orgId);
    if (raced) return raced;
    // What was read may be where the tenant was before.
    if (before !== this.#forgotten) return this.#pool(orgId);
    const pool = new pg.Pool({ ...connection, types, max: CONNECTIONS_PER_POOL, idleTimeoutMillis: IDLE_MS });
    pool.on('error', (error) => this.#log.warn({ error: error.message, orgId }, 'a tenant connection was lost'));
    guardPool(pool, { name: 'tenant', tenantId: orgId });
    this.#pools.set(orgId, pool);
    return pool;
  }

  /** Reads plain rows of one tenant by a prepared statement. */
  async rows<Row>(orgId: string, { name, text, timeoutMs }: Query<Row>, values: unknown[] = []): Promise<Row[]> {
    const statement = { name, text, values, ...(timeoutMs && { query_timeout: timeoutMs }) };
    return this.#use(orgId, async (pool) => (await pool.query(statement)).rows as Row[]);
  }

  /**
   * Works with one tenant's entities; every manager forked inside is that tenant's.
   *
   * @throws {AppError} unavailable, as `whenWritable`.
   */
  async work<T>(orgId: string, body: (em: EntityManager) => Promise<T>): Promise<T> {
    await this.whenWritable(orgId);
    return this.#use(orgId, (pool) => this.#current.run(pool, () => body(this.#orm.em.fork())));
  }

  #use<T>(orgId: string, body: (pool: pg.Pool) => Promise<T>): Promise<T> {
    return this.#turns.take(orgId, async () => {
      const began = nowDate();
      try {
        return await body(await this.#pool(orgId));
      } catch (error) {
        throw await this.#explain(orgId, error, began);
      }
    });
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
    const behind = await this.#control.pool.query({ name, text, values }).catch(() => undefined);
    if (!behind?.rowCount) return error;
    const message = 'This organization is being brought up to date; try again in a moment.';
    return new AppError('unavailable', { message, retryAfter: 2, cause: error });
  }

  /** How much of what there is for tenants' databases is in use. */
  get use(): TenantUse {
    const connections = { inUse: 0, idle: 0, waiting: 0 };
    for (const pool of this.#pools.values()) {
      connections.inUse += pool.totalCount - pool.idleCount;
      connections.idle += pool.idleCount;
      connections.waiting += pool.waitingCount;
    }
    return { pools: this.#pools.size, mostPools: MAX_POOLS, turns: this.#turns.state, connections };
  }

  /** Closes what is open to this tenant, e.g. before its database is dropped. */
  forget(orgId: string): void {
    this.#forgotten += 1;
    this.#pools.delete(orgId);
  }

  async close(): Promise<void> {
    this.#pools.clear();
    await Promise.all(this.#ending);
    await this.#orm.close(true);
  }
}
