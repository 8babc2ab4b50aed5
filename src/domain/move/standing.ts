/** What is on a server that answers: another than is meant may have been put up at its address, and a database may be somebody else's. */
import type { EntityManager } from '@mikro-orm/postgresql';
import type pg from 'pg';
import { DatabaseServer } from '../../entities/control/database-server.ts';

/**
 * @param client of the server. @param database that has to be there, if any.
 * @returns whether it is the server that was registered, and has that database.
 */
export async function isItself(
  em: EntityManager,
  client: pg.ClientBase | pg.Pool,
  serverId: string,
  database?: string,
): Promise<boolean> {
  const { systemIdentifier } = await em.fork().findOneOrFail(DatabaseServer, serverId);
  const { rows } = await client.query<{ system: string; has: boolean }>(
    `select system_identifier::text as system, exists (${THERE}) as has from pg_control_system()`,
    [database ?? ''],
  );
  const { system, has } = rows[0]!;
  return (!systemIdentifier || system === systemIdentifier) && (database === undefined || has);
}

/** What a DROP that was cut short left cannot be looked into. */
const THERE = 'select from pg_database where datname = $1 and datconnlimit <> -2';

export async function isThere(client: pg.ClientBase, database: string): Promise<boolean> {
  return (await client.query(THERE, [database])).rowCount === 1;
}

/** The comment on a database that a move may drop: it has made it. */
export const markOf = (name: string) => `OmniStream: made by the move of ${name}`;

export async function isMarked(client: pg.ClientBase, name: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `select from pg_database where datname = $1 and shobj_description(oid, 'pg_database') = $2`,
    [name, markOf(name)],
  );
  return rowCount === 1;
}
