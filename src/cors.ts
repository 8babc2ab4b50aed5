/** Pages of the origins in CORS_ORIGINS. Routes whose config says `cors: false` speak for themselves. */
import type { FastifyCorsOptions, FastifyCorsOptionsDelegateCallback } from '@fastify/cors';
import type { FastifyRequest } from 'fastify';
import type { Config } from './config.ts';

export function corsFor({ corsOrigins }: Config): { delegator: FastifyCorsOptionsDelegateCallback } {
  const preflight: FastifyCorsOptions = {
    origin: [...corsOrigins],
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: ['ETag', 'Idempotent-Replayed', 'Link', 'Location', 'Retry-After', 'X-Request-Id'],
    maxAge: 600,
  };
  // An OPTIONS that no browser sends before another request is answered as it is without a list.
  const other = { ...preflight, preflight: false };
  return { delegator: (request, done) => done(null, isPreflight(request) ? preflight : other) };
}

const isPreflight = ({ method, headers }: FastifyRequest) =>
  method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
