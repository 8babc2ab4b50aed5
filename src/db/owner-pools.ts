/** Connections to tenants' databases as the owner of their tables. */
import { LRUCache } from 'lru-cache';
import pg from 'pg';
import type { Logger } from 'pino';
import { SESSION_OPTIONS } from './control.ts';
import { breakOff, guardPool } from './pools.ts';

/** The first connection to a new database costs the server 30 ms, so the steps of a run share one. */
export class OwnerPools {
  readonly #urlOf: (database: string) => string;
  readonly #log: Logger;
  readonly #pools = new LRUCache<string, pg.Pool>({ max: 16, dispose: (pool) => void pool.end().catch(() => {}) });

  constructor(urlOf: (database: string) => string, log: Logger) {
    this.#urlOf = urlOf;
    this.#log = log;
  }

  async use<T>(database: string, body: (client: pg.ClientBase) => Promise<T>): Promise<T> {
    const client = await this.#pool(database).connect();
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

  #pool(database: string): pg.Pool {
    const open = this.#pools.get(database);
    if (open) return open;
    const pool = new pg.Pool({
      connectionString: this.#urlOf(database),
      options: SESSION_OPTIONS,
      max: 1,
      idleTimeoutMillis: 1000,
      connectionTimeoutMillis: 15_000,
    });
    guardPool(pool, { name: 'tenant' });
    pool.on('error', (error) => this.#log.debug({ error: error.message, database }, 'an idle connection was lost'));
    this.#pools.set(database, pool);
    return pool;
  }

  /** Nobody waits for an answer of a server that is away. */
  breakOff(): void {
    for (const pool of this.#pools.values()) breakOff(pool);
    this.#pools.clear();
  }

  forget(database: string): void {
    this.#pools.delete(database);
  }

  close(): void {
    this.#pools.clear();
  }
}
