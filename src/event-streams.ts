/** The same operations as server-sent events, for clients behind proxies: the graphql-sse protocol on `/graphql/stream`. */
import { pipeline } from 'node:stream/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { createHandler, type Request } from 'graphql-sse';
import { z } from 'zod';
import { Context, type RequestFacts, type Services } from './context.ts';
import { type Credentials, credentialsFrom, givenWillingly } from './credentials.ts';
import { AppError, invalid, toAppError } from './errors.ts';
import type { Connections } from './live/connections.ts';
import type { Operation, OperationRunner, Results } from './schema/run-operation.ts';
import { parse } from './schema/validate.ts';

/**
 * Something is written to each stream every twelve seconds: one of which nothing comes through for so long is not read.
 * Milliseconds.
 */
const SILENCE_MS = 20_000;

/** One client's. */
interface Stream {
  readonly context: Context;
  /** Settles once what was written last has room on its way to the client. */
  room: PromiseWithResolvers<void>;
}

/** An operation, and the stream that its results go to. */
type StreamOperation = Operation & { stream: Stream };

/**
 * Each operation is a stream of its own ("distinct connections mode"): what it takes to hold several together in one
 * stream would be memory that anybody can make the gateway reserve.
 *
 * @throws {AppError} for credentials that are no good.
 */
export function makeEventStreams(
  services: Services,
  runner: OperationRunner,
  connections: Connections,
  factsOf: (request: FastifyRequest) => Omit<RequestFacts, keyof Credentials>,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const handler = createHandler<FastifyRequest, Stream>({
    authenticate: () => undefined,
    // `prepare` has done it.
    validate: () => [],
    onSubscribe({ context: stream }, { query, operationName, variables }) {
      const { context } = stream;
      const prepared = runner.prepare({ query: String(query), operationName, variables: variables as never }, context);
      return (
        Array.isArray(prepared) ? { data: null, errors: runner.presented(prepared, context) } : { ...prepared, stream }
      ) as never;
    },
    execute: (operation) => runner.execute(operation as unknown as Operation) as never,
    async subscribe(operation) {
      const { stream, ...asked } = operation as unknown as StreamOperation;
      const results = await runner.subscribe(asked);
      return (Symbol.asyncIterator in results ? paced(results, stream) : results) as never;
    },
  });

  return async (request, reply) => {
    const out = reply.raw;
    const end = () => void out.destroy();
    const tooSlow = () => {
      services.log.info({ requestId: request.id }, 'a subscriber did not read and was cut off');
      services.metrics.cutOff();
      end();
    };
    const judged = async () => {
      const credentials = await credentialsFrom(givenWillingly(request, services.config), services.apiKeys);
      const context = new Context(services, { ...factsOf(request), ...credentials, tooSlow });
      if (context.credentials !== 'none') void context.caller;
      return context;
    };
    const stream: Stream = { context: await judged(), room: Promise.withResolvers() };
    stream.room.resolve();
    const gone = connections.add({
      kind: 'stream',
      check: async () => void (await judged()),
      refuse: end,
      goAway: end,
    });
    out.once('close', gone);
    // The client may have left while it was judged, and the gateway may have begun to stop.
    if (out.destroyed) return gone();
    const [body, { status, statusText, headers }] = await handler(asked(request, stream));
    // What writes to the connection itself knows nothing of Fastify.
    for (const [name, value] of Object.entries(reply.getHeaders())) out.setHeader(name, value!);
    // graphql-sse would let a cache keep it, and ask.
    out.writeHead(status, statusText, { ...headers, 'cache-control': 'no-store' });
    if (body === null || typeof body === 'string') return void out.end(body);
    out.once('close', () => void body.return());
    out.setTimeout(SILENCE_MS, tooSlow);
    await pipeline(body, (texts) => written(texts, stream), out).catch((error: unknown) => {
      // Whoever left, or was cut off, needs nothing more.
      if (!out.errored || toAppError(error).code !== 'internal_error') return;
      services.log.error({ err: error, requestId: request.id }, 'an event stream failed');
    });
  };
}

/** What graphql-sse asks of a request. */
const asked = (request: FastifyRequest, stream: Stream): Request<FastifyRequest, Stream> => ({
  method: request.method,
  url: request.url,
  headers: { get: (name) => request.headers[name]?.toString() },
  body: (request.body ?? null) as Record<string, unknown> | null,
  raw: request,
  context: stream,
});

/**
 * Asks for a result once there is room for it: what it is given, graphql-sse keeps without end. What happens meanwhile waits in the
 * feed, which has one.
 */
function paced(results: Results, stream: Stream): Results {
  const self: Results = {
    async next() {
      await stream.room.promise;
      stream.room = Promise.withResolvers();
      return results.next();
    },
    return() {
      stream.room.resolve();
      return results.return(undefined);
    },
    throw: (error: unknown) => results.throw(error),
    [Symbol.asyncIterator]: () => self,
    [Symbol.asyncDispose]: () => results[Symbol.asyncDispose](),
  };
  return self;
}

/** Is asked to go on when there is room again. */
async function* written(texts: AsyncIterable<string>, stream: Stream): AsyncGenerator<string> {
  for await (const text of texts) {
    yield text;
    stream.room.resolve();
  }
}

const record = z.record(z.string(), z.unknown()).nullish();
const question = z.object({
  query: z.string(),
  operationName: z.string().nullish(),
  variables: record,
  extensions: record,
});

/**
 * A stream begins only for those who ask for one, and ask something: graphql-sse would refuse the others in a form of its own.
 *
 * @throws {AppError} validation_failed
 */
export function wantsStream(request: FastifyRequest): void {
  const { headers } = request.raw;
  if (!/text\/event-stream/i.test(headers.accept ?? '')) {
    throw new AppError('validation_failed', { message: 'Ask for a stream: send Accept: text/event-stream.' });
  }
  parse(question, request.method === 'GET' ? inAddress(request) : request.body);
  // It takes these alone, not beside others or with more behind them.
  headers.accept = 'text/event-stream';
  if (request.method === 'POST') headers['content-type'] = 'application/json';
}

/** What stands in the query of an address; of a parameter that is there twice, the first counts. */
function inAddress({ url }: FastifyRequest): Record<string, unknown> {
  const given = Object.fromEntries([...new URL(url, 'http://gateway').searchParams].reverse());
  return Object.fromEntries(
    Object.entries(given).map(([name, text]) => [
      name,
      name === 'variables' || name === 'extensions' ? json(name, text) : text,
    ]),
  );
}

function json(name: string, text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    throw invalid(name, 'is not JSON');
  }
}
