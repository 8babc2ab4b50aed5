/** Puts the route table on Fastify. */
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { Context } from '../context.ts';
import { type Answer, once } from '../domain/idempotency.ts';
import { AppError } from '../errors.ts';
import { type Route, routes } from './routes.ts';
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
  for (const [path, methods] of methodsByPath(routes)) refuseOtherMethods(app, fastifyPath(path), methods);
}

export function methodsByPath(table: readonly Pick<Route, 'method' | 'path'>[]): Map<string, string[]> {
  const byPath = Map.groupBy(table, ({ path }) => path);
  return new Map([...byPath].map(([path, rows]) => [path, rows.map(({ method }) => method)]));
}

/** 405 with `Allow`. Fastify answers HEAD by itself where there is GET. */
export function refuseOtherMethods(app: FastifyInstance, url: string, allowed: readonly string[]): void {
  const taken = allowed.includes('GET') ? [...allowed, 'HEAD'] : allowed;
  const others = app.supportedMethods.filter((method) => !taken.includes(method)) as HTTPMethods[];
  app.route({
    method: others,
    url,
    handler: (_request, reply) => {
      reply.header('allow', taken.join(', '));
      throw new AppError('method_not_allowed');
    },
  });
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
