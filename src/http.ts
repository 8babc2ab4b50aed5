/** The HTTP surface: GraphQL, the REST shim, and what operators and people with a browser need. */
import cookie from '@fastify/cookie';
import cors from '@fastify/cors';
import websocket from '@fastify/websocket';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { Context, type Services, type Trail } from './context.ts';
import { corsFor } from './cors.ts';
import { COOKIE, credentialsFrom, givenWillingly } from './credentials.ts';
import { hoursEdition } from './domain/hours-questions.ts';
import type { Answer } from './domain/idempotency.ts';
import { AppError, toAppError } from './errors.ts';
import { makeEventStreams, wantsStream } from './event-streams.ts';
import { graphqlOverHttp } from './graphql-over-http.ts';
import { httpServer, refuseBytes, requestId } from './http-server.ts';
import { acceptJsonOnly } from './json-bodies.ts';
import { Connections } from './live/connections.ts';
import { hostFault } from './negotiation.ts';
import { registerOperations } from './operations.ts';
import { knowOtherMethods } from './other-methods.ts';
import { registerPages, sendPlayground, wantsPlayground } from './pages.ts';
import { Proxies } from './proxies.ts';
import { makeRateLimits } from './rate-limits.ts';
import { registerRest } from './rest/plugin.ts';
import { SharedAnswers } from './rest/shared-answers.ts';
import { buildGatewaySchema } from './schema/build-schema.ts';
import { startGraphqlServer } from './schema/graphql-server.ts';
import type { DocumentPolicy } from './schema/limits.ts';
import { measureResolvers, OperationMeter } from './schema/measured-operations.ts';
import { OperationRunner } from './schema/run-operation.ts';
import { ownDocuments, trustedDocuments } from './schema/trusted-documents.ts';
import { SECURITY_HEADERS, TRANSPORT_SECURITY } from './security-headers.ts';
import { shortWay } from './short-way.ts';
import { makeSockets } from './sockets.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { tellOf, tenantOf, traceRequests } from './telemetry/requests.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** There once the request has come to its first hook. */
    trail: Trail;
  }
}

/** Of a body, in bytes: the largest documented one is far below. */
const BODY_LIMIT = 256 * 1024;

