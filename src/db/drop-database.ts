import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { databaseError } from '../errors.ts';

const quote = pg.escapeIdentifier;
const INSUFFICIENT_PRIVILEGE = '42501';
const ATTEMPTS = 20;
const PAUSE_MS = 250;

/**
 * Removes a database together with the sessions that are in it; one that is not there is fine. Who is no superuser may end sessions
 * only of roles that it belongs to: a vacuum, which is nobody's, is waited for.
 *
 * @param role whose sessions may be in it; the gateway's own joins it where that is needed.
 */
export async function dropDatabase(client: pg.ClientBase | pg.Pool, name: string, role?: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.query(`drop database if exists ${quote(name)} with (force)`);
      return;
    } catch (error) {
      if (databaseError(error)?.code !== INSUFFICIENT_PRIVILEGE || attempt > ATTEMPTS) throw error;
      if (role) await client.query(`grant ${quote(role)} to current_user`);
      if (attempt > 1) await sleep(PAUSE_MS);
    }
  }
}
