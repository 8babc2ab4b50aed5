/**
 * The PostgreSQL servers that tenants' databases are on: the home server, which is the control plane's own, and those that super
 * admins have registered.
 */
import pg from 'pg';
import type { Logger } from 'pino';
import { ConfigError } from '../config.ts';
import { HOME_SERVER_ID, type ServerState } from '../entities/control/database-server.ts';
import { AppError } from '../errors.ts';
import type { EventBus } from '../live/event-bus.ts';
import { Reload } from '../reload.ts';
import { type ControlDatabase, databaseUrlOf, type Queryable, query, SESSION_OPTIONS, sqlOf } from './control.ts';
import type { Keys } from './keys.ts';
import { guardPool } from './pools.ts';
import { type Pooler, pooledAs, type ServerAddress } from './server-address.ts';
import { ServerLiveness } from './server-liveness.ts';
import { TenantCluster } from './tenant-cluster.ts';
import { watcherName } from './tenant-names.ts';

interface ServerRow {
  id: string;
  name: string;
  state: ServerState;
  sealedUrl: string | null;
  sealedPooledUrl: string | null;
  poolerPrepares: boolean;
}

const ALL = `
  select id, name, state, sealed_url as "sealedUrl", sealed_pooled_url as "sealedPooledUrl",
         pooler_prepares as "poolerPrepares"
    from database_servers order by sealed_url is not null, lower(name)`;
const serverOfTenant = query<{ serverId: string }>(
  'server_of_tenant',
  'select server_id as "serverId" from tenant_databases where org_id = $1',
);

/** The server of a row `d` of `tenant_databases`; null in a control database that an older version has set up: the home server. */
export const SERVER_OF_TENANT = `to_jsonb(d)->>'server_id'`;

/**
 * Where every server is, the home server first, as the control database says now; also one that an older version has set up.
 *
 * @param homeUrl of the control database. @param keys absent: those whose address is sealed are left out.
 */
export async function serverAddresses(client: Queryable, homeUrl: string, keys?: Keys): Promise<ServerAddress[]> {
  const home = { id: HOME_SERVER_ID, name: 'home', url: homeUrl };
  const { rows: found } = await client.query(`select to_regclass('database_servers') is not null as there`);
  if (!found[0].there) return [home];
  const { rows } = await client.query<ServerRow>(ALL);
  return rows.flatMap(({ id, name, sealedUrl }) => {
    if (sealedUrl === null) return { ...home, name };
    return keys ? { id, name, url: open(sealedUrl, keys) } : [];
  });
}

function open(sealed: string, keys: Keys): string {
  try {
    return keys.open(sealed);
  } catch {
    throw new ConfigError(
      "The address of a database server cannot be opened: JWT_SECRET (or secrets.json in DATA_DIR) is not the installation's.",
    );
  }
}

/** @param serverId null for the home server. @throws for a server that is not among them. */
export function serverIn(servers: readonly ServerAddress[], serverId: string | null): ServerAddress {
  const server = servers.find(({ id }) => id === (serverId ?? HOME_SERVER_ID));
  if (!server) throw new Error(`the address of the database server ${serverId} is not known`);
  return server;
}

/** Of a database on one of these servers. @param serverId null for the home server. @throws for a server that is not among them. */
export const urlOnServer = (servers: readonly ServerAddress[], serverId: string | null, database: string): string =>
  databaseUrlOf(serverIn(servers, serverId).url, database);

export interface DatabaseServersOptions {
  control: Pick<ControlDatabase, 'pool' | 'url'>;
  keys: Keys;
  /** The installation's. */
  code: string;
  log: Logger;
}

/** After a failure. Milliseconds. */
const AGAIN_MS = 1000;

