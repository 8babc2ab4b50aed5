/** Removes what has had its time. */
import { nowMs } from '../clock.ts';
import type { Services } from '../context.ts';
import type { Generation, Keys } from '../db/keys.ts';
import { REVOCATION_KEPT_HOURS } from '../domain/revocations.ts';
import { sealAnew } from '../domain/sealed-values.ts';

/** Events are kept for subscribers that come back; idempotent answers for as long as the contract says. */
const KEPT = [
  ['events', 'created_at', 48],
  ['idempotency_keys', 'created_at', 24],
  ['sessions', 'expires_at', 24],
  ['revocations', 'revoked_at', REVOCATION_KEPT_HOURS],
  // With their tenants.
  ['upgrade_runs', 'finished_at', 400 * 24],
] as const;

/** No process goes on with the former keys for so long, and no answer of before is kept for longer. Milliseconds. */
const LATE_MS = 25 * 3_600_000;

export async function cleanUp({ control, keys }: Services): Promise<void> {
  for (const [table, column, hours] of KEPT) {
    await control.pool.query(`delete from ${table} where ${column} < now() - interval '${hours} hours'`);
  }
  await control.pool.query('delete from rate_limits where expire < extract(epoch from now()) * 1000');
  if (keys.generations.length > 1) await sealLate(control, keys);
}

/** The newest keys with which a look at everything has found nothing more. */
const swept = new WeakMap<Keys, Generation>();

/** What a change of the secret that was cut off has left, or a process that had not heard of it has written. */
async function sealLate({ pool }: Services['control'], keys: Keys): Promise<void> {
  const { newest } = keys;
  if (swept.get(keys) === newest && nowMs() > newest.usedFrom + LATE_MS) return;
  const { count } = await sealAnew(pool, keys);
  if (count === 0) swept.set(keys, newest);
}
