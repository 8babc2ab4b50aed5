/** Puts the route table on Fastify. */
import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import etag from '@fastify/etag';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { Context } from '../context.ts';
import { type Answer, once } from '../domain/idempotency.ts';
import { AppError, invalid } from '../errors.ts';
import { routes } from './routes.ts';
import { type RunnableRoute, runnable } from './run-route.ts';
import { isKnown, maxAge, openToAll, type SharedAnswers } from './shared-answers.ts';

/** What the HTTP layer lends to the shim. */
export interface RestHost {
  schema: GraphQLSchema;
  context(request: FastifyRequest, reply: FastifyReply): Promise<Context>;
  /** Those that are ready are sent before requests come here. */
  answers: SharedAnswers;
  /** The body and headers of an error's answer. */
  errorAnswer(error: AppError, request: FastifyRequest): Answer;
}

/** OpenAPI's `{id}` is Fastify's `:id`. */
const fastifyPath = (path: string) => path.replace(/\{(\w+)\}/g, ':$1');

export function registerRest(app: FastifyInstance, host: RestHost): void {
  const { answers } = host;
  for (const route of routes) {
    const ready = runnable(host.schema, route);
    const options: RouteOptions = {
      method: route.method,
      url: fastifyPath(route.path),
      config: { changes: ready.changes, ...(route.rateLimit && { rateLimit: route.rateLimit }) },
      handler: (request, reply) => handle(host, ready, request, reply),
    };
    if (route.shared) registerShared(app, options, answers);
    else if (route.takes) registerUpload(app, options, route.takes);
    else if (route.export || route.download || route.answer === 'connection')
      registerStreamed(app, options, !route.export);
    // A HEAD would do what a GET does, and keep the answer to itself.
    else app.route({ ...options, ...(ready.changes && { exposeHeadRoute: false }) });
  }
}

/** Whatever page asks may read the answer; no cookie comes along then, so that it learns nothing but what is open to all. */
const CORS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'ETag, X-Request-Id, Retry-After',
  // A cache keeps the answers to these apart.
  vary: 'Authorization, Cookie, X-API-Key, X-Tenant-Slug',
};
const PREFLIGHT = {
  'access-control-allow-methods': 'GET, HEAD',
  'access-control-allow-headers': 'Authorization, If-None-Match, X-API-Key, X-Request-Id, X-Tenant-Slug',
  'access-control-max-age': '86400',
};

function registerShared(app: FastifyInstance, options: RouteOptions, answers: SharedAnswers): void {
  answers.shareAt(options.url);
  // On the outer level, which also answers what is asked there by another method, and what is too much.
  app.addHook('onSend', ({ url }, reply, _payload, done) => {
    if (url.startsWith(options.url) && url.split('?', 1)[0]!.replace(/\/$/, '') === options.url) reply.headers(CORS);
    done();
  });
  app.register(async (scope) => {
    await scope.register(etag, { replyWith304: false });
    scope.addHook('onSend', (request, reply, payload, done) => {
      if (reply.statusCode >= 400) {
        reply.removeHeader('etag');
        return done();
      }
      // Also where the client has it already: who asks so asks again.
      answers.keep(request, reply, payload);
      if (!isKnown(request.headers, reply.getHeader('etag'))) return done();
      reply.code(304).removeHeader('content-type');
      // Of a HEAD, Fastify takes the body away itself, and looks at it for its length.
      if (request.method === 'HEAD') done();
      else done(null, null);
    });
    const config = { ...options.config, cors: false } as const;
    scope.route({ ...options, config });
    scope.options(options.url, { config }, (_request, reply) => reply.code(204).headers(PREFLIGHT).send());
  });
}

/** Of an uploaded file, in bytes. */
const UPLOAD_LIMIT = 1024 * 1024;

/** A file that is not UTF-8 is refused: characters that stand for unreadable ones would pass for its text. */
function registerUpload(app: FastifyInstance, options: RouteOptions, type: string): void {
  app.register(async (scope) => {
    scope.addContentTypeParser(type, { parseAs: 'buffer', bodyLimit: UPLOAD_LIMIT }, (_request, body, done) => {
      if (isUtf8(body as Buffer)) done(null, { calendar: body.toString() });
      else done(invalid('calendar', 'is not UTF-8 text'));
    });
    scope.addContentTypeParser('*', (_request, _body, done) =>
      done(new AppError('unsupported_media_type', { message: `Send the body as application/json or as ${type}.` })),
    );
    scope.route({ ...options, bodyLimit: UPLOAD_LIMIT });
  });
}

/** So long an answer may go on when the gateway is told to end; whoever gets it then sees that it is cut off. */
const STREAM_DRAIN_MS = 5000;

/** Of what is written while it is read. @param head whether there is a HEAD of it. */
function registerStreamed(app: FastifyInstance, options: RouteOptions, head: boolean): void {
  app.register(async (scope) => {
    const open = new Set<Readable>();
    scope.addHook('onSend', (request, _reply, payload, done) => {
      if (!(payload instanceof Readable)) return done();
      if (request.method === 'HEAD') {
        // It would be read to its end, to send none of it.
        payload.destroy();
        return done(null, Readable.from([]));
      }
      open.add(payload);
      payload.once('close', () => open.delete(payload));
      done();
    });
    let cut: NodeJS.Timeout | undefined;
    scope.addHook('preClose', async () => {
      cut = setTimeout(() => {
        for (const stream of open) stream.destroy(new AppError('unavailable'));
      }, STREAM_DRAIN_MS);
    });
    scope.addHook('onClose', async () => clearTimeout(cut));
    scope.route({ ...options, exposeHeadRoute: head });
  });
}

async function handle(
  host: RestHost,
  ready: RunnableRoute,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const ctx = await host.context(request, reply);
  await ready.authorize(ctx);
  const input = ready.read({
    path: request.params as Record<string, string>,
    query: request.query as Record<string, unknown>,
    body: request.body,
  });
  const asked = { url: request.url, method: request.method, headers: request.headers };
  const key = request.headers['idempotency-key'];
  const answer =
    typeof key === 'string' && request.method === 'POST'
      ? await once(
          ctx,
          key,
          [request.method, request.url, JSON.stringify(request.body ?? null)],
          (error) => host.errorAnswer(error, request),
          (within) => ready.run(within, input, asked),
        )
      : await ready.run(ctx, input, asked);
  const { shared } = ready.route;
  if (shared) {
    const holds = shared(answer.body as Record<string, unknown>, request.query as Record<string, unknown>);
    const own = ctx.credentials !== 'none';
    reply.header('cache-control', own ? `private, ${maxAge(holds)}` : openToAll(holds));
    host.answers.hold(request, holds);
  } else {
    // Of one caller and one moment, and some hold tokens.
    reply.header('cache-control', 'no-store');
  }
  return reply.code(answer.status).headers(answer.headers).send(answer.body);
}
