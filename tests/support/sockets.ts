/** Those who subscribe: with the protocol's own client, or byte by byte. */
import { once } from 'node:events';
import { type Client, createClient } from 'graphql-ws';
import { type ClientOptions, WebSocket } from 'ws';
import { eventually } from './actors.ts';
import type { TestApp } from './app.ts';

type Gateway = Pick<TestApp, 'url'>;

export const socketUrl = ({ url }: Gateway) => `${url.replace(/^http/, 'ws')}/graphql`;

// biome-ignore lint/suspicious/noExplicitAny: tests look into events of every shape
type Json = any;

/** What a subscription was told so far. */
export interface Follower<Event = Json> {
  /** Of its root field. */
  readonly events: Event[];
  readonly errors: Json[];
  readonly ended: Promise<void>;
  /** Waits for so many events. */
  until(count: number, ms?: number): Promise<Event[]>;
  /** Waits for one like this. */
  untilSeen(wished: (event: Event) => boolean, ms?: number): Promise<Event>;
  stop(): void;
}

const clients = new Set<Client>();

/** To be called after the tests. */
export function closeSockets(): void {
  for (const client of clients) void client.dispose();
  clients.clear();
}

/** A client of the protocol's own library; it does not come back by itself. */
export function socketClient(app: Gateway, connectionParams: Record<string, unknown> = {}): Client {
  const client = createClient({ url: socketUrl(app), connectionParams, webSocketImpl: WebSocket, retryAttempts: 0 });
  clients.add(client);
  return client;
}

export const bearer = ({ token }: { token?: string }) => ({ authorization: `Bearer ${token}` });

/** Follows a subscription. */
export function follow<Event = Json>(
  client: Client,
  query: string,
  variables: Record<string, unknown> = {},
): Follower<Event> {
  const events: Event[] = [];
  const errors: Json[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const stop = client.subscribe<Record<string, Event>>(
    { query, variables },
    {
      next({ data, errors: problems }) {
        if (problems) errors.push(...problems);
        else events.push(Object.values(data!)[0]!);
      },
      error(error) {
        errors.push(...(Array.isArray(error) ? error : [error]));
        resolve();
      },
      complete: resolve,
    },
  );
  return {
    events,
    errors,
    ended,
    async until(count, ms) {
      await eventually(
        async () => ({ events, errors }),
        () => events.length >= count,
        ms,
      );
      return events;
    },
    async untilSeen(wished, ms) {
      await eventually(
        async () => ({ events, errors }),
        () => events.some(wished),
        ms,
      );
      return events.find(wished)!;
    },
    stop,
  };
}

/** A socket that does as it is told, also what the protocol forbids. */
export interface RawSocket {
  readonly socket: WebSocket;
  send(message: unknown): void;
  readonly messages: Json[];
  /** Waits for a message of this type. */
  message(type: string, ms?: number): Promise<Json>;
  readonly closed: Promise<{ code: number; reason: string; after: number }>;
}

export async function rawSocket(
  app: Gateway,
  options: ClientOptions = {},
  protocol = 'graphql-transport-ws',
): Promise<RawSocket> {
  const opened = Date.now();
  const socket = new WebSocket(socketUrl(app), protocol, options);
  const messages: Json[] = [];
  socket.on('message', (data) => messages.push(JSON.parse(String(data))));
  const closed = new Promise<{ code: number; reason: string; after: number }>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason), after: Date.now() - opened }));
  });
  await once(socket, 'open');
  socket.on('error', () => {});
  return {
    socket,
    messages,
    closed,
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    async message(type, ms) {
      await eventually(
        async () => messages,
        () => messages.some((message) => message.type === type),
        ms,
      );
      return messages.find((message) => message.type === type);
    },
  };
}

/** The same, let in. */
export async function admittedSocket(app: Gateway, payload?: Record<string, unknown>, options?: ClientOptions) {
  const raw = await rawSocket(app, options);
  raw.send({ type: 'connection_init', payload });
  await raw.message('connection_ack');
  return raw;
}
