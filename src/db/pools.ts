/** What every pool of connections needs besides what pg-pool does. */
import type pg from 'pg';
import { type Database, traceStatements } from '../telemetry/statements.ts';

/**
 * Lets a pool survive that the server ends connections which somebody holds.
 *
 * Their error would otherwise end the process, and their places in the pool could be lost: Kysely (0.29), on which MikroORM
 * runs its transactions, gives a connection back only after a BEGIN, COMMIT or ROLLBACK that worked.
 */
export function guardPool(pool: pg.Pool, database: Database): void {
  traceStatements(pool, database);
  const held = new Set<pg.PoolClient>();
  pool.on('acquire', (client) => held.add(client));
  pool.on('release', (_error, client) => held.delete(client));
  pool.on('connect', (client) => {
    // Whoever holds it learns of it from its next query.
    client.on('error', () => {});
    client.once('end', () => {
      if (!held.has(client)) return;
      const { release } = client;
      // Whoever gives it back after all does no harm; pg-pool would throw.
      client.release = () => {};
      release(true);
    });
  });
}
