/** What is in the databases: the control plane's and every tenant's, a digest a table, without what moves by itself. */
import pg from 'pg';

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
  'health_samples',
  'platform_usage_days',
  'rate_limits',
  'usage',
  'usage_days',
];
/** Logs only grow, so that their number and their end say enough; failed attempts to sign in are logged on purpose. */
const ROWS: Record<string, string> = {
  audit_entries: `select count(*), max(id::text) from audit_entries where action not like '%.login_failed' and action not like '%.login_refused'`,
  activity_log: 'select count(*), max(id::text) from activity_log',
  events: `select count(*), max(seq) from events where topic not in ('schedule', 'access', 'health', 'audit')`,
};
/** When something was last used is noted also of what is refused. */
const USED = ['sessions', 'api_keys'];

const TABLES =
  "select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1";

/** By database and table. */
export type Fingerprint = Record<string, string>;

export class Databases {
  readonly #controlUrl: string;
  readonly #pools = new Map<string, pg.Pool>();
  /** The statement that makes the digests, by database. */
  readonly #digesting = new Map<string, Promise<string>>();

  constructor(controlUrl: string) {
    this.#controlUrl = controlUrl;
  }

  /** Rows of one database, the control plane's by default. */
  async rows<Row extends pg.QueryResultRow>(text: string, values: unknown[] = [], database = ''): Promise<Row[]> {
    return (await this.#pool(database).query<Row>(text, values)).rows;
  }

  async fingerprint(): Promise<Fingerprint> {
    const tenants = await this.rows<{ name: string }>('select database_name as name from tenant_databases order by 1');
    const digests = await Promise.all(['', ...tenants.map(({ name }) => name)].map((name) => this.#digests(name)));
    return Object.assign({}, ...digests);
  }

  async #digests(database: string): Promise<Fingerprint> {
    const digesting = this.#digesting.get(database) ?? this.#statement(database);
    this.#digesting.set(database, digesting);
    try {
      const rows = await this.rows<{ name: string; digest: string }>(await digesting, [], database);
      return Object.fromEntries(rows.map(({ name, digest }) => [`${database || 'control'}.${name}`, digest]));
    } catch {
      // Being made, or just removed; both are seen in the control plane.
      this.#digesting.delete(database);
      return {};
    }
  }

  async #statement(database: string): Promise<string> {
    const tables = await this.rows<{ name: string }>(TABLES, [], database);
    const digests = tables.filter(({ name }) => !MOVING.includes(name)).map(({ name }) => digestOf(name));
    if (!database) digests.push(`select 'jobs', (select row(count(*), max(created_on))::text from pgboss.job)`);
    return digests.join(' union all ');
  }

  #pool(database: string): pg.Pool {
    const known = this.#pools.get(database);
    if (known) return known;
    const url = new URL(this.#controlUrl);
    if (database) url.pathname = `/${database}`;
    const pool = new pg.Pool({ connectionString: url.href, max: database ? 1 : 3 });
    // A database that is removed takes its connections along.
    pool.on('error', () => {});
    this.#pools.set(database, pool);
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

/** The tables in which two differ. */
export const differences = (before: Fingerprint, after: Fingerprint): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((table) => before[table] !== after[table]);
