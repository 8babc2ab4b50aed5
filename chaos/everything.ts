/** What is written down about tenants, in both databases and in the server's catalogs, to be compared with later. */
import pg from 'pg';
import { serverUrl, sql } from '../tests/support/database.ts';

/** What a tenant's run, and whoever works on it, writes; usage, health and the links of chains move by themselves. */
const CONTROL = [
  'organizations',
  'tenant_databases',
  'provisioning_runs',
  'provisioning_steps',
  'identities',
  'audit_entries',
  'revocations',
  'super_admins',
  'events',
];
/** What is told of usage and of health moves by itself, too. */
const TOPICS = ['tenant', 'provisioning'];
const MOVING = ['activity_chain', 'activity_unlinked'];

const CATALOGS = `
  select 'database ' || d::text as line from
    (select datname, datallowconn, datconnlimit, datacl::text from pg_database where starts_with(datname, $1)) d
  union all select 'role ' || r::text from
    (select rolname, rolcanlogin, rolconnlimit, rolpassword from pg_authid where starts_with(rolname, $1)) r
  order by line`;

/** @returns a line for each row. */
export async function everything(databaseUrl: string): Promise<string[]> {
  const [installation] = await sql<{ code: string }>(databaseUrl, 'select code from installation');
  const prefix = `t_${installation!.code}`;
  const databases = await sql<{ name: string }>(databaseUrl, 'select database_name as name from tenant_databases');
  const lines = await Promise.all([
    sql<{ line: string }>(databaseUrl, CATALOGS, [prefix]).then((rows) => rows.map(({ line }) => line)),
    rowsOf(databaseUrl, CONTROL),
    ...databases.map(({ name }) => rowsOf(serverUrl(name, databaseUrl))),
    jobs(databaseUrl),
  ]);
  return lines.flat().toSorted();
}

const topics = TOPICS.map((topic) => `'${topic}'`).join(', ');

/** Of some tables, or of all that do not move by themselves. */
async function rowsOf(url: string, tables?: string[]): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `select tablename as name from pg_tables where schemaname = 'public'
          and ($1::text[] is null or tablename = any ($1)) and tablename <> all ($2)`,
      [tables ?? null, MOVING],
    );
    const found: string[] = [];
    for (const { name } of rows) {
      const { rows: lines } = await client.query<{ line: string }>(
        `select t::text as line from "${name}" t${name === 'events' ? ` where topic in (${topics})` : ''}`,
      );
      found.push(...lines.map(({ line }) => `${new URL(url).pathname.slice(1)} ${name} ${line}`));
    }
    return found;
  } finally {
    await client.end();
  }
}

/** Without their heartbeats. */
async function jobs(url: string): Promise<string[]> {
  const rows = await sql<{ line: string }>(
    url,
    `select concat_ws(' ', 'job', singleton_key, state, retry_count, completed_on) as line from pgboss.job
      where name = 'tenant.provision'`,
  );
  return rows.map(({ line }) => line);
}

/** @returns what is there now and was not before, and the other way round. */
export function difference(before: readonly string[], after: readonly string[]): string[] {
  const [were, are] = [new Set(before), new Set(after)];
  return [
    ...before.filter((line) => !are.has(line)).map((line) => `gone: ${line}`),
    ...after.filter((line) => !were.has(line)).map((line) => `new: ${line}`),
  ];
}
