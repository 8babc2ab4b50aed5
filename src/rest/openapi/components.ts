/** What operations refer to by name, apart from the schemas and responses that their own description brings. */
import type { Header, Parameter } from './types.ts';

export const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The token of a sign-in or of an impersonation. It decides where a cookie comes along.',
  },
  cookie: {
    type: 'apiKey',
    in: 'cookie',
    name: 'access_token',
    description: 'The same token, as POST /api/auth/login sets it.',
  },
  apiKey: {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
    description: 'A key made with POST /api/api-keys: it acts for the agent who made it, within its scopes.',
  },
} as const;

export const headers: Record<string, Header> = {
  'X-Request-Id': {
    description: "The request's own, where it sent one that is fit for a log; else made. It stands in errors and logs.",
    schema: { type: 'string' },
  },
  Location: { description: 'The address of what was created.', schema: { type: 'string', format: 'uri-reference' } },
  Link: {
    description: 'Of a page after which there may be another: `<...>; rel="next"`.',
    schema: { type: 'string' },
  },
  'Content-Disposition': {
    description: 'The name of the file: `attachment; filename="..."`.',
    schema: { type: 'string' },
  },
  'Retry-After': {
    description: 'Seconds after which trying again makes sense.',
    schema: { type: 'integer', minimum: 1 },
  },
  'WWW-Authenticate': { description: '`Bearer`', schema: { type: 'string' } },
  'Idempotent-Replayed': {
    description: '`true` where this answer was given before, to the same Idempotency-Key.',
    schema: { type: 'string', const: 'true' },
  },
};

export const parameters: Record<string, Parameter> = {
  'Idempotency-Key': {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'Repeats of this request with the same key get the same answer for 24 hours and do nothing more. The same key ' +
      'with another request is 409 `idempotency_key_reused`.',
    schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
  },
};
