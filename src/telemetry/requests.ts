/** What is told of requests: spans, metrics and log lines. */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { logRequest } from '../log.ts';
import type { Metrics } from './metrics.ts';
import { type OpenSpan, tracing } from './tracing.ts';

/** What probes and scrapers ask every few seconds. */
const NOT_WORTH_IT = new Set<string | undefined>(['/api/health', '/readyz', '/metrics']);

/** What is known of a request when it has been answered. */
export interface Answered {
  requestId: string;
  /** The tenant that it was about. */
  orgId?: string;
  method: string;
  /** What its route was registered with: one object for each. */
  route: object;
  /** The route's template; absent for none. */
  path?: string;
  status: number;
  ms: number;
}

/** Counts a request and writes its line. */
export function tellOf({ log, metrics }: { log: Logger; metrics: Metrics }, answered: Answered): void {
  const { requestId, orgId, method, route, path, status, ms } = answered;
  metrics.request(method, route, path, status, ms);
  logRequest(log, { requestId, orgId, method, path: path ?? 'unknown', status, ms: Math.round(ms) });
}

/** To be called before other hooks are added. */
export function traceRequests(app: FastifyInstance): void {
  if (!tracing) return;
  const spans = new WeakMap<FastifyRequest, OpenSpan>();
  app.addHook('onRequest', (request, _reply, done) => {
    const span = beginRequest(request.raw, request.routeOptions.url, request.id);
    if (span) spans.set(request, span);
    done();
  });
  // Not earlier: what reads a body calls back from where the socket's data comes in.
  app.addHook('preHandler', (request, _reply, done) => {
    const span = spans.get(request);
    if (span) span.within(done);
    else done();
  });
  app.addHook('onResponse', (request, { statusCode }, done) => {
    endRequest(spans.get(request), statusCode, tenantOf(request, request.routeOptions.url));
    done();
  });
}

/** @param path the route's template. @returns its span; undefined where it is not traced. */
export function beginRequest(
  { method, headers }: IncomingMessage,
  path: string | undefined,
  requestId: string,
): OpenSpan | undefined {
  // A socket is no request that ends: each of its operations is a span of its own.
  if (!tracing || NOT_WORTH_IT.has(path) || headers.upgrade) return undefined;
  return tracing.begin(`${method} ${path ?? ''}`.trim(), {
    kind: 'server',
    parent: { traceparent: oneOf(headers.traceparent), tracestate: oneOf(headers.tracestate) },
    attributes: {
      'http.request.method': method,
      'http.route': path,
      'omnistream.request.id': requestId,
    },
  });
}

export function endRequest(span: OpenSpan | undefined, status: number, orgId: string | undefined): void {
  const attributes = { 'http.response.status_code': status, 'omnistream.tenant.id': orgId };
  span?.end(attributes, status >= 500 ? String(status) : undefined);
}

/** The tenant that a request was about, as far as that became known. @param url the route's template. */
export function tenantOf({ trail, params }: FastifyRequest, url: string | undefined): string | undefined {
  if (trail.orgId || !url?.startsWith('/api/super-admin/tenants/:id')) return trail.orgId;
  const { id } = params as { id: string };
  return UUID.test(id) ? id : undefined;
}
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const oneOf = (header: string | string[] | undefined) => (Array.isArray(header) ? header.join(',') : header);