/** @param leaving says that this gateway will stop: it serves, and asks whoever comes to go elsewhere from now on. */
export async function buildHttp(services: Services, leaving: AbortSignal): Promise<FastifyInstance> {
  const { log, config, metrics } = services;
  const proxies = new Proxies(config);
  const limits = makeRateLimits(config, proxies, services.redis);
  const answers = new SharedAnswers(() => hoursEdition(services));
  const closing = new AbortController();
  const going = AbortSignal.any([leaving, closing.signal]);
  const ready = shortWay({ services, answers, limits, proxies, going });
  const answerError = (reply: FastifyReply, request: FastifyRequest, thrown: unknown) =>
    sendError(metrics, reply, request, thrown);
  const app = Fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    serverFactory: (long) => httpServer(ready.before(long), ready.early),
    trustProxy: proxies.trust,
    // The embedding of ids in paths needs 36; a longer one is not an id.
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: true },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    genReqId: (request) => requestId(request.headers['x-request-id']),
    // Lines carry the request's id where they are written; a logger for each request costs as much as its line.
    childLoggerFactory: (logger) => logger,
    frameworkErrors: (error, request, reply) => void answerError(reply, request, error),
    clientErrorHandler: refuseBytes,
  });
  await app.register(cookie);
  await app.register(websocket, {
    options: { maxPayload: BODY_LIMIT },
    // What a client does wrong closes its socket with the code for it; there is nothing to be done about it here.
    errorHandler: (error, socket, request) => {
      log.debug({ error: error.message, requestId: request.id }, 'a socket failed');
      socket.terminate();
    },
    preClose: (done) => done(),
  });
  acceptJsonOnly(app);

  app.decorateRequest('trail');
  app.addHook('onRequest', (request, _reply, done) => {
    request.trail = { requestId: request.id };
    done();
  });
  traceRequests(app);
  if (config.corsOrigins.length > 0) await app.register(cors, corsFor(config));
  app.addHook('onRequest', (request, reply, done) => {
    carry(request, reply, proxies);
    const judged = () => done(hostFault(request));
    const counted = limits.count(request);
    if (counted) counted.then(judged, done);
    else judged();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions } = request;
    const { url, config: route } = routeOptions;
    const { statusCode: status, elapsedTime: ms } = reply;
    const orgId = tenantOf(request, url);
    tellOf(services, { requestId: request.id, orgId, method, route, path: url, status, ms });
    done();
  });
  const notFound = knowOtherMethods(app);
  // What is wrong with the body of a request to nowhere is not the point.
  app.setErrorHandler((error: FastifyError, request, reply) =>
    answerError(reply, request, request.is404 ? notFound(request, reply) : error),
  );
  letConnectionsGo(app, closing, going);
  app.setNotFoundHandler((request, reply) => answerError(reply, request, notFound(request, reply)));
  if (config.role === 'worker') {
    registerOperations(app, services, leaving);
    return app;
  }

  const factsOf = (request: FastifyRequest) => ({
    requestId: request.id,
    trail: request.trail,
    address: request.ip,
    userAgent: request.headers['user-agent'],
    aboutTenant: {
      slug: request.headers['x-tenant-slug']?.toString(),
      host: hostOf(request),
    },
  });
  const contextOf = async (request: FastifyRequest, reply: FastifyReply): Promise<Context> =>
    new Context(services, {
      ...factsOf(request),
      ...(await credentialsFrom(givenWillingly(request, config), services.apiKeys)),
      setCookie: (token, maxAge) =>
        reply.setCookie(COOKIE, token ?? '', {
          path: '/',
          httpOnly: true,
          sameSite: 'lax',
          secure: proxies.speakTls(request.raw) || config.production,
          maxAge: token ? maxAge : 0,
        }),
    });

  const schema = await buildGatewaySchema();
  const { playground: introspection, persistedDocuments } = config;
  const trusted = persistedDocuments && (await trustedDocuments(schema, persistedDocuments.file));
  const policy: DocumentPolicy = { introspection, trusted };
  measureResolvers(schema, metrics);
  const meter = new OperationMeter(schema, metrics, trusted ?? ownDocuments);
  const graphql = await startGraphqlServer(schema, services, policy, meter);
  app.addHook('onClose', () => graphql.apollo.stop());
  const answerGraphql = graphqlOverHttp(app, graphql, contextOf);
  app.post('/graphql', GRAPHQL, answerGraphql);

  const connections = new Connections(services.bus, log);
  const runner = new OperationRunner(schema, services, policy, meter);
  const sockets = makeSockets(services, runner, connections, limits, factsOf);
  const stream = makeEventStreams(services, runner, connections, factsOf);
  app.route({
    method: ['GET', 'POST'],
    url: '/graphql/stream',
    ...GRAPHQL,
    preHandler: async (r) => wantsStream(r),
    handler: stream,
  });
  app.addHook('preClose', async () => {
    connections.close();
    sockets.close();
  });

  registerRest(app, { schema, context: contextOf, answers, errorAnswer });
  registerOperations(app, services, leaving, connections);
  await registerPages(app, schema);
  app.route({
    method: 'GET',
    url: '/graphql',
    ...GRAPHQL,
    handler: (request, reply) =>
      wantsPlayground(request, config) ? sendPlayground(reply) : answerGraphql.call(app, request, reply),
    wsHandler: sockets.handle,
  });
  return app;
}

const GRAPHQL = { config: { rateLimit: 'graphql' } } as const;

/** The headers of security-headers.ts, and the request's number. */
function carry(request: FastifyRequest, reply: FastifyReply, proxies: Proxies): void {
  reply.headers(SECURITY_HEADERS).header('x-request-id', request.id);
  if (proxies.speakTls(request.raw)) reply.header('strict-transport-security', TRANSPORT_SECURITY);
}

/** Not Fastify's: behind a proxy that takes X-Forwarded-Host, by which caches keep no answers apart. */
const hostOf = ({ headers }: FastifyRequest): string | undefined =>
  headers.host?.toLowerCase().replace(/\.?(?::\d*)?$/, '');

/** While closing, a kept-alive connection would be waited for until its client lets go of it. */
function letConnectionsGo(app: FastifyInstance, closing: AbortController, going: AbortSignal): void {
  let sweep: NodeJS.Timeout | undefined;
  app.addHook('preClose', async () => {
    closing.abort();
    sweep = setInterval(() => app.server.closeIdleConnections(), 100);
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (going.aborted) reply.header('connection', 'close');
    done();
  });
  app.addHook('onClose', async () => clearInterval(sweep));
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
  const headers: Record<string, string> = { ...error.headers };
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

function sendError(metrics: Metrics, reply: FastifyReply, request: FastifyRequest, thrown: unknown): FastifyReply {
  const error = (!(thrown instanceof AppError) && fromFastify(thrown as FastifyError)) || toAppError(thrown);
  metrics.error(error.code);
  if (error.code === 'internal_error') request.log.error({ err: error.cause, ...request.trail }, 'a request failed');
  const { status, headers, body } = errorAnswer(error, request);
  // Also here: what Fastify refuses before it looks for a route passes no hook. What is refused may be granted a moment later.
  return reply
    .code(status)
    .headers({ ...SECURITY_HEADERS, 'cache-control': 'no-store', ...headers, 'x-request-id': request.id })
    .send(body);
}
