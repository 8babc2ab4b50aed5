/** What a gateway asks of a database, read off the connections of a pool. */
import type { Pool, PoolClient } from 'pg';

/** What workers ask now and then by themselves. */
const BACKGROUND =
  /provisioning_runs run\b|pg_stat_database|health_samples|delete from (events|idempotency_keys|revocations|rate_limits)/;

export interface Statements {
  /** Runs something. @returns the statements that the pool ran meanwhile, those of the workers left out. */
  during(work: () => Promise<unknown>): Promise<string[]>;
}

const textOf = (query: unknown): string =>
  typeof query === 'string' ? query : ((query as { text?: string }).text ?? '');

export function statementsOf(pool: Pool): Statements {
  let seen: string[] = [];
  const watched = new WeakSet<PoolClient>();
  pool.on('acquire', (client) => {
    if (watched.has(client)) return;
    watched.add(client);
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    client.query = ((...args: unknown[]) => {
      seen.push(textOf(args[0]));
      return query(...args);
    }) as typeof client.query;
  });
  return {
    async during(work) {
      seen = [];
      await work();
      return seen.filter((text) => !BACKGROUND.test(text));
    },
  };
}
