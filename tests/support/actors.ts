/** Those who use the gateway: over REST and over GraphQL, signed in or not. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestApp } from './app.ts';
import { SUPER_ADMIN } from './super-admin.ts';

export interface Answer<T> {
  status: number;
  headers: Headers;
  body: T;
}

export interface GraphqlAnswer<T> {
  data: T;
  errors?: {
    message: string;
    path?: string[];
    extensions: {
      code: string;
      requestId: string;
      details?: { field: string; message: string }[];
      retryAfter?: number;
    };
  }[];
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
type Json = any;

/** Someone with a token, or nobody in particular. */
export class Actor {
  readonly #url: string;
  readonly token?: string;

  constructor(url: string, token?: string) {
    this.#url = url;
    this.token = token;
  }

  /** Sends a body as JSON; a string as it is. */
  async rest<T = Json>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(this.token && { authorization: `Bearer ${this.token}` }),
        ...headers,
      },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined };
  }

  async graphql<T = Json>(query: string, variables: Record<string, unknown> = {}): Promise<GraphqlAnswer<T>> {
    const { body } = await this.rest('POST', '/graphql', { query, variables });
    return body;
  }
}

/** A gateway in this process or in one of its own. */
type Gateway = Pick<TestApp, 'url'>;

export const anonymous = (app: Gateway): Actor => new Actor(app.url);

export async function superAdmin(app: Gateway, credentials = SUPER_ADMIN): Promise<Actor> {
  const { status, body } = await anonymous(app).rest('POST', '/api/super-admin/login', credentials);
  if (status !== 200) throw new Error(`signing in failed: ${JSON.stringify(body)}`);
  return new Actor(app.url, body.token);
}

/** Reads a REST list page by page, each by the `Link` of the one before it (RFC 8288). */
export async function pagesOf<T = Json>(actor: Actor, path: string): Promise<T[][]> {
  const pages: T[][] = [];
  for (let next: string | undefined = path; next; ) {
    const { status, headers, body }: Answer<T[]> = await actor.rest<T[]>('GET', next);
    if (status !== 200) throw new Error(`${next} answered ${status}: ${JSON.stringify(body)}`);
    pages.push(body);
    const link = headers.get('link');
    next = link ? /^<(\/api\/[^>]+)>; rel="next"$/.exec(link)?.[1] : undefined;
    if (link && !next) throw new Error(`not the next page's address: ${link}`);
  }
  return pages;
}

/** Asks until the answer is as wished, for ten seconds at most. @returns the answer. */
export async function eventually<T>(ask: () => Promise<T>, wished: (answer: T) => boolean, ms = 10_000): Promise<T> {
  for (const deadline = Date.now() + ms; ; await sleep(25)) {
    const answer = await ask();
    if (wished(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`it never came to be: ${JSON.stringify(answer)}`);
  }
}

let made = 0;

export interface Tenant {
  id: string;
  slug: string;
  adminEmail: string;
  adminPassword: string;
}

/** Provisions a tenant with an admin and waits until it is active. */
export async function provision(admin: Actor, input: Record<string, unknown> = {}): Promise<Tenant> {
  const slug = `tenant-${process.pid}-${++made}`;
  const wanted = {
    name: `Tenant ${made}`,
    slug,
    admin_email: `admin@${slug}.test`,
    admin_password: 'a tenant admin password',
    ...input,
  };
  const { status, body } = await admin.rest('POST', '/api/super-admin/tenants', wanted);
  if (status !== 201) throw new Error(`provisioning failed: ${JSON.stringify(body)}`);
  await active(admin, body.id);
  return { id: body.id, slug: body.slug, adminEmail: wanted.admin_email, adminPassword: wanted.admin_password };
}

export async function active(admin: Actor, id: string, ms?: number): Promise<void> {
  await eventually(
    () => admin.rest('GET', `/api/super-admin/tenants/${id}`),
    ({ body }) => body.status === 'active',
    ms,
  );
}

/** Signs a tenant's user in. */
export async function agent(app: Gateway, email: string, password: string): Promise<Actor> {
  const { status, body } = await anonymous(app).rest('POST', '/api/auth/login', { email, password });
  if (status !== 200) throw new Error(`signing in failed: ${JSON.stringify(body)}`);
  return new Actor(app.url, body.token);
}
