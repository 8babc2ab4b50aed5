/**
 * Folders of databases that the server does not know. A server, or the backend at it, that is killed within CREATE DATABASE
 * leaves one for good: PostgreSQL neither uses nor removes it, and no catalog names it.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

const isDatabase = (name: string) => /^\d+$/.test(name);

/** What is under way is looked at again this often, and waited for so long at most. */
const LOOK_AGAIN_MS = 250;
const PATIENCE_MS = 15_000;

const known = async (client: pg.ClientBase) =>
  new Set((await client.query<{ oid: string }>('select oid::text from pg_database')).rows.map(({ oid }) => oid));

/**
 * A database that is being made has a folder before it has a name: while one is under way, this waits. A folder that is found
 * can never come into use, because CREATE DATABASE takes no number of which there is a folder.
 *
 * @param client of a role that may list the server's files.
 */
export async function findOrphanDirectories(client: pg.ClientBase): Promise<string[]> {
  const look = async () => {
    const { rows } = await client.query<{ name: string }>("select pg_ls_dir('base') as name");
    const inUse = await known(client);
    return rows.map(({ name }) => name).filter((name) => isDatabase(name) && !inUse.has(name));
  };
  const underWay = async () =>
    (
      await client.query(
        `select from pg_stat_activity where state = 'active' and pid <> pg_backend_pid()
           and query ~* '(create|drop) +database'`,
      )
    ).rowCount! > 0;
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(LOOK_AGAIN_MS)) {
    const found = await look();
    if (found.length === 0) return [];
    if (await underWay()) continue;
    // One that was being made then has a name by now.
    const still = new Set(await look());
    return found.filter((name) => still.has(name));
  }
  // What cannot be told apart from what is being made is not called an orphan.
  return [];
}

/** @param cluster the server's data folder. @returns what was removed. */
export async function removeOrphanDirectories(client: pg.ClientBase, cluster: string): Promise<string[]> {
  const orphans = await findOrphanDirectories(client);
  for (const name of orphans) await rm(join(cluster, 'base', name), { recursive: true, force: true });
  return orphans;
}
