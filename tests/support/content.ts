/** What a control database holds, to show that something left it as it was. */
import { sql } from './database.ts';

/** What goes on by itself, and what a failed attempt is meant to leave. */
const MOVING = ['audit_entries', 'rate_limits', 'health_samples', 'usage'];

/** A digest of each table's rows; of the queue, its jobs. */
export async function contentOf(databaseUrl: string): Promise<Record<string, string>> {
  const tables = await sql<{ name: string }>(
    databaseUrl,
    `select table_name as name from information_schema.tables where table_schema = 'public' and table_name <> all ($1)`,
    [MOVING],
  );
  const digests = tables.map(
    ({ name }) =>
      `select '${name}' as name, md5(string_agg(row::text, ',' order by row::text)) as digest from "${name}" row`,
  );
  const rows = await sql<{ name: string; digest: string }>(
    databaseUrl,
    [...digests, `select 'jobs', md5(string_agg(id::text, ',' order by id)) from pgboss.job`].join(' union all '),
  );
  return Object.fromEntries(rows.map(({ name, digest }) => [name, digest]));
}
