/** Requests as spans. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type OpenSpan, tracing } from './tracing.ts';

/** What probes and scrapers ask every few seconds. */
const NOT_WORTH_IT = new Set<string | undefined>(['/api/health', '/readyz', '/metrics']);

/** To be called before other hooks are added. */
export function traceRequests(app: FastifyInstance): void {
  if (!tracing) return;
  const { begin } = tracing;
  const spans = new WeakMap<FastifyRequest, OpenSpan>();
  app.addHook('onRequest', (request, _reply, done) => {
    const { method, headers, routeOptions } = request;
    // A socket is no request that ends: each of its operations is a span of its own.
    if (NOT_WORTH_IT.has(routeOptions.url) || headers.upgrade) return done();
    const span = begin(`${method} ${routeOptions.url ?? ''}`.trim(), {
      kind: 'server',
      parent: { traceparent: oneOf(headers.traceparent), tracestate: oneOf(headers.tracestate) },
      attributes: {
        'http.request.method': method,
        'http.route': routeOptions.url,
        'omnistream.request.id': request.id,
      },
    });
    spans.set(request, span);
    done();
  });
  // Not earlier: what reads a body calls back from where the socket's data comes in.
  app.addHook('preHandler', (request, _reply, done) => {
    const span = spans.get(request);
    if (span) span.within(done);
    else done();
  });
  app.addHook('onResponse', (request, { statusCode }, done) => {
    const attributes = {
      'http.response.status_code': statusCode,
      'omnistream.tenant.id': tenantOf(request, request.routeOptions.url),
    };
    spans.get(request)?.end(attributes, statusCode >= 500 ? String(statusCode) : undefined);
    done();
  });
}

/** The tenant that a request was about, as far as that became known. @param url the route's template. */
export function tenantOf({ trail, params }: FastifyRequest, url: string | undefined): string | undefined {
  if (trail.orgId || !url?.startsWith('/api/super-admin/tenants/:id')) return trail.orgId;
  const { id } = params as { id: string };
  return UUID.test(id) ? id : undefined;
}
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const oneOf = (header: string | string[] | undefined) => (Array.isArray(header) ? header.join(',') : header);
