/** Requests at a steady rate, reads and writes of both kinds of databases, and what became of each. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Actor } from '../tests/support/actors.ts';
import { serverUrl, sql } from '../tests/support/database.ts';
import { type RawAnswer, send } from '../tests/support/http.ts';
import type { Installation } from './installation.ts';

export const PER_SECOND = 50;
/** One request in so many makes a tenant. */
const TENANT_EVERY = 50;
/** Longer than this no answer is waited for. */
const HANG_MS = 20_000;

export interface Sent {
  /** Stands in the audit entry of a write, or is the name of what it made. */
  id: string;
  what: string;
  makes?: 'audit' | 'division' | 'tenant';
  /** By `performance.now()`. */
  at: number;
  ms: number;
  status?: number;
  answer?: RawAnswer;
  /** Why there is no answer. */
  failure?: string;
}

export interface Crew {
  installation: Installation;
  /** Where requests may be sent; one that refuses the connection is passed over. */
  urls: () => readonly string[];
  admin: Pick<Actor, 'token'>;
  /** An admin of a tenant. */
  agent: Pick<Actor, 'token'>;
  /** Tenants whose names are changed; the agent's is the first. */
  tenants: readonly string[];
  /** Whether no new tenants are asked for. */
  makesNone?: boolean;
}

let runs = 0;

export class Load {
  readonly sent: Sent[] = [];
  readonly #crew: Crew;
  readonly #run = `load-${process.pid}-${++runs}`;
  readonly #open = new Set<Promise<void>>();
  #timer?: NodeJS.Timeout;
  #count = 0;
  #written = Promise.withResolvers<void>();

  private constructor(crew: Crew) {
    this.#crew = crew;
  }

  /** Sends for as long as something goes on, and waits for what is under way in the end. */
  static async during(crew: Crew, body: (load: Load) => Promise<void>): Promise<Load> {
    const load = new Load(crew);
    load.#start();
    try {
      await body(load);
    } finally {
      await load.#stop();
    }
    return load;
  }

  #start(): void {
    this.#timer = setInterval(() => {
      const request = this.#next().then(() => void this.#open.delete(request));
      this.#open.add(request);
    }, 1000 / PER_SECOND);
  }

  async #stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
  }

  /** Ends in the moment in which a write of the control database is said to be done. @throws where none is. */
  written(): Promise<void> {
    this.#written = Promise.withResolvers();
    const none = sleep(HANG_MS, undefined, { ref: false }).then(() => {
      throw new Error(`no write was done within ${HANG_MS / 1000} s`);
    });
    return Promise.race([this.#written.promise, none]);
  }

  async #next(): Promise<void> {
    const number = ++this.#count;
    const id = `${this.#run}-${number}`;
    const { tenants, admin, agent, installation, makesNone } = this.#crew;
    const tenant = tenants[number % tenants.length]!;
    const root = '/api/super-admin/tenants';
    if (number % TENANT_EVERY === 0 && !makesNone) {
      const body = { name: id, slug: id };
      const sent = await this.#send(id, admin, 'POST', root, body, 'tenant');
      if (sent.status === 201) installation.acknowledge(JSON.parse(sent.answer!.text), false);
    } else if (number % 5 < 2) await this.#send(id, admin, 'PATCH', `${root}/${tenant}`, { name: id }, 'audit');
    else if (number % 5 === 2) await this.#send(id, agent, 'POST', '/api/divisions', { name: id }, 'division');
    else if (number % 5 === 3) await this.#send(id, admin, 'GET', `${root}?limit=20`);
    else await this.#send(id, agent, 'GET', '/api/working-hours');
  }

  async #send(
    id: string,
    by: Pick<Actor, 'token'>,
    method: string,
    path: string,
    body?: unknown,
    makes?: Sent['makes'],
  ): Promise<Sent> {
    const at = performance.now();
    const urls = this.#crew.urls();
    const headers = {
      authorization: `Bearer ${by.token}`,
      'x-request-id': id,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    const sent: Sent = { id, what: `${method} ${path}`, makes, at, ms: 0 };
    const ask = async () => {
      for (let attempt = 0; ; attempt++) {
        const url = urls[(this.#count + attempt) % urls.length]!;
        try {
          return await send(url, method, path, {
            headers,
            body: body === undefined ? undefined : JSON.stringify(body),
          });
        } catch (error) {
          // Nobody has taken it: somebody else may.
          if ((error as { code?: string }).code !== 'ECONNREFUSED' || attempt + 1 >= urls.length) throw error;
        }
      }
    };
    const patience = new AbortController();
    const hang = sleep(HANG_MS, undefined, { signal: patience.signal }).then(() => {
      throw new Error(`no answer within ${HANG_MS / 1000} s`);
    });
    hang.catch(() => {});
    try {
      sent.answer = await Promise.race([ask(), hang]);
      sent.status = sent.answer.status;
      if (makes === 'audit' && sent.status < 300) this.#written.resolve();
      if (sent.status >= 300) this.#crew.installation.refusals.push(sent.answer.text);
    } catch (error) {
      sent.failure = (error as Error).message || String((error as { code?: string }).code);
    }
    patience.abort();
    sent.ms = performance.now() - at;
    this.sent.push(sent);
    return sent;
  }

  /** Those that were not done. */
  get refused(): Sent[] {
    return this.sent.filter(({ status }) => status === undefined || status >= 300);
  }

  /** @returns answers that nobody is to get, whatever goes on: anything but success and 503 with `Retry-After`. */
  unfit(): string[] {
    return this.refused
      .filter(({ status, answer }) => status !== 503 || !(Number(answer!.headers.get('retry-after')) > 0))
      .map(({ what, status, answer, failure, ms }) => {
        const said = failure ?? `${status} ${answer!.text.slice(0, 200)}`;
        return `${what} after ${Math.round(ms)} ms: ${said}`;
      });
  }

  /** @returns the writes that were said to be done and are not there. */
  async lost(): Promise<string[]> {
    const { databaseUrl } = this.#crew.installation;
    const done = (kind: Sent['makes']) =>
      this.sent.filter(({ makes, status }) => makes === kind && status !== undefined && status < 300);
    const [database] = await sql<{ name: string }>(
      databaseUrl,
      'select database_name as name from tenant_databases where org_id = $1',
      [this.#crew.tenants[0]],
    );
    const [audited, divisions] = await Promise.all([
      sql<{ id: string }>(databaseUrl, 'select request_id as id from audit_entries where starts_with(request_id, $1)', [
        `${this.#run}-`,
      ]),
      sql<{ id: string }>(
        serverUrl(database!.name, databaseUrl),
        'select name as id from divisions where starts_with(name, $1)',
        [`${this.#run}-`],
      ),
    ]);
    const there = new Set([...audited, ...divisions].map(({ id }) => id));
    return [...done('audit'), ...done('division'), ...done('tenant')]
      .filter(({ id }) => !there.has(id))
      .map(({ id, what }) => `${what} (${id}) was said to be done and is not there`);
  }
}

/** So many tenants, and somebody in the first of them. */
export async function makeCrew(
  installation: Installation,
  urls: () => readonly string[],
  admin: Actor,
  count = 3,
): Promise<Crew> {
  const tenants = await installation.makeTenants(admin, count);
  const agent = await installation.agentOf({ url: urls()[0]! }, tenants[0]!.slug);
  return { installation, urls, admin, agent, tenants: tenants.map(({ id }) => id) };
}
