/** What a control database holds, to show that something left it as it was. */
import type { TestApp } from './app.ts';

/** What goes on by itself, and what a failed attempt is meant to leave. */
const MOVING = [
  'audit_entries',
  'audit_unlinked',
  'audit_chain',
  'activity_heads',
  'rate_limits',
  'health_samples',
  'sessions',
  'usage',
  'usage_days',
  'component_states',
  'platform_usage_days',
];

/** What the leader tells of what it has gathered, in its own time. */
const ROWS: Record<string, string> = {
  events: "(select * from events where topic not in ('schedule', 'access', 'health', 'audit'))",
};

/** A digest of each table's rows; of the queue, its jobs. */
export async function contentOf({ services }: TestApp): Promise<Record<string, string>> {
  const { pool } = services.control;
  const tables = await pool.query<{ name: string }>(
    `select relname as name from pg_class
      where relkind = 'r' and relnamespace = 'public'::regnamespace and relname <> all ($1)`,
    [MOVING],
  );
  const digests = tables.rows.map(
    ({ name }) =>
      `select '${name}' as name, md5(string_agg(row::text, ',' order by row::text)) as digest from ${ROWS[name] ?? `"${name}"`} row`,
  );
  const jobs = `select 'jobs', md5(string_agg(id::text, ',' order by id)) from pgboss.job`;
  const { rows } = await pool.query<{ name: string; digest: string }>([...digests, jobs].join(' union all '));
  return Object.fromEntries(rows.map(({ name, digest }) => [name, digest]));
}
