/** What one process has open to the tenants' databases of one server: few connections each, and a bound on all of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import pg from 'pg';
import type { Logger } from 'pino';
import { breakOff, guardPool } from './pools.ts';
import type { Pooler } from './server-address.ts';
import type { TenantCluster } from './tenant-cluster.ts';
import { Turns, type TurnsState } from './turns.ts';

const CONNECTIONS_PER_POOL = 2;
/**
 * What waits for one of a tenant's connections is at work as well: twice as many as there are connections keep them busy, and
 * leave room for other tenants where one hangs.
 */
const TURNS_EACH = 2 * CONNECTIONS_PER_POOL;
const WAIT_MS = 5000;
const IDLE_MS = 10_000;

/** A pool that is ended serves nobody any more, those who already wait for a connection included: they go first. */
async function endWhenIdle(pool: pg.Pool): Promise<void> {
  do await sleep(20);
  while (pool.waitingCount > 0 || pool.totalCount > pool.idleCount);
  await pool.end();
}

/** How much of what there is for tenants' databases is in use. */
export interface TenantUse {
  pools: number;
  mostPools: number;
  turns: TurnsState;
  connections: { inUse: number; idle: number; waiting: number };
}

const add = <T extends Record<string, number>>(a: T, b: T): T =>
  Object.fromEntries(Object.entries(a).map(([key, value]) => [key, value + b[key]!])) as T;

/** Of several servers together. */
export const totalUse = (uses: readonly TenantUse[]): TenantUse =>
  uses.reduce(
    (sum, use) => ({
      pools: sum.pools + use.pools,
      mostPools: sum.mostPools + use.mostPools,
      turns: add({ ...sum.turns }, { ...use.turns }),
      connections: add(sum.connections, use.connections),
    }),
    {
      pools: 0,
      mostPools: 0,
      turns: { atWork: 0, waiting: 0, givenUp: 0, most: 0 },
      connections: { inUse: 0, idle: 0, waiting: 0 },
    },
  );

export class ServerPools {
  readonly server: TenantCluster;
  readonly #wished: number;
  readonly #log: Logger;
  /** Bounded by what may be open, which is not known from the start. */
  readonly #pools: LRUCache<string, pg.Pool>;
  readonly #ending = new Set<Promise<void>>();
  readonly #turns: Turns;
  #pooler: Pooler | undefined;
  #leavePooler?: () => void;

  /** @param wished connections at most, besides those that are on their way out. */
  constructor(server: TenantCluster, wished: number, log: Logger) {
    this.server = server;
    this.#wished = wished;
    this.#log = log;
    const all = () => Math.ceil(this.#connections * 0.6);
    this.#turns = new Turns({
      get all() {
        return all();
      },
      each: TURNS_EACH,
    });
    this.#pools = new LRUCache<string, pg.Pool>({ max: wished, dispose: (pool) => this.#end(pool) });
    server.liveness?.onChange(() => this.#breakOff());
    this.#goThrough(server.pooler);
  }

  /** What is open goes another way, and is let go of. */
  #goThrough(pooler: Pooler | undefined): void {
    this.#leavePooler?.();
    this.#pooler = pooler;
    this.#pools.clear();
    this.#leavePooler = pooler?.liveness.onChange(() => this.#breakOff());
  }

  get use(): TenantUse {
    const connections = { inUse: 0, idle: 0, waiting: 0 };
    for (const pool of this.#pools.values()) {
      connections.inUse += pool.totalCount - pool.idleCount;
      connections.idle += pool.idleCount;
      connections.waiting += pool.waitingCount;
    }
    return { pools: this.#pools.size, mostPools: this.#mostPools, turns: this.#turns.state, connections };
  }

  get #mostPools(): number {
    return Math.max(1, Math.floor(this.#connections / CONNECTIONS_PER_POOL));
  }

  /** Whether statements are prepared once a connection. */
  get prepares(): boolean {
    return this.server.pooler?.prepares ?? true;
  }

  /** A pooler has its own bound. */
  get #connections(): number {
    const { pooler, roomForTenants = this.#wished } = this.server;
    return pooler ? this.#wished : Math.min(this.#wished, roomForTenants);
  }

  /** @throws {ServerAway} at once while the server, or its pooler, is away. @throws {AppError} unavailable when its turn does not come in time. */
  async take<T>(orgId: string, work: () => Promise<T>, waitMs = WAIT_MS): Promise<T> {
    this.server.refuseTenantsWhileAway();
    const begin = async () => {
      // It may have gone while this one waited for its turn.
      this.server.refuseTenantsWhileAway();
      return work();
    };
    return this.#turns.take(orgId, begin, waitMs);
  }

  /** @param connection how to sign in, where none is open. */
  async pool(orgId: string, connection: () => Promise<pg.PoolConfig>): Promise<pg.Pool> {
    if (this.#pooler !== this.server.pooler) this.#goThrough(this.server.pooler);
    const open = this.#pools.get(orgId);
    if (open) return open;
    const options = await connection();
    // Another request may have opened it meanwhile.
    const raced = this.#pools.get(orgId);
    if (raced) return raced;
    const pool = this.#open(orgId, options);
    this.#pools.set(orgId, pool);
    while (this.#pools.size > this.#mostPools) this.#pools.pop();
    return pool;
  }

  #open(orgId: string, options: pg.PoolConfig): pg.Pool {
    const pool = new pg.Pool({ ...options, max: CONNECTIONS_PER_POOL, idleTimeoutMillis: IDLE_MS });
    pool.on('error', (error) => this.#log.warn({ error: error.message, orgId }, 'a tenant connection was lost'));
    guardPool(pool, { name: 'tenant', tenantId: orgId });
    return pool;
  }

  #end(pool: pg.Pool): void {
    const end = endWhenIdle(pool).catch((error: unknown) =>
      this.#log.warn({ err: error }, 'a tenant pool did not close'),
    );
    this.#ending.add(end);
    void end.then(() => this.#ending.delete(end));
  }

  /** Closes what is open to this tenant, e.g. before its database is dropped. */
  forget(orgId: string): void {
    this.#pools.delete(orgId);
  }

  /** Breaks the connections of a pool that gets no answers; whoever comes next gets another one. */
  abandon(orgId: string, pool: pg.Pool): void {
    breakOff(pool);
    if (this.#pools.get(orgId) === pool) this.forget(orgId);
  }

  async close(): Promise<void> {
    this.#pools.clear();
    await Promise.all(this.#ending);
  }

  /** Nobody waits for an answer of a server, or a pooler, that is away. What was open to it is of no use when it is back. */
  #breakOff(): void {
    if (this.server.standing.up) return;
    for (const pool of this.#pools.values()) breakOff(pool);
    this.#pools.clear();
  }
}
