/** GraphQL over WebSocket: the protocol `graphql-transport-ws` by graphql-ws, on `/graphql`. */
import type { FastifyRequest } from 'fastify';
import { type ExecutionResult, GraphQLError } from 'graphql';
import { CloseCode, makeServer, type Server } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { Context, type RequestFacts, type Services } from './context.ts';
import { type Credentials, credentialsFrom, type Given, givenBy, isForeign } from './credentials.ts';
import { AppError, toAppError } from './errors.ts';
import type { Connections } from './live/connections.ts';
import type { RateLimits } from './rate-limits.ts';
import type { Operation, OperationRunner, Results } from './schema/run-operation.ts';

/** Operations at one time on one socket. */
const MOST_OPERATIONS = 100;
/** A client that does not answer a ping before the next one is gone, or does not read. Milliseconds. */
const PING_MS = 10_000;
/** How long a client that does not read has to take its leave. */
const LEAVE_MS = 1000;
/** RFC 6455: Going Away, and Try Again Later. */
const GOING_AWAY = 1001;
const TRY_AGAIN_LATER = 1013;

interface Extra {
  readonly socket: WebSocket;
  readonly request: FastifyRequest;
  /** What every operation of this socket carries. */
  facts?: RequestFacts;
}

/** An operation, and who is told its results under which id. */
type SocketOperation = Operation & { id: string; socket: WebSocket };

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
    async onSubscribe({ extra, subscriptions }, id, { query, operationName, variables }) {
      // The one that asks is among them already.
      if (Object.keys(subscriptions).length > MOST_OPERATIONS) {
        const message = `A socket takes ${MOST_OPERATIONS} operations at one time: end one first, or open another socket.`;
        return [refusal(new AppError('rate_limited', { message }))];
      }
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
      const prepared = runner.prepare({ query, operationName, variables }, context);
      return Array.isArray(prepared) ? prepared : { ...prepared, id, socket: extra.socket };
    },
    execute: (operation) => runner.execute(operation as never),
    async subscribe(operation) {
      const { id, socket, ...asked } = operation as unknown as SocketOperation;
      const results = await runner.subscribe(asked);
      return Symbol.asyncIterator in results ? told(results, id, socket) : results;
    },
    onError: ({ extra }, _id, _payload, errors) => runner.presented(errors, contextOf(extra)),
  });

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
      goAway: () => leave(socket, GOING_AWAY, 'The gateway stops: come back with after.'),
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

  return {
    handle(socket, request) {
      awake.set(socket, true);
      socket.on('pong', () => awake.set(socket, true));
      const closed = server.opened(
        {
          protocol: socket.protocol,
          send: (data) => sent(socket, data),
          close: (code, reason) => socket.close(code, reason),
          onMessage: (take) =>
            socket.on('message', (data) => {
              take(String(data)).catch((error: unknown) => {
                if (isServersMessage(error)) {
                  socket.close(CloseCode.BadRequest, error.message);
                  return;
                }
                services.log.error({ err: error, requestId: request.id }, 'a message of a socket failed');
                socket.close(CloseCode.InternalServerError, 'Internal server error');
              });
            }),
        },
        { socket, request },
      );
      socket.once('close', (code, reason) => {
        awake.delete(socket);
        void closed(code, String(reason));
      });
    },
    close() {
      clearInterval(pings);
      // Those that never said who they are are in nobody's books.
      for (const socket of awake.keys()) leave(socket, GOING_AWAY, 'The gateway stops: come back with after.');
    },
  };
}

/** What graphql-ws throws for a message that only servers send, such as `next`. */
const isServersMessage = (error: unknown): error is Error =>
  error instanceof Error && error.message.startsWith('Unexpected message of type');

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

/**
 * Sends the results itself, so that graphql-ws sees but their end: it would write the same result out for each of two thousand
 * sockets. Alone, that took the last one's time from 52 to 39 ms.
 */
function told(results: Results, id: string, socket: WebSocket): Results {
  const head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
  const self: Results = {
    async next() {
      for (;;) {
        const { value, done } = await results.next();
        if (done) return { value: undefined, done };
        await sent(socket, `${head}${textOf(value)}}`);
      }
    },
    return: () => results.return(undefined),
    throw: (error: unknown) => results.throw(error),
    [Symbol.asyncIterator]: () => self,
    [Symbol.asyncDispose]: () => results[Symbol.asyncDispose](),
  };
  return self;
}

/** Of results that several are told. */
const texts = new WeakMap<ExecutionResult, string>();

function textOf(result: ExecutionResult): string {
  let text = texts.get(result);
  if (text === undefined) {
    text = JSON.stringify(result);
    texts.set(result, text);
  }
  return text;
}

/** Settles when the client's side has room again: who reads slowly is told slowly. */
const sent = (socket: WebSocket, data: string): Promise<void> =>
  new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) resolve();
    else socket.send(data, () => resolve());
  });

const refuse = (socket: WebSocket, { code, message }: AppError) =>
  leave(socket, CloseCode.Forbidden, `${code}: ${message}`);

function leave(socket: WebSocket, code: number, reason: string): void {
  // 123 bytes are what a close frame holds.
  socket.close(code, reason.slice(0, 120));
  setTimeout(() => socket.terminate(), LEAVE_MS).unref();
}