export class DatabaseServers {
  readonly #options: DatabaseServersOptions;
  readonly home: TenantCluster;
  #servers = new Map<string, TenantCluster>();
  #follows = false;
  readonly #reload = new Reload(
    () => this.#load(),
    (error) => {
      this.#warn(error, 'the database servers could not be read; trying again');
      return AGAIN_MS;
    },
  );
  readonly #watched = new WeakSet<TenantCluster>();

  private constructor(options: DatabaseServersOptions) {
    this.#options = options;
    const { url, pool } = options.control;
    this.home = new TenantCluster({ ...options, id: HOME_SERVER_ID, name: 'home', url, pool });
  }

  static async open(options: DatabaseServersOptions): Promise<DatabaseServers> {
    const servers = new DatabaseServers(options);
    await servers.#reload.now();
    return servers;
  }

  /** Takes note of servers that are registered, changed or removed by any process, and of those that go away and come back. */
  async follow(bus: EventBus): Promise<void> {
    bus.on('database_server', () => this.#reload.told());
    this.#follows = true;
    await this.#reload.now();
  }

  /** All of them, the home server first. */
  all(): TenantCluster[] {
    return [...this.#servers.values()];
  }

  /** @throws for one that is not there, or no more. */
  async byId(id: string): Promise<TenantCluster> {
    // One that was registered a moment ago may not have been told of yet.
    if (!this.#servers.has(id)) await this.#reload.now();
    const server = this.#servers.get(id);
    if (!server) throw new Error(`there is no database server ${id}`);
    return server;
  }

  /** The server that a tenant's database is on, as the control database says now; undefined before it has a place. */
  async find(orgId: string): Promise<TenantCluster | undefined> {
    const [row] = await sqlOf(this.#options.control.pool).rows(serverOfTenant, [orgId]);
    return row && this.byId(row.serverId);
  }

  /** The same. @throws {AppError} tenant_not_ready before it has a place. */
  async of(orgId: string): Promise<TenantCluster> {
    const server = await this.find(orgId);
    if (!server) throw new AppError('tenant_not_ready', { retryAfter: 2 });
    return server;
  }

  /** Works with a server that is not registered yet. */
  async tryOut<T>(address: ServerAddress, work: (server: TenantCluster) => Promise<T>): Promise<T> {
    const server = this.#openAt(address);
    try {
      return await work(server);
    } finally {
      await server.close();
    }
  }

  async close(): Promise<void> {
    this.#follows = false;
    this.#reload.stop();
    await Promise.all(this.all().map((server) => server.close()));
  }

  async #load(): Promise<void> {
    const { rows } = await this.#options.control.pool.query<ServerRow>(ALL);
    const former = this.#servers;
    this.#servers = new Map(rows.map((row) => [row.id, this.#serverOf(row)]));
    for (const server of former.values()) {
      if (this.#servers.get(server.id) === server) continue;
      // Whoever is at work with it finishes first.
      server.close().catch((error: unknown) => this.#warn(error, 'a database server was not let go of', server));
    }
    if (this.#follows) for (const server of this.all()) this.#lookAfter(server);
  }

  /** The one that is known, as long as it is reached as it was. */
  #serverOf({ id, name, state, sealedUrl, sealedPooledUrl, poolerPrepares }: ServerRow): TenantCluster {
    const { keys, control } = this.#options;
    const url = sealedUrl === null ? control.url : open(sealedUrl, keys);
    const known = id === HOME_SERVER_ID ? this.home : this.#servers.get(id);
    const server = known?.url === url ? known : this.#openAt({ id, name, url });
    const pooledUrl = sealedPooledUrl === null ? undefined : open(sealedPooledUrl, keys);
    return Object.assign(server, { name, state, pooler: this.#poolerOf(server, pooledUrl, poolerPrepares) });
  }

  /** The one that is known, as long as it is the same. */
  #poolerOf(server: TenantCluster, url: string | undefined, prepares: boolean): Pooler | undefined {
    const { pooler: known, name } = server;
    if (url === known?.url && (!known || prepares === known.prepares)) return known;
    void known?.liveness.stop();
    if (!url) return undefined;
    const log = this.#options.log.child({ server: name });
    const liveness = new ServerLiveness(pooledAs(server.url, url), log, {
      noun: 'the pooler in front of a database server',
    });
    return { url, prepares, liveness };
  }

  #openAt(address: ServerAddress): TenantCluster {
    const { code, log } = this.#options;
    const session = watcherName(code);
    const liveness = new ServerLiveness(address.url, log.child({ server: address.name }), { session });
    return new TenantCluster({ ...this.#options, ...address, liveness, pool: this.#poolOf(address) });
  }

  /** Watches a server, and makes what this version needs there as soon as it answers. */
  #lookAfter(server: TenantCluster): void {
    const prepare = () => {
      if (server.isAway) return;
      server
        .prepare()
        .catch((error: unknown) => this.#warn(error, 'a database server is not ready for tenants', server));
    };
    server.pooler?.liveness.start();
    if (this.#watched.has(server)) return;
    this.#watched.add(server);
    server.liveness?.onChange(prepare);
    server.liveness?.start();
    prepare();
  }

  #poolOf({ url, name }: ServerAddress): pg.Pool {
    const pool = new pg.Pool({
      connectionString: url,
      options: `${SESSION_OPTIONS} -c lock_timeout=10s`,
      max: 8,
      idleTimeoutMillis: 60_000,
      connectionTimeoutMillis: 5000,
      application_name: 'omnistream',
      keepAlive: true,
    });
    pool.on('error', (error) =>
      this.#options.log.warn({ error: error.message, server: name }, 'a connection was lost'),
    );
    guardPool(pool, { name: 'server' });
    return pool;
  }

  #warn(error: unknown, message: string, server?: TenantCluster): void {
    this.#options.log.warn({ err: error, server: server?.name }, message);
  }
}
