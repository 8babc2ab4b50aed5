/** Databases of a test's own on the run's server. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { eventually } from './actors.ts';

/** The run's server, as its superuser. @param server another one: the URL of any of its databases. */
export function serverUrl(database: string, server = process.env.TEST_DATABASE_URL!): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}

/** Runs one statement, closing the connection behind it. */
export async function sql<Row extends pg.QueryResultRow>(
  url: string,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** A table that nobody else can get at for now. */
interface HeldTable {
  /** Waits until so many wait for it. */
  wanted(by: number): Promise<void>;
  letGo(): Promise<void>;
}

export async function holdTable(url: string, table: string): Promise<HeldTable> {
  const client = new pg.Client({ connectionString: url });
  // The database may go first, where a test fails.
  client.on('error', () => {});
  await client.connect();
  await client.query(`begin; lock table ${table} in access exclusive mode`);
  const waiting = `select count(*)::int as count from pg_locks where relation = '${table}'::regclass and not granted`;
  return {
    wanted: async (by) =>
      void (await eventually(
        async () => (await client.query<{ count: number }>(waiting)).rows[0]!.count,
        (count) => count >= by,
      )),
    letGo: () => client.end(),
  };
}

/** An empty control-plane database. @param server the URL of any database of it. @returns its URL. */
export async function createControlDatabase(server?: string): Promise<string> {
  const name = `control_${randomBytes(6).toString('hex')}`;
  await sql(serverUrl('postgres', server), `create database ${name}`);
  return serverUrl(name, server);
}

/** Removes a control database with all tenants' databases and roles that its installation made. */
export async function dropControlDatabase(url: string): Promise<void> {
  const { pathname } = new URL(url);
  const [installation] = await sql<{ code: string }>(url, 'select code from installation').catch(() => []);
  const admin = serverUrl('postgres', url);
  if (installation) {
    const like = `t\\_${installation.code}%`;
    for (const { datname } of await sql<{ datname: string }>(
      admin,
      'select datname from pg_database where datname like $1',
      [like],
    )) {
      await sql(admin, `drop database "${datname}" with (force)`);
    }
    for (const { rolname } of await sql<{ rolname: string }>(
      admin,
      'select rolname from pg_roles where rolname like $1 order by length(rolname) desc',
      [like],
    )) {
      await sql(admin, `drop role "${rolname}"`);
    }
  }
  await sql(admin, `drop database "${pathname.slice(1)}" with (force)`);
}
