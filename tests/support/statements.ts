/** What a gateway's requests ask of its control database, read off the connections of the pool. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { PoolClient } from 'pg';
import type { TestApp } from './app.ts';

export interface Statements {
  /** Runs something. @returns the statements that its requests ran; those of the workers are none of them. */
  during(work: () => Promise<unknown>): Promise<string[]>;
}

const textOf = (query: unknown): string =>
  typeof query === 'string' ? query : ((query as { text?: string }).text ?? '');

export function statementsOf({ http, services }: TestApp): Statements {
  const request = new AsyncLocalStorage<true>();
  // Ahead of the gateway's own listener, so that all it does for the request is done in this context.
  http.server.prependListener('request', () => request.enterWith(true));
  let seen: string[] = [];
  const watched = new WeakSet<PoolClient>();
  services.control.pool.on('acquire', (client) => {
    if (watched.has(client)) return;
    watched.add(client);
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    client.query = ((...args: unknown[]) => {
      if (request.getStore()) seen.push(textOf(args[0]));
      return query(...args);
    }) as typeof client.query;
  });
  return {
    async during(work) {
      seen = [];
      await work();
      return seen;
    },
  };
}
