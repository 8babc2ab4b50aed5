/** What can go wrong with an operation, and how it is answered: one form for all (contract section 1). */
import { STATUS_CODES } from 'node:http';
import { type ErrorCode, errorTable } from '../../errors.ts';
import type { Demand, Permission } from '../../schema/permissions.ts';
import type { Route } from '../route.ts';
import type { Reference, Response, Schema } from './types.ts';

export const ERROR_SCHEMA: Schema = {
  type: 'object',
  description: 'How every error is answered.',
  properties: {
    error: { type: 'string', description: 'A sentence for people; it may change.' },
    code: {
      type: 'string',
      enum: errorTable.map(({ code }) => code),
      description: 'For programs; it stays.',
    },
    request_id: { type: 'string', description: 'Finds the request in the log; also in the header X-Request-Id.' },
    details: {
      type: 'array',
      description: 'What is wrong with the input, field by field.',
      items: {
        type: 'object',
        properties: {
          field: { type: 'string', description: 'A path such as `days[0].start_time`.' },
          message: { type: 'string' },
        },
        required: ['field', 'message'],
      },
    },
  },
  required: ['error', 'code', 'request_id'],
};

const SIGNED_IN: ErrorCode[] = ['unauthenticated', 'tenant_suspended', 'user_suspended'];
const IN_TENANT: ErrorCode[] = [...SIGNED_IN, 'forbidden', 'tenant_not_ready'];
/** Of the demands that are no permission of a role. */
const BY_DEMAND: Partial<Record<Permission, ErrorCode[]>> = {
  public: [],
  signed_in: SIGNED_IN,
  platform: [...SIGNED_IN, 'forbidden'],
};

const HEADERS: Partial<Record<ErrorCode, string>> = {
  unauthenticated: 'WWW-Authenticate',
  tenant_not_ready: 'Retry-After',
  rate_limited: 'Retry-After',
  unavailable: 'Retry-After',
};

/** A code, and its status where that is not the usual one. */
type Failure = NonNullable<Route['errors']>[number];

/** What the row itself names, and what its method, its parameters and its permission imply. */
export function codesOf(route: Route, { permission, inPerson }: Demand, takesInput: boolean): Failure[] {
  const reads = route.method === 'GET';
  const implied: ErrorCode[] = [
    ...(BY_DEMAND[permission] ?? IN_TENANT),
    ...(inPerson ? (['forbidden'] as const) : []),
    ...(takesInput || !reads ? (['validation_failed'] as const) : []),
    ...(route.path.includes('{') ? (['not_found'] as const) : []),
    ...(route.method === 'POST' ? (['idempotency_key_reused'] as const) : []),
    ...(reads ? [] : (['payload_too_large', 'unsupported_media_type'] as const)),
    'unavailable',
  ];
  return [...(route.errors ?? []), ...implied];
}

type Row = { code: ErrorCode; status: number; sentence: string };

/** Makes the responses of errors, collecting them by the codes that they tell of. */
export class ErrorResponses {
  readonly named: Record<string, Response> = {};

  /** By status. */
  of(failures: readonly Failure[]): Record<string, Reference> {
    const statuses = new Map(
      failures.map((one) => (typeof one === 'string' ? [one, undefined] : [one.code, one.status])),
    );
    const rows: Row[] = errorTable
      .filter(({ code }) => statuses.has(code))
      .map((row) => ({ ...row, status: statuses.get(row.code) ?? row.status }));
    return Object.fromEntries(
      [...Map.groupBy(rows, ({ status }) => String(status))].map(([status, alike]) => {
        const name = alike.map(({ code }) => pascal(code)).join('Or');
        this.named[name] ??= response(status, alike);
        return [status, { $ref: `#/components/responses/${name}` }];
      }),
    );
  }
}

const pascal = (code: string) => code.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());

function response(status: string, rows: readonly Row[]): Response {
  const headers = new Set([
    'X-Request-Id',
    ...rows.map(({ code }) => HEADERS[code]).filter((name) => name !== undefined),
  ]);
  return {
    description: `${STATUS_CODES[status]}\n\n${rows.map(({ code, sentence }) => `- \`${code}\`: ${sentence}`).join('\n')}`,
    headers: Object.fromEntries([...headers].map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    content: {
      'application/json': {
        schema: { $ref: '#/components/schemas/Error' },
        examples: Object.fromEntries(rows.map((row) => [row.code, { value: example(row) }])),
      },
    },
  };
}

const example = ({ code, sentence }: Row) => ({
  error: sentence,
  code,
  request_id: '0198c0de-7b7a-7000-8000-000000000000',
  ...(code === 'validation_failed' && { details: [{ field: 'name', message: 'is required' }] }),
});
