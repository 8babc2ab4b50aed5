/** The HTTP surface: GraphQL, the REST shim, and what operators and people with a browser need. */
import type { Socket } from 'node:net';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import cookie from '@fastify/cookie';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import { Context, type RequestFacts, type Services } from './context.ts';
import type { ApiKeyRing } from './domain/api-key-ring.ts';
import type { Answer } from './domain/idempotency.ts';
import { AppError, toAppError } from './errors.ts';
import { registerOperations } from './operations.ts';
import { knowOtherMethods } from './other-methods.ts';
import { registerPages } from './pages.ts';
import { registerRest } from './rest/plugin.ts';
import { buildGatewaySchema } from './schema/build-schema.ts';
import { graphqlRequest, startGraphqlServer } from './schema/graphql-server.ts';

const COOKIE = 'access_token';
/** Of a body, in bytes: the largest documented one is far below. */
const BODY_LIMIT = 256 * 1024;

export async function buildHttp(services: Services): Promise<FastifyInstance> {
  const { log, config } = services;
  const app = Fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    trustProxy: config.trustProxy ? [...config.trustProxy] : false,
    // The embedding of ids in paths needs 36; a longer one is not an id.
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: true },
    requestTimeout: 30_000,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    genReqId: (request) => requestId(request.headers['x-request-id']),
    frameworkErrors: (error, request, reply) => void sendError(reply, request, error),
    clientErrorHandler: (_error, socket) => refuseBytes(socket),
  });
  await app.register(cookie);
  acceptJsonOnly(app);

  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    log.info(
      {
        requestId: request.id,
        method: request.method,
        path: request.routeOptions.url ?? 'unknown',
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      'request',
    );
  });
  const notFound = knowOtherMethods(app);
  // What is wrong with the body of a request to nowhere is not the point.
  app.setErrorHandler((error: FastifyError, request, reply) =>
    sendError(reply, request, request.is404 ? notFound(request, reply) : error),
  );
  letConnectionsGo(app);
  app.setNotFoundHandler((request, reply) => sendError(reply, request, notFound(request, reply)));

  const contextOf = async (request: FastifyRequest, reply: FastifyReply): Promise<Context> =>
    new Context(services, {
      requestId: request.id,
      address: request.ip,
      userAgent: request.headers['user-agent'],
      ...(await credentialsOf(request, services.apiKeys)),
      aboutTenant: {
        slug: request.headers['x-tenant-slug']?.toString(),
        host: hostOf(request),
      },
      setCookie: (token, maxAge) =>
        reply.setCookie(COOKIE, token ?? '', {
          path: '/',
          httpOnly: true,
          sameSite: 'lax',
          secure: request.protocol === 'https' || config.production,
          maxAge: token ? maxAge : 0,
        }),
    });

  const schema = await buildGatewaySchema();
  const graphql = await startGraphqlServer(schema, log, config.production);
  app.addHook('onClose', () => graphql.stop());
  const handler = fastifyApolloHandler(graphql, { context: contextOf });
  app.post('/graphql', (request, reply) =>
    graphqlRequest.run({ id: request.id }, () => handler.call(app, request, reply)),
  );

  registerRest(app, { schema, context: contextOf, errorAnswer });
  registerOperations(app, services);
  await registerPages(app, schema, config.production, (request, reply) =>
    graphqlRequest.run({ id: request.id }, () => handler.call(app, request, reply)),
  );
  return app;
}

/** The caller's own, where it is fit for a log line. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.:/+=-]{1,128}$/.test(given) ? given : uuidv7();
}

/** Not Fastify's: behind a proxy that takes X-Forwarded-Host, by which caches keep no answers apart. */
const hostOf = ({ headers }: FastifyRequest): string | undefined =>
  headers.host?.toLowerCase().replace(/\.?(?::\d*)?$/, '');

/** The header decides where there is one, also when what it holds is no good. */
async function credentialsOf(
  request: FastifyRequest,
  apiKeys: ApiKeyRing,
): Promise<Pick<RequestFacts, 'token' | 'tokenIsFrom' | 'key'>> {
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    return { token: /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? 'none', tokenIsFrom: 'header' };
  }
  const key = request.headers['x-api-key'];
  // A cookie beside it does not count, also when the key is no good.
  if (key !== undefined) return { key: await settled(() => apiKeys.holderOf(String(key))) };
  return { token: request.cookies[COOKIE] || undefined, tokenIsFrom: 'cookie' };
}

/** What was found, or the error that is thrown where it is asked for: some operations are for everybody. */
async function settled<T>(find: () => Promise<T>): Promise<() => T> {
  const [found] = await Promise.allSettled([find()]);
  return () => {
    if (found.status === 'rejected') throw found.reason;
    return found.value;
  };
}

/** While closing, a kept-alive connection would be waited for until its client lets go of it. */
function letConnectionsGo(app: FastifyInstance): void {
  let sweep: NodeJS.Timeout | undefined;
  app.addHook('preClose', async () => {
    sweep = setInterval(() => app.server.closeIdleConnections(), 100);
  });
  app.addHook('onSend', async (_request, reply) => {
    if (sweep) reply.header('connection', 'close');
  });
  app.addHook('onClose', async () => clearInterval(sweep));
}

function acceptJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(/^application\/(?:[\w.-]+\+)?json(?:;|$)/i, { parseAs: 'string' }, (request, body, done) => {
    // Clients that always send the header send it with an empty body too.
    if (body === '') done(null, undefined);
    else parse(request, body as string, done);
  });
}

/** What Fastify finds wrong by itself. */
function fromFastify(error: FastifyError): AppError | undefined {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new AppError('payload_too_large');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new AppError('unsupported_media_type');
    case 'FST_ERR_BAD_URL':
      return new AppError('validation_failed', { message: 'The address is not a valid URL.' });
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new AppError('validation_failed', { message: 'An id in the address is too long to be one.' });
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return new AppError('validation_failed', { message: 'The body is not valid JSON.' });
  }
  if (error instanceof SyntaxError)
    return new AppError('validation_failed', { message: 'The body is not valid JSON.' });
  if (error.statusCode && error.statusCode >= 400 && error.statusCode < 500) return new AppError('validation_failed');
  return undefined;
}

function errorAnswer(error: AppError, request: FastifyRequest): Answer {
  const headers: Record<string, string> = {};
  if (error.retryAfter) headers['retry-after'] = String(error.retryAfter);
  if (error.status === 401) headers['www-authenticate'] = 'Bearer';
  return {
    status: error.status,
    headers,
    body: {
      error: error.message,
      code: error.code,
      request_id: request.id,
      ...(error.details && { details: error.details }),
    },
  };
}

function sendError(reply: FastifyReply, request: FastifyRequest, thrown: unknown): FastifyReply {
  const error = (!(thrown instanceof AppError) && fromFastify(thrown as FastifyError)) || toAppError(thrown);
  if (error.code === 'internal_error')
    request.log.error({ err: error.cause, requestId: request.id }, 'a request failed');
  const { status, headers, body } = errorAnswer(error, request);
  // Also here: what Fastify refuses before it looks for a route passes no hook.
  return reply
    .code(status)
    .headers({ ...headers, 'x-request-id': request.id })
    .send(body);
}

/** Answers what is not HTTP, so that there is no request to answer. */
function refuseBytes(socket: Socket): void {
  if (!socket.writable) return;
  const id = uuidv7();
  const body = JSON.stringify({ error: 'The request is not valid HTTP.', code: 'validation_failed', request_id: id });
  const head = [
    'HTTP/1.1 400 Bad Request',
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${id}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
