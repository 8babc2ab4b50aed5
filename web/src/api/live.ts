/** The one socket of this tab: it comes back by itself, and each subscription goes on where it was cut off. */

import { type Client, createClient } from 'graphql-ws';
import { useSyncExternalStore } from 'react';
import { subscribeResuming } from './resume.ts';
import type { SubscriptionForwarder } from './subscriptions.ts';

/** How the socket stands, for the badge and for screens that must not show what is old as if it were new. */
export type Connection = { state: 'idle' | 'connecting' | 'live' } | { state: 'lost'; since: number };

const listeners = new Set<() => void>();
let connection: Connection = { state: 'idle' };

function setConnection(next: Connection): void {
  connection = next;
  for (const listener of listeners) listener();
}

export function useConnection(): Connection {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => connection,
  );
}

const FORBIDDEN = 4403;
const LONGEST_WAIT_MS = 10_000;

/**
 * @param headers those that a request over HTTP would carry.
 * @param onRefused the credentials are no good any more.
 */
export function openSocket(headers: Readonly<Record<string, string>>, onRefused: () => void): Client {
  let refused = false;
  return createClient({
    url: `${location.origin.replace(/^http/, 'ws')}/graphql`,
    connectionParams: headers,
    lazyCloseTimeout: 2000,
    keepAlive: 10_000,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => !refused,
    retryWait: (retries) => {
      const wait = Math.min(LONGEST_WAIT_MS, 300 * 2 ** retries);
      return new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random() / 2)));
    },
    on: {
      connecting: () => {
        if (connection.state !== 'lost') setConnection({ state: 'connecting' });
      },
      connected: () => setConnection({ state: 'live' }),
      closed: (event) => {
        const { code, wasClean } = event as CloseEvent;
        if (code === FORBIDDEN) {
          refused = true;
          onRefused();
        }
        // Code 1000 is ours: nobody listens any more.
        if (wasClean && code === 1000) setConnection({ state: 'idle' });
        else if (connection.state !== 'lost') setConnection({ state: 'lost', since: Date.now() });
      },
    },
  });
}

/** Hands urql's subscriptions to the socket. */
export function forwardTo(socket: Client): SubscriptionForwarder {
  return ({ query, variables }) => ({
    subscribe: (sink) => ({
      unsubscribe: subscribeResuming(
        socket,
        { query: query ?? '', variables },
        {
          next: (result) => sink.next(result as never),
          error: (error) => sink.error(error),
          complete: () => sink.complete(),
        },
      ),
    }),
  });
}
