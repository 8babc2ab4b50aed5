/** What every pool of connections needs besides what pg-pool does. */
import type { Socket } from 'node:net';
import type pg from 'pg';
import { type Database, traceStatements } from '../telemetry/statements.ts';

/** Those that are open, by pool. */
const open = new WeakMap<pg.Pool, Set<pg.PoolClient>>();

/**
 * Lets a pool survive that the server ends connections which somebody holds.
 *
 * Their error would otherwise end the process, and their places in the pool could be lost: Kysely (0.29), on which MikroORM
 * runs its transactions, gives a connection back only after a BEGIN, COMMIT or ROLLBACK that worked.
 */
export function guardPool(pool: pg.Pool, database: Database): void {
  traceStatements(pool, database);
  const held = new Set<pg.PoolClient>();
  const clients = new Set<pg.PoolClient>();
  open.set(pool, clients);
  pool.on('acquire', (client) => held.add(client));
  pool.on('release', (_error, client) => held.delete(client));
  pool.on('remove', (client) => clients.delete(client));
  pool.on('connect', (client) => {
    clients.add(client);
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

/** Breaks the connections of a guarded pool, so that nobody waits for an answer any more. New ones may be opened. */
export function breakOff(pool: pg.Pool): void {
  for (const client of open.get(pool) ?? []) {
    // Meant to be: no error that is worth a line.
    void client.end().catch(() => {});
    socketOf(client).destroy();
  }
}

const socketOf = (client: pg.ClientBase) => (client as unknown as { connection: { stream: Socket } }).connection.stream;

/** Has a signal break a connection, whatever waits for an answer over it. @param client not connected yet. @throws the signal's reason. */
export function breakOnAbort(client: pg.Client, signal: AbortSignal): void {
  signal.throwIfAborted();
  const cut = () => socketOf(client).destroy();
  client.once('end', () => signal.removeEventListener('abort', cut));
  signal.addEventListener('abort', cut);
}
