/** GraphQL over HTTP. */
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify';
import type { Context } from './context.ts';
import { refuseUnacceptable } from './negotiation.ts';
import type { AskedQuery } from './schema/compiled-queries.ts';
import { type GraphqlServer, graphqlRequest } from './schema/graphql-server.ts';

/** As Apollo answers whoever asks for JSON, or for nothing. */
const JSON_TYPE = 'application/json; charset=utf-8';
const TAKES_JSON = new Set([undefined, '*/*', 'application/json']);

/** What is known is answered at once, all else is Apollo's. */
export function graphqlOverHttp(
  app: FastifyInstance,
  { apollo, known }: GraphqlServer,
  context: (request: FastifyRequest, reply: FastifyReply) => Promise<Context>,
): RouteHandlerMethod {
  const byApollo = fastifyApolloHandler(apollo, { context });
  return (request, reply) => {
    // Of one caller and one moment, as those of REST are; also what is public, which REST has an address for.
    reply.header('cache-control', 'no-store');
    refuseUnacceptable(request.headers.accept);
    return graphqlRequest.run(request.trail, async () => {
      const asked = plainQuery(request);
      const result = asked && (await known(asked, () => context(request, reply)));
      if (!result) return byApollo.call(app, request, reply);
      reply.type(JSON_TYPE);
      return `${JSON.stringify(result)}\n`;
    });
  };
}

/** @returns undefined for what has more to it, or is none. */
function plainQuery({ method, headers, body }: FastifyRequest): AskedQuery | undefined {
  if (method !== 'POST' || !TAKES_JSON.has(headers.accept) || !isRecord(body)) return undefined;
  const { query, operationName, variables, extensions } = body;
  if (typeof query !== 'string' || extensions !== undefined) return undefined;
  if (operationName != null && typeof operationName !== 'string') return undefined;
  if (variables != null && !isRecord(variables)) return undefined;
  return { query, operationName, variables };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
