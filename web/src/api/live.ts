/** The one socket of this tab: it comes back by itself, and each subscription goes on where it was cut off. */

import { type Client, createClient } from 'graphql-ws';
import { useEffect, useRef, useSyncExternalStore } from 'react';
import { type ResultSink, type SubscriptionRequest, subscribeResuming } from './resume.ts';
import type { SubscriptionForwarder } from './subscriptions.ts';

/**
 * How the socket stands, for the badge and for screens that must not show what is old as if it were new. Since: when
 * something was heard last, in milliseconds since the epoch.
 */
export type Connection = { state: 'idle' | 'connecting' | 'live' } | { state: 'lost'; since: number };

const listeners = new Set<() => void>();
let connection: Connection = { state: 'idle' };
/** Of the socket itself. */
let socketState: Connection['state'] = 'idle';
/** Subscriptions that the gateway cannot serve at the moment, such as while its database is away: nor is anything live then. */
const waiting = new Set<object>();

/** @param since when something was heard last, in milliseconds since the epoch. */
function setState(next: Connection['state'], since = Date.now()): void {
  socketState = next;
  const state = waiting.size > 0 ? 'lost' : next;
  if (state === connection.state) return;
  connection = state === 'lost' ? { state, since } : { state };
  for (const listener of listeners) listener();
}

/** Follows a subscription over all that may happen to the socket and to the gateway. @returns what ends it. */
export function follow(socket: Client, request: SubscriptionRequest, sink: ResultSink): () => void {
  const self = {};
  return subscribeResuming(socket, request, sink, (waits) => {
    if (waits) waiting.add(self);
    else waiting.delete(self);
    setState(socketState);
  });
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

/** Calls back when the connection is there again after a loss. */
export function useReturn(callback: () => void): void {
  const { state } = useConnection();
  const lost = useRef(false);
  useEffect(() => {
    if (state === 'lost') lost.current = true;
    else if (state === 'live' && lost.current) {
      lost.current = false;
      callback();
    }
  }, [state, callback]);
}

const FORBIDDEN = 4403;
const LONGEST_WAIT_MS = 10_000;
/**
 * Whoever does not answer a ping for so long is not there: a cable that was pulled, or a gateway that hangs, closes no socket.
 * Together they are how long what is old may be shown as live; a ping costs the gateway some microseconds.
 */
const PING_EVERY_MS = 2000;
const PONG_WITHIN_MS = 2500;

/** Waits a while, less when the network comes back. */
const pause = (ms: number) =>
  new Promise<void>((resolve) => {
    const go = () => {
      clearTimeout(timer);
      window.removeEventListener('online', go);
      resolve();
    };
    const timer = setTimeout(go, ms);
    window.addEventListener('online', go);
  });

/**
 * @param headers those that a request over HTTP would carry.
 * @param onRefused the credentials are no good any more, by an error's code.
 */
export function openSocket(headers: Readonly<Record<string, string>>, onRefused: (code: string) => void): Client {
  let refused = false;
  let disposed = false;
  let noAnswer: ReturnType<typeof setTimeout> | undefined;
  let heardAt = Date.now();
  const client = createClient({
    url: `${location.origin.replace(/^http/, 'ws')}/graphql`,
    connectionParams: headers,
    lazyCloseTimeout: 2000,
    keepAlive: PING_EVERY_MS,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => !refused,
    retryWait: (retries) => pause(Math.min(LONGEST_WAIT_MS, 300 * 2 ** retries) * (0.5 + Math.random() / 2)),
    on: {
      connecting: () => {
        if (!disposed && socketState !== 'lost') setState('connecting');
      },
      message: () => {
        heardAt = Date.now();
      },
      connected: () => {
        if (!disposed) setState('live');
      },
      ping: (received) => {
        if (!received) noAnswer = setTimeout(() => client.terminate(), PONG_WITHIN_MS);
      },
      pong: (received) => {
        if (received) clearTimeout(noAnswer);
      },
      closed: (event) => {
        clearTimeout(noAnswer);
        const { code, reason, wasClean } = event as CloseEvent;
        if (disposed) return;
        if (code === FORBIDDEN) {
          refused = true;
          // Such as: tenant_suspended: This organization is suspended.
          onRefused(reason.split(':')[0]!.toUpperCase());
        }
        // Code 1000 is ours: nobody listens any more. After a refusal nothing will come back by itself.
        if (refused || (wasClean && code === 1000)) setState('idle');
        else setState('lost', heardAt);
      },
    },
  });
  const offline = () => client.terminate();
  window.addEventListener('offline', offline);
  return {
    ...client,
    dispose() {
      disposed = true;
      setState('idle');
      window.removeEventListener('offline', offline);
      // One that is refused meanwhile is closed already.
      return Promise.resolve(client.dispose()).catch(() => {});
    },
  };
}

/** Hands urql's subscriptions to the socket. */
export function forwardTo(socket: Client): SubscriptionForwarder {
  return ({ query, variables }) => ({
    subscribe: (sink) => ({
      unsubscribe: follow(
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
