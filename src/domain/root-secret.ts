/**
 * Changing `JWT_SECRET` while gateways run (docs/decisions/0040). The new keys are announced, every process goes over to them at the
 * same moment, and what the former ones have sealed is sealed anew.
 */
import { nowMs } from '../clock.ts';
import { ConfigError } from '../config.ts';
import type { ControlDatabase } from '../db/control.ts';
import { loadGenerations, writeGenerations } from '../db/key-generations.ts';
import type { KeySet } from '../db/key-set.ts';
import type { Keys } from '../db/keys.ts';
import { LOCKS } from '../db/locks.ts';
import { goByDatabase } from '../live/clock-watch.ts';
import { publishOn } from '../live/event-log.ts';
import { auditOn, bySystem } from './audit.ts';
import { ANNOUNCED_MS } from './signing-keys.ts';

/**
 * Announces the keys of another secret, which are then the newest.
 *
 * @param keys as the database has them. @throws {ConfigError} where they cannot be. Nothing has changed then.
 */
export async function changeSecret({ pool }: ControlDatabase, keys: Keys, next: KeySet): Promise<void> {
  const client = await pool.connect();
  try {
    await goByDatabase(client);
    await client.query('begin');
    // Of two that change it at once the second finds that it does not know the secret in use.
    await client.query('select pg_advisory_xact_lock($1, 0)', [LOCKS.setup]);
    await loadGenerations(client, keys);
    refuseKnown(keys, next);
    const usedFrom = nowMs() + ANNOUNCED_MS;
    const former = keys.newest.set.id;
    const generations = [...keys.generations, { set: next, usedFrom }];
    await writeGenerations(client, generations);
    await auditOn(client, bySystem, {
      action: 'platform.change_secret',
      before: { keys: former },
      after: { keys: next.id, usedFrom: new Date(usedFrom).toISOString() },
    });
    await publishOn(client, 'root_secret', { generation: generations.length });
    await client.query('commit');
    keys.adopt(generations);
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}

function refuseKnown(keys: Keys, next: KeySet): void {
  if (keys.generations.some(({ set }) => set.id === next.id)) {
    throw new ConfigError(
      'That secret has been in use before, and may be known to whoever it was changed for: take a new one. Nothing has been changed.',
    );
  }
  if (keys.newest.usedFrom > nowMs()) {
    throw new ConfigError('The secret is being changed at this moment: try again in some seconds.');
  }
}
