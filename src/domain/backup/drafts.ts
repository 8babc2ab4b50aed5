/**
 * Databases that are made beside the one whose place they are to take. Taking it is renaming both in one transaction: after a
 * crash at any moment there is the former or the restored one, never half of either.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { ConfigError } from '../../config.ts';
import { KEPT_ALIVE, SESSION_OPTIONS } from '../../db/control.ts';
import { dropDatabase } from '../../db/drop-database.ts';
import { endSessions } from '../../db/end-sessions.ts';
import { breakOnAbort } from '../../db/pools.ts';
import { draftName, formerName } from '../../db/tenant-names.ts';

const quote = pg.escapeIdentifier;
/** How often those who are in a database that is renamed are put out again. */
const AGAIN_MS = 50;

/**
 * A session that writes. What it does takes its time, whatever the role's defaults say.
 *
 * @param away says that the server is, and cuts it off.
 */
export async function openWriter(url: string, away?: AbortSignal): Promise<pg.Client> {
  const options = `${SESSION_OPTIONS} ${KEPT_ALIVE} -c application_name=omnistream-restore -c statement_timeout=0 -c datestyle=ISO`;
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000, options, keepAlive: true });
  client.on('error', () => {});
  if (away) breakOnAbort(client, away);
  await client.connect();
  return client;
}

/** @returns what is known of a database; undefined for none of that name. */
export async function databaseFacts(client: pg.ClientBase | pg.Pool, name: string) {
  const { rows } = await client.query<{ broken: boolean; bytes: string | null; comment: string | null }>(
    `select datconnlimit = -2 as broken, shobj_description(oid, 'pg_database') as comment,
            case when datconnlimit <> -2 then pg_database_size(oid)::text end as bytes
       from pg_database where datname = $1`,
    [name],
  );
  return rows[0];
}

/** SQL that keeps a database by another name, where nothing of the gateway looks at it. */
export const keepAside = (name: string): string => `alter database ${quote(name)} rename to ${quote(`kept_${name}`)};`;

/** The comment on databases that a restore may drop without asking, as it made them, or the one that takes their place. */
export const markOf = (name: string): string => `OmniStream: made by a restore of ${name}`;

/** Lets the next restore of `name` drop a database. */
export const markAsOf = (client: pg.ClientBase, database: string, name: string) =>
  client.query(`comment on database ${quote(database)} is ${pg.escapeLiteral(markOf(name))}`);

/**
 * Drops what an earlier restore of the same left. A draft is marked right after it is made; one that is not, and that nobody was
 * ever let into, is of a restore which ended between the two.
 *
 * @throws {ConfigError} for a database of that name that none has made.
 */
async function dropLeft(client: pg.ClientBase, database: string, name: string): Promise<void> {
  const { rows } = await client.query<{ marked: boolean }>(
    `select coalesce(shobj_description(oid, 'pg_database') = $2, datname = $3 and not datallowconn) as marked
       from pg_database where datname = $1`,
    [database, markOf(name), draftName(name)],
  );
  if (!rows[0]) return;
  if (!rows[0].marked) {
    throw new ConfigError(
      `There is a database ${database}, which no restore has made and a restore of ${name} needs the name of: rename it, or drop ` +
        'it if nobody needs it. Nothing has been changed.',
    );
  }
  await dropDatabase(client, database);
}

/**
 * Makes an empty draft of a database, closed to everybody else; what an earlier restore of the same left is dropped.
 *
 * @returns its name. @throws {ConfigError} where somebody else's database has it.
 */
export async function makeDraft(client: pg.ClientBase, name: string, template = 'template0'): Promise<string> {
  const draft = draftName(name);
  for (const database of [draft, formerName(name)]) await dropLeft(client, database, name);
  await client.query(`create database ${quote(draft)} template ${quote(template)} allow_connections false`);
  await markAsOf(client, draft, name);
  // Rights on a template are not copied: it is closed before it is opened.
  await client.query(
    `revoke all on database ${quote(draft)} from public; alter database ${quote(draft)} allow_connections true`,
  );
  return draft;
}

/**
 * In a transaction that the client has begun: the draft takes the name of the database, which keeps another one until it is
 * dropped. From the first rename to the commit nobody gets into either.
 *
 * @param helper another session of the same role, for putting out those who are in it.
 */
export async function swapDatabases(client: pg.ClientBase, helper: pg.ClientBase, name: string): Promise<void> {
  const present = await databaseFacts(client, name);
  if (present) {
    await dropLeft(helper, formerName(name), name);
    await renameFrom(client, helper, name, formerName(name));
    await markAsOf(client, formerName(name), name);
  }
  await renameFrom(client, helper, draftName(name), name);
  await client.query(`comment on database ${quote(name)} is null`);
}

/** Waits for nobody: whoever is in it is put out. @param client in a transaction. @param helper another session of the same role. */
export async function renameFrom(
  client: pg.ClientBase,
  helper: pg.ClientBase,
  from: string,
  to: string,
): Promise<void> {
  let over = false;
  const renamed = client.query(`alter database ${quote(from)} rename to ${quote(to)}`).finally(() => {
    over = true;
  });
  // Told by the await below.
  renamed.catch(() => {});
  while (!over) {
    await putOut(helper, from);
    await Promise.race([renamed.catch(() => {}), sleep(AGAIN_MS)]);
  }
  await renamed;
}

/** Ends the sessions in a database: its pools open new ones, in the restored one. */
export const putOut = (client: pg.ClientBase, database: string) => endSessions(client, 'datname = $1', [database]);
