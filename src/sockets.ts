/** GraphQL over WebSocket: the protocol `graphql-transport-ws` by graphql-ws, on `/graphql`. */
import type { FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import { CloseCode, makeServer, type Server, type SubscribePayload } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { Context, type RequestFacts, type Services } from './context.ts';
import { type Credentials, credentialsFrom, type Given, givenBy, isForeign } from './credentials.ts';
import { AppError, toAppError } from './errors.ts';
import type { Connections } from './live/connections.ts';
import type { RateLimits } from './rate-limits.ts';
import type { Operation, OperationRunner } from './schema/run-operation.ts';
import { told } from './socket-results.ts';

/** Operations at one time on one socket. */
const MOST_OPERATIONS = 100;
/** Bytes that wait for a client who is not read any further until they have gone. */
const MOST_UNREAD = 1024 * 1024;
/** A client that does not answer a ping before the next one is gone, or does not read. Milliseconds. */
const PING_MS = 10_000;
/** How long a client that does not read has to take its leave. */
const LEAVE_MS = 1000;
/** Bytes of a reason that a close frame holds. */
const MOST_REASON = 123;
/** RFC 6455: Going Away, and Try Again Later. */
const GOING_AWAY = 1001;
const TRY_AGAIN_LATER = 1013;

interface Extra {
  readonly socket: WebSocket;
  readonly request: FastifyRequest;
  /** What every operation of this socket carries. */
  facts?: RequestFacts;
  /** Executions under way, of operations that the client has ended as well. */
  executing: number;
}

/** An operation, and who is told its results under which id. */
type SocketOperation = Operation & { id: string; extra: Extra };

export interface Sockets {
  handle(socket: WebSocket, request: FastifyRequest): void;
  close(): void;
}

/** @param factsOf what a request carries besides its credentials. */
export function makeSockets(
  services: Services,
  runner: OperationRunner,
  connections: Connections,
  limits: RateLimits,
  factsOf: (request: FastifyRequest) => Omit<RequestFacts, keyof Credentials>,
): Sockets {
  const contextOf = ({ facts }: Extra) => new Context(services, facts!);
  const server: Server<Extra> = makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: 3000,
    async onConnect({ extra, connectionParams }) {
      try {
        await admit(extra, connectionParams ?? {});
        return true;
      } catch (error) {
        refuse(extra.socket, toAppError(error));
        return false;
      }
    },
    async onSubscribe({ extra, subscriptions }, id, payload) {
      extra.executing += 1;
      // The one that asks is among both already.
      const most = Math.max(Object.keys(subscriptions).length, extra.executing);
      const prepared = most > MOST_OPERATIONS ? [tooMany()] : await prepare(extra, payload);
      if (!Array.isArray(prepared)) return { ...prepared, id, extra };
      extra.executing -= 1;
      return prepared;
    },
    onOperation({ extra }) {
      extra.executing -= 1;
    },
    execute: (operation) => runner.execute(operation as never),
    async subscribe(operation) {
      const { id, extra, ...asked } = operation as unknown as SocketOperation;
      const results = await runner.subscribe(asked);
      return Symbol.asyncIterator in results ? told(results, id, extra.socket, extra.request.raw.socket) : results;
    },
    onError: ({ extra }, _id, _payload, errors) => runner.presented(errors, contextOf(extra)),
  });

  /** @returns what is wrong with it, or what can be run. */
  async function prepare(extra: Extra, { query, operationName, variables }: SubscribePayload) {
    const context = contextOf(extra);
    // By POST each would be a request. Credentials may have come after the upgrade.
    const counted = limits.count(extra.request, context.credentials === 'none' ? undefined : 'signed_in');
    if (counted) {
      try {
        await counted;
      } catch (error) {
        return [refusal(toAppError(error))];
      }
    }
    return runner.prepare({ query, operationName, variables }, context);
  }

  /** @throws {AppError} for credentials that are no good; also for a cookie that another site's page sends. */
  async function admit(extra: Extra, params: Record<string, unknown>): Promise<void> {
    const { socket, request } = extra;
    const given = { ...givenBy(request), ...givenIn(params) };
    const byCookie = given.authorization === undefined && given.apiKey === undefined && given.cookie;
    if (byCookie && isForeign(request, services.config)) {
      throw new AppError('forbidden', { message: 'A page of another site cannot use the cookie.' });
    }
    let watched!: Context;
    const judge = async () => {
      extra.facts = { ...factsOf(request), ...(await credentialsFrom(given, services.apiKeys)), tooSlow };
      watched = contextOf(extra);
      if (watched.credentials !== 'none') void watched.caller;
    };
    const tooSlow = () => {
      services.log.info({ requestId: request.id }, 'a subscriber did not read and was cut off');
      services.metrics.cutOff();
      leave(socket, TRY_AGAIN_LATER, 'You read too slowly: come back with after.');
    };
    await judge();
    const gone = connections.add({
      kind: 'socket',
      // A token says everything itself; a key is asked for again.
      check: () => (extra.facts!.key ? judge() : extra.facts!.token ? void watched.caller : undefined),
      refuse: (reason) => refuse(socket, reason),
      goAway: () => goAway(socket),
    });
    socket.once('close', gone);
    // It may have closed while it was judged.
    if (socket.readyState !== socket.OPEN) gone();
  }

  const awake = new Map<WebSocket, boolean>();
  const pings = setInterval(() => {
    for (const [socket, answered] of awake) {
      if (!answered) socket.terminate();
      else {
        awake.set(socket, false);
        socket.ping();
      }
    }
  }, PING_MS);

  let closed = false;

  return {
    handle(socket, request) {
      // It was on its way when the others were ended.
      if (closed) return goAway(socket);
      awake.set(socket, true);
      socket.on('pong', () => awake.set(socket, true));
      socket.on('ping', () => holdBack(socket));
      const ended = server.opened(
        {
          protocol: socket.protocol,
          send: (data) => sent(socket, data),
          close: (code, reason) => closeWith(socket, code, reason),
          onMessage: (take) =>
            socket.on('message', (data) => {
              take(String(data)).catch((error: unknown) => {
                if (isServersMessage(error)) {
                  closeWith(socket, CloseCode.BadRequest, error.message);
                  return;
                }
                services.log.error({ err: error, requestId: request.id }, 'a message of a socket failed');
                socket.close(CloseCode.InternalServerError, 'Internal server error');
              });
              holdBack(socket);
            }),
        },
        { socket, request, executing: 0 },
      );
      socket.once('close', (code, reason) => {
        awake.delete(socket);
        void ended(code, String(reason));
      });
    },
    close() {
      closed = true;
      clearInterval(pings);
      // Those that never said who they are are in nobody's books.
      for (const socket of awake.keys()) goAway(socket);
    },
  };
}

