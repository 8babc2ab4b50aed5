/** What is in the databases: the control plane's and every tenant's, a digest a table, without what moves by itself. */
import pg from 'pg';
import { serverUrl } from '../support/database.ts';

/** What a gateway does in its own time, and what a refused attempt is meant to leave (throttles). */
const MOVING = [
  'activity_chain',
  'activity_heads',
  'activity_unlinked',
  'audit_chain',
  'audit_unlinked',
  'component_states',
  // A refusal is kept too, for those who ask again.
  'idempotency_keys',
  // Dropped when a server is back that was away, which is looked for every few seconds.
  'left_databases',
  'health_samples',
  'platform_usage_days',
  'rate_limits',
  'usage',
  'usage_days',
];
/** Logs only grow, so that their number and their end say enough; failed attempts to sign in are logged on purpose. */
const ROWS: Record<string, string> = {
  audit_entries: `select count(*), max(id::text) from audit_entries where action not like '%.login_failed' and action not like '%.login_refused'
    and action <> 'tenant.drop_left'`,
  activity_log: 'select count(*), max(id::text) from activity_log',
  events: `select count(*), max(seq) from events where topic not in ('schedule', 'access', 'health', 'audit')`,
  // Those whose time is over are removed at a moment of the gateway's own.
  tenant_exports: `select count(*), sum(hashtextextended(e::text, 0)) from tenant_exports e where expires_at is null or expires_at > now()`,
};
/** When something was last used is noted also of what is refused. */
const USED = ['sessions', 'api_keys'];

const TABLES =
  "select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1";

const PLACES = 'select database_name as name, server_id as "serverId" from tenant_databases';

/** By database and table. */
export type Fingerprint = Record<string, string>;

/** Where a tenant's database is. */
export interface Place {
  name: string;
  serverId: string;
}

export class Databases {
  readonly #controlUrl: string;
  /** Of the servers that tenants' databases are on besides the home server, by their ids: the URL of any database. */
  readonly #servers = new Map<string, string>();
  readonly #pools = new Map<string, pg.Pool>();
  /** The statement that makes the digests, by the URL of the database. */
  readonly #digesting = new Map<string, Promise<string>>();

  constructor(controlUrl: string) {
    this.#controlUrl = controlUrl;
  }

  /** Of the control database, as the server's superuser. */
  get controlUrl(): string {
    return this.#controlUrl;
  }

  /** Lets tenants' databases on another server be looked into. @param url of any database there, as its superuser. */
  reach(serverId: string, url: string): void {
    this.#servers.set(serverId, url);
  }

  /** Rows of the control plane's database. */
  rows<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.#query<Row>(this.#controlUrl, text, values);
  }

  /** Rows of a tenant's. */
  async rowsIn<Row extends pg.QueryResultRow>(place: Place, text: string, values: unknown[] = []): Promise<Row[]> {
    return this.#query<Row>(this.#urlOf(place), text, values);
  }

  async placeOf(tenantId: string): Promise<Place> {
    return (await this.rows<Place>(`${PLACES} where org_id = $1`, [tenantId]))[0]!;
  }

  async fingerprint(): Promise<Fingerprint> {
    const places = await this.rows<Place>(PLACES);
    const digests = await Promise.all([
      this.#digests('control', this.#controlUrl),
      ...places.map((place) => this.#digests(place.name, this.#urlOf(place))),
    ]);
    return Object.assign({}, ...digests);
  }

  #urlOf({ name, serverId }: Place): string {
    return serverUrl(name, this.#servers.get(serverId) ?? this.#controlUrl);
  }

  async #query<Row extends pg.QueryResultRow>(url: string, text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.#pool(url).query<Row>(text, values)).rows;
  }

  async #digests(name: string, url: string): Promise<Fingerprint> {
    const digesting = this.#digesting.get(url) ?? this.#statement(url);
    this.#digesting.set(url, digesting);
    try {
      const rows = await this.#query<{ name: string; digest: string }>(url, await digesting);
      return Object.fromEntries(rows.map((row) => [`${name}.${row.name}`, row.digest]));
    } catch {
      // Being made, or just removed; both are seen in the control plane.
      this.#digesting.delete(url);
      return {};
    }
  }

  async #statement(url: string): Promise<string> {
    const tables = await this.#query<{ name: string }>(url, TABLES);
    const digests = tables.filter(({ name }) => !MOVING.includes(name)).map(({ name }) => digestOf(name));
    if (url === this.#controlUrl) {
      digests.push(`select 'jobs', (select row(count(*), max(created_on))::text from pgboss.job)`);
    }
    return digests.join(' union all ');
  }

  #pool(url: string): pg.Pool {
    const known = this.#pools.get(url);
    if (known) return known;
    const pool = new pg.Pool({ connectionString: url, max: url === this.#controlUrl ? 3 : 1 });
    // A database that is removed takes its connections along.
    pool.on('error', () => {});
    this.#pools.set(url, pool);
    return pool;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.end()));
  }
}

function digestOf(table: string): string {
  const rows = ROWS[table];
  const row = USED.includes(table) ? "(to_jsonb(r) - 'last_used_at')::text" : 'r::text';
  const digest = rows
    ? `(select row(q.*)::text from (${rows}) q)`
    : `(select row(count(*), sum(hashtextextended(${row}, 0)))::text from "${table}" r)`;
  return `select '${table}' as name, ${digest} as digest`;
}

/** Where the queue is in a fingerprint. */
export const JOBS = 'control.jobs';

/** What was sent last, to see by whom: work that goes on by itself sends jobs as well. */
export async function newestJobs(databases: Databases): Promise<string> {
  const rows = await databases.rows<{ job: string }>(
    `select name || ' ' || state || ' ' || data::text || ' of ' || created_on as job from pgboss.job order by created_on desc limit 2`,
  );
  return rows.map(({ job }) => job).join(', ');
}

/** The tables in which two differ. */
export const differences = (before: Fingerprint, after: Fingerprint): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((table) => before[table] !== after[table]);
