/**
 * The one table of errors. Whatever is thrown inside the gateway reaches a client as one of these codes;
 * anything that is not in the table is logged and answered as `internal_error`, without its message.
 */
import { types } from 'node:util';

/** One thing that is wrong with the input. `field` is a path such as `days[0].start_time`. */
export interface ErrorDetail {
  field: string;
  message: string;
}

const table = {
  validation_failed: [400, 'The request is not valid.'],
  unauthenticated: [401, 'Sign in first: the credentials are missing, expired or no longer valid.'],
  forbidden: [403, 'You are signed in, but this is not yours to do.'],
  tenant_suspended: [403, 'This organization is suspended.'],
  user_suspended: [403, 'This account is suspended.'],
  not_found: [404, 'There is nothing here by that name.'],
  method_not_allowed: [405, 'This address does not take that method.'],
  conflict: [409, 'The request does not fit the present state.'],
  slug_taken: [409, 'Another organization already has this slug.'],
  email_taken: [409, 'Another account already has this e-mail address.'],
  tenant_not_ready: [409, 'This organization is not active.'],
  tenant_archived: [409, 'This organization is archived: its database has to be restored first.'],
  tenant_required: [409, 'This e-mail address belongs to several organizations: say which one with "tenant".'],
  cannot_delete_self: [409, 'You cannot delete your own account.'],
  last_super_admin: [409, 'The last super admin cannot be deleted.'],
  last_admin: [409, 'The last admin of an organization can be neither deleted, demoted nor deactivated.'],
  limit_reached: [409, 'The limit of this organization is reached.'],
  idempotency_key_reused: [409, 'This Idempotency-Key was already used for another request.'],
  payload_too_large: [413, 'The request body is too large.'],
  unsupported_media_type: [415, 'Send the body as application/json.'],
  range_not_satisfiable: [416, 'The file ends before what was asked for: it may have been there in full already.'],
  rate_limited: [429, 'Too many attempts: wait a moment and try again.'],
  internal_error: [500, 'Something went wrong on our side. The request id finds it in the log.'],
  unavailable: [503, 'A part of the platform that this needs is away for the moment. Try again shortly.'],
} as const satisfies Record<string, readonly [status: number, sentence: string]>;

/** A stable code, `snake_case` over REST and `UPPER_SNAKE_CASE` in GraphQL's `extensions.code`. */
export type ErrorCode = keyof typeof table;

/** Every code with its HTTP status and default sentence, for the API description and the docs. */
export const errorTable = Object.entries(table).map(([code, [status, sentence]]) => ({
  code: code as ErrorCode,
  status,
  sentence,
}));

interface AppErrorOptions {
  /** A sentence for this case; the table's otherwise. */
  message?: string;
  details?: ErrorDetail[];
  /** Seconds after which trying again makes sense; becomes `Retry-After`. */
  retryAfter?: number;
  /** Where a code has another HTTP status than its usual one. */
  status?: number;
  /** Of the answer over HTTP. */
  headers?: Record<string, string>;
  cause?: unknown;
}

/** A body of nothing but mistakes is not to get an answer larger than itself. */
const MOST_DETAILS = 100;

/** An error meant for the client. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details?: ErrorDetail[];
  readonly retryAfter?: number;
  readonly status: number;
  readonly headers?: Record<string, string>;

  constructor(code: ErrorCode, options: AppErrorOptions = {}) {
    super(options.message ?? table[code][1], { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.details = options.details
      ?.slice(0, MOST_DETAILS)
      .map(({ field, message }) => ({ field: field.slice(0, 200), message }));
    this.retryAfter = options.retryAfter;
    this.status = options.status ?? table[code][0];
    this.headers = options.headers;
  }
}

/** 400 naming one field. */
export const invalid = (field: string, message: string) =>
  new AppError('validation_failed', { details: [{ field, message }] });

/** 404 naming what was looked for, e.g. `notFound('tenant')`. */
export const notFound = (what: string) => new AppError('not_found', { message: `There is no such ${what}.` });

/** SQLSTATE raised by the counting triggers of a tenant's database (migrations/tenant). */
export const LIMIT_REACHED_SQLSTATE = 'OS409';

/** SQLSTATE classes and socket errors that mean "the database is away", not "the query is wrong". */
const AWAY = /^(08|3D000|57P0|57014|25P03|53300|55P03|55006|ECONN|ENOTFOUND|EPIPE|ETIMEDOUT|EHOSTUNREACH)/;
const AWAY_MESSAGE =
  /timeout exceeded when trying to connect|is not currently accepting connections|Connection terminated|Client has encountered a connection|Client was closed|Query read timeout/i;
const CUT_OFF = /^(57P01|ECONNRESET|EPIPE)$|^Connection terminated unexpectedly/;
const UNANSWERED = /Query read timeout/;

interface DatabaseFailure {
  /** SQLSTATE, or the socket's error code. */
  code?: string;
  /** The constraint that refused a row. */
  constraint?: string;
  message: string;
}

/** The error of the database driver beneath whatever wraps it; a socket's is Node's own, also where tests run in a realm apart. */
export function databaseError(error: unknown): DatabaseFailure | undefined {
  for (let e = error, depth = 0; types.isNativeError(e) && depth < 5; e = e.cause, depth++) {
    const { code, constraint } = e as { code?: unknown; constraint?: string };
    if (typeof code === 'string') return { code, constraint, message: e.message };
    if (AWAY_MESSAGE.test(e.message)) return { message: e.message };
  }
  return undefined;
}

/** Whether an answer was not waited for any longer (`query_timeout` of the driver). */
export const isUnanswered = (error: unknown): boolean => UNANSWERED.test(databaseError(error)?.message ?? '');

/** Whether the session was ended from the other side. */
export const isCutOff = (error: unknown): boolean => {
  const failure = databaseError(error);
  return CUT_OFF.test(failure?.code ?? failure?.message ?? '');
};

/** Whether this failure says that a database could not be reached. */
export function isUnavailable(error: unknown): boolean {
  const database = databaseError(error);
  return !!database && (AWAY.test(database.code ?? '') || AWAY_MESSAGE.test(database.message));
}

/** What it means that a unique index refused a row; with a sentence where the code has none for the case. */
const TAKEN: Readonly<Record<string, [code: ErrorCode, message?: string]>> = {
  organizations_slug_unique: ['slug_taken'],
  super_admins_email_key: ['email_taken'],
  identities_org_email_key: ['email_taken'],
  database_servers_name_key: ['conflict', 'Another database server already has this name.'],
  database_servers_system_identifier_unique: ['conflict', 'This server is registered already.'],
  roles_name_key: ['conflict', 'Another role already has this name.'],
  divisions_name_key: ['conflict', 'Another division already has this name.'],
};

/** Brings any thrown value to the table. What comes back with `internal_error` must be logged by the caller. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  // GraphQL wraps what a resolver threw.
  const original = (error as { originalError?: unknown } | null)?.originalError;
  if (original) return toAppError(original);
  if (isUnavailable(error)) return new AppError('unavailable', { retryAfter: 2, cause: error });
  const database = databaseError(error);
  const taken = database?.code === '23505' && TAKEN[database.constraint ?? ''];
  if (taken) return new AppError(taken[0], { message: taken[1], cause: error });
  if (database?.code === LIMIT_REACHED_SQLSTATE) {
    return new AppError('limit_reached', { message: database.message, cause: error });
  }
  return new AppError('internal_error', { cause: error });
}