/** What graphql-ws throws for a message that only servers send, such as `next`. */
const isServersMessage = (error: unknown): error is Error =>
  error instanceof Error && error.message.startsWith('Unexpected message of type');

/** Whoever asks and does not read what they are answered would have it all kept for them. */
function holdBack(socket: WebSocket): void {
  if (socket.isPaused || socket.bufferedAmount < MOST_UNREAD) return;
  socket.pause();
  // It goes last.
  socket.ping(undefined, undefined, () => socket.resume());
}

const tooMany = () =>
  refusal(
    new AppError('rate_limited', {
      message: `A socket takes ${MOST_OPERATIONS} operations at one time: end one first, or open another socket.`,
    }),
  );

const refusal = (originalError: AppError) => new GraphQLError(originalError.message, { originalError });

/** Names as headers have them, in any case. */
function givenIn(params: Record<string, unknown>): Given {
  const text = (name: string) => {
    const value = Object.entries(params).find(([key]) => key.toLowerCase() === name)?.[1];
    return value == null ? {} : String(value);
  };
  const authorization = text('authorization');
  const apiKey = text('x-api-key');
  return {
    ...(typeof authorization === 'string' && { authorization }),
    ...(typeof apiKey === 'string' && { apiKey }),
  };
}

/** Settles when the client's side has room again: who reads slowly is told slowly. */
const sent = (socket: WebSocket, data: string): Promise<void> =>
  new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) resolve();
    else socket.send(data, () => resolve());
  });

const goAway = (socket: WebSocket) => leave(socket, GOING_AWAY, 'The gateway stops: come back with after.');

/** One that cannot be judged at the moment is not told that its credentials are no good. */
const refuse = (socket: WebSocket, { code, message, status }: AppError) =>
  leave(socket, status < 500 ? CloseCode.Forbidden : TRY_AGAIN_LATER, `${code}: ${message}`);

function leave(socket: WebSocket, code: number, reason: string): void {
  closeWith(socket, code, reason);
  setTimeout(() => socket.terminate(), LEAVE_MS).unref();
}

/** With as much of the reason as a frame holds: for more, `close` throws. */
function closeWith(socket: WebSocket, code?: number, reason = ''): void {
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(MOST_REASON));
  socket.close(code, reason.slice(0, read));
}
