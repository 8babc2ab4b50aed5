/** Puts the route table on Fastify. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { Context } from '../context.ts';
import { type Answer, once } from '../domain/idempotency.ts';
import type { AppError } from '../errors.ts';
import { routes } from './routes.ts';
import { type RunnableRoute, runnable } from './run-route.ts';

/** What the HTTP layer lends to the shim. */
export interface RestHost {
  schema: GraphQLSchema;
  context(request: FastifyRequest, reply: FastifyReply): Context;
  /** The body and headers of an error's answer. */
  errorAnswer(error: AppError, request: FastifyRequest): Answer;
}

/** OpenAPI's `{id}` is Fastify's `:id`. */
const fastifyPath = (path: string) => path.replace(/\{(\w+)\}/g, ':$1');

export function registerRest(app: FastifyInstance, host: RestHost): void {
  for (const route of routes) {
    const ready = runnable(host.schema, route);
    app.route({
      method: route.method,
      url: fastifyPath(route.path),
      handler: (request, reply) => handle(host, ready, request, reply),
    });
  }
}

async function handle(
  host: RestHost,
  ready: RunnableRoute,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const ctx = host.context(request, reply);
  ready.authorize(ctx);
  const variables = ready.read({
    path: request.params as Record<string, string>,
    query: request.query as Record<string, unknown>,
    body: request.body,
  });
  const key = request.headers['idempotency-key'];
  const answer =
    typeof key === 'string' && request.method === 'POST'
      ? await once(
          ctx,
          key,
          [request.method, request.url, JSON.stringify(request.body ?? null)],
          (error) => host.errorAnswer(error, request),
          (within) => ready.run(within, variables, request.url),
        )
      : await ready.run(ctx, variables, request.url);
  return reply.code(answer.status).headers(answer.headers).send(answer.body);
}
