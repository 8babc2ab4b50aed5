/** Whether a PostgreSQL server, and a pooler in front of it, can be used for tenants' databases. Changes nothing there. */
import pg from 'pg';
import { describeFailure } from '../components/describe-failure.ts';
import { groupName } from './tenant-names.ts';

/** Why a server cannot be used: a sentence for whoever gave its address, which is not in it beyond host and port. */
export class UnfitServer extends Error {}

export interface ServerFacts {
  /** PostgreSQL's `system_identifier`: a server and its physical copies have the same one, others never. */
  systemIdentifier: string;
}

const PATIENCE_MS = 5000;
const OLDEST = 150_000;
/** Tenants' databases are made with less, but nobody could work in them. */
const FEWEST_CONNECTIONS = 20;

interface Answer {
  version: number;
  shown: string;
  standby: boolean;
  able: boolean;
  connections: number;
  pid: number;
  systemIdentifier: string;
}

const ASK = `
  select current_setting('server_version_num')::int as version, current_setting('server_version') as shown,
         pg_is_in_recovery() as standby, rolsuper or (rolcreatedb and rolcreaterole) as able,
         current_setting('max_connections')::int as connections, pg_backend_pid() as pid,
         (select system_identifier::text from pg_control_system()) as "systemIdentifier"
    from pg_roles where rolname = current_user`;

/**
 * What a role lacks. USAGE: membership that is not inherited is not enough to own anything. Since PostgreSQL 16 CREATEROLE
 * alone says nothing about roles that another one has made. A superuser has all of it.
 */
const OTHERS = `
  select format('This installation\u2019s databases there belong to %s: give that role, or one that it is granted to.',
                datdba::regrole) as reason
    from pg_database where starts_with(datname, $1 || '_') and not pg_has_role(datdba, 'usage')
  union all
  select format('Its role may not change %s and other roles of this installation there: it needs them WITH ADMIN OPTION.', rolname)
    from pg_roles where (rolname = $1 or starts_with(rolname, $1 || '_'))
     and current_setting('server_version_num')::int >= 160000 and not pg_has_role(oid, 'member with admin option')
   limit 1`;

/** Host and port, the only part of an address that is ever shown. */
export function hostOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port || 5432}`;
}

/** @param url of its maintenance database, as the role that makes tenants' databases. @throws {UnfitServer} */
export async function checkServer(url: string): Promise<ServerFacts> {
  return inSession(url, async (client) => {
    const answer = await ask(client);
    if (answer.version < OLDEST) throw new UnfitServer(`PostgreSQL 15 or newer is needed; this is ${answer.shown}.`);
    if (answer.standby) throw new UnfitServer('This server is a standby: nothing can be made on it.');
    if (!answer.able) {
      throw new UnfitServer('Its role must be able to create databases and roles (CREATEDB and CREATEROLE).');
    }
    // A pooler hands out numbers of its own.
    if ((client as unknown as { processID: number | null }).processID !== answer.pid) {
      throw new UnfitServer(
        'There is a pooler in between: give the address of the server itself here, and the pooler\u2019s as the pooled one.',
      );
    }
    if (answer.connections < FEWEST_CONNECTIONS) {
      throw new UnfitServer(
        `It allows ${answer.connections} connections; at least ${FEWEST_CONNECTIONS} are needed (max_connections).`,
      );
    }
    return { systemIdentifier: answer.systemIdentifier };
  });
}

/**
 * Whether the role of a URL may do with an installation's databases there what their owner may: copy the template, migrate, drop.
 *
 * @param code the installation's. @throws {UnfitServer}
 */
export async function checkOwnership(url: string, code: string): Promise<void> {
  await inSession(url, async (client) => {
    const { rows } = await client.query<{ reason: string }>(OTHERS, [groupName(code)]);
    if (rows[0]) throw new UnfitServer(rows[0].reason);
  });
}

/** Which of these databases a server lacks, or has only in part. @throws {UnfitServer} */
export async function missingDatabases(url: string, names: readonly string[]): Promise<string[]> {
  return inSession(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `select name from unnest($1::text[]) as name
        where not exists (select from pg_database where datname = name and datconnlimit <> -2)`,
      [names],
    );
    return rows.map(({ name }) => name);
  });
}

/**
 * @param url of a pooler, with a role and a database that it knows. @param systemIdentifier of the server that it is to be in front of.
 * @returns whether it keeps clients' prepared statements. @throws {UnfitServer}
 */
export async function checkPooler(url: string, systemIdentifier: string): Promise<boolean> {
  return inSession(url, async (client) => {
    const answer = await ask(client);
    if (answer.systemIdentifier !== systemIdentifier)
      throw new UnfitServer('The pooler is in front of another server.');
    return inSession(url, (other) => keepsPrepared(client, other));
  });
}

/** Two sessions of a client's, one of which keeps the server's session busy in which the other has prepared a statement. */
async function keepsPrepared(client: pg.Client, other: pg.Client): Promise<boolean> {
  const statement = { name: 'omnistream_check', text: 'select $1::int as one', values: [1] };
  await client.query(statement);
  await other.query('begin');
  try {
    await client.query(statement);
    return true;
  } catch {
    return false;
  } finally {
    await other.query('rollback').catch(() => {});
  }
}

async function ask(client: pg.Client): Promise<Answer> {
  const { rows } = await client.query<Answer>(ASK);
  return rows[0]!;
}

async function inSession<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  let client: pg.Client | undefined;
  try {
    // It throws where it cannot make anything of the address.
    client = new pg.Client({ connectionString, connectionTimeoutMillis: PATIENCE_MS, query_timeout: PATIENCE_MS });
    client.on('error', () => {});
    await client.connect();
    return await work(client);
  } catch (error) {
    if (error instanceof UnfitServer) throw error;
    throw new UnfitServer(`${hostOf(connectionString)} cannot be used: ${describeFailure(error)}.`, { cause: error });
  } finally {
    await client?.end().catch(() => {});
  }
}
