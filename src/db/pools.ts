/** What every pool of connections needs besides what pg-pool does. */
import type pg from 'pg';

/**
 * Takes a connection that the server ended back from whoever held it.
 *
 * Kysely (0.29), on which MikroORM runs its transactions, gives a connection back only after a BEGIN, COMMIT or ROLLBACK that
 * worked. Without this, each transaction that a restart of the server cuts off takes a place of the pool with it for good.
 */
export function takeBackLost(pool: pg.Pool): void {
  const held = new Set<pg.PoolClient>();
  pool.on('acquire', (client) => held.add(client));
  pool.on('release', (_error, client) => held.delete(client));
  pool.on('connect', (client) => {
    client.once('end', () => {
      if (!held.has(client)) return;
      const { release } = client;
      // Whoever gives it back after all does no harm; pg-pool would throw.
      client.release = () => {};
      release(true);
    });
  });
}
