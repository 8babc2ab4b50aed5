/** The same operations as server-sent events, for clients behind proxies: the graphql-sse protocol on `/graphql/stream`. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { createHandler } from 'graphql-sse/lib/use/fastify';
import { z } from 'zod';
import { Context, type RequestFacts, type Services } from './context.ts';
import { type Credentials, credentialsFrom, givenWillingly } from './credentials.ts';
import { AppError, invalid } from './errors.ts';
import type { Connections } from './live/connections.ts';
import type { Operation, OperationRunner } from './schema/run-operation.ts';
import { parse } from './schema/validate.ts';

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
  const contexts = new WeakMap<FastifyRequest, Context>();
  const handler = createHandler({
    authenticate: () => undefined,
    // `prepare` has done it.
    validate: () => [],
    onSubscribe({ raw }, { query, operationName, variables }) {
      const context = contexts.get(raw as unknown as FastifyRequest)!;
      const prepared = runner.prepare({ query: String(query), operationName, variables: variables as never }, context);
      return (
        Array.isArray(prepared) ? { data: null, errors: runner.presented(prepared, context) } : prepared
      ) as never;
    },
    execute: (operation) => runner.execute(operation as unknown as Operation) as never,
    subscribe: (operation) => runner.subscribe(operation as unknown as Operation) as never,
  });

  return async (request, reply) => {
    const end = () => void reply.raw.destroy();
    const tooSlow = () => {
      services.metrics.cutOff();
      end();
    };
    const judged = async () => {
      const credentials = await credentialsFrom(givenWillingly(request, services.config), services.apiKeys);
      const context = new Context(services, { ...factsOf(request), ...credentials, tooSlow });
      if (context.credentials !== 'none') void context.caller;
      return context;
    };
    contexts.set(request, await judged());
    const gone = connections.add({
      kind: 'stream',
      check: async () => void (await judged()),
      refuse: end,
      goAway: end,
    });
    reply.raw.once('close', gone);
    // What writes the stream knows nothing of Fastify.
    for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value!);
    // Whoever left while something was written to them needs nothing more.
    await handler(request, reply).catch((error: unknown) => {
      if (!reply.raw.destroyed) throw error;
    });
  };
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
