/** What requests, and those who open sockets, say about who they are (contract section 1). */
import type { FastifyRequest } from 'fastify';
import type { Config } from './config.ts';
import type { RequestFacts } from './context.ts';
import type { ApiKeyRing } from './domain/api-key-ring.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether a route changes something, whatever its method. */
    changes?: boolean;
  }
}

export const COOKIE = 'access_token';

/** What says who asks, before it is judged. */
export interface Given {
  /** Of an `Authorization` header. */
  authorization?: string;
  /** Of an `X-API-Key` header. */
  apiKey?: string;
  cookie?: string;
}

export type Credentials = Pick<RequestFacts, 'token' | 'tokenIsFrom' | 'key'>;

/** The header decides where there is one, also when what it holds is no good. */
export async function credentialsFrom(given: Given, apiKeys: ApiKeyRing): Promise<Credentials> {
  const { authorization, apiKey, cookie } = given;
  if (authorization !== undefined) {
    return { token: /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? 'none', tokenIsFrom: 'header' };
  }
  // A cookie beside it does not count, also when the key is no good.
  if (apiKey !== undefined) return { key: await settled(() => apiKeys.holderOf(apiKey)) };
  return { token: cookie || undefined, tokenIsFrom: 'cookie' };
}

export function givenBy(request: FastifyRequest): Given {
  const { authorization, 'x-api-key': apiKey } = request.headers;
  return { authorization, apiKey: apiKey?.toString(), cookie: request.cookies[COOKIE] };
}

/** Of a browser that goes where a page of another origin sends it, of this site or not. */
const SENT_FROM_ELSEWHERE = new Set<unknown>(['cross-site', 'same-site']);

/**
 * Whether a page asks that is neither of this server nor of an origin that may use it. A program sends no Origin, and
 * a browser none where it follows a link, which may read but change nothing.
 */
export function isForeign(request: FastifyRequest, { corsOrigins }: Config): boolean {
  const { origin, 'sec-fetch-site': site } = request.headers;
  if (origin === undefined) return SENT_FROM_ELSEWHERE.has(site) && request.routeOptions.config.changes === true;
  if (corsOrigins.includes(origin)) return false;
  return !URL.canParse(origin) || new URL(origin).host !== request.host;
}

/** The same without the cookie where another site's page sent it: whoever looks at that page did not mean to. */
export function givenWillingly(request: FastifyRequest, config: Config): Given {
  const given = givenBy(request);
  if (given.cookie !== undefined && isForeign(request, config)) given.cookie = undefined;
  return given;
}

/** What was found, or the error that is thrown where it is asked for: some operations are for everybody. */
async function settled<T>(find: () => Promise<T>): Promise<() => T> {
  const [found] = await Promise.allSettled([find()]);
  return () => {
    if (found.status === 'rejected') throw found.reason;
    return found.value;
  };
}
