/** `npm run keys -- change-secret`: JWT_SECRET is changed while gateways run, or while none does. */
import { setTimeout as sleep } from 'node:timers/promises';
import { nowMs } from './clock.ts';
import { say } from './command-line.ts';
import { type Config, ConfigError } from './config.ts';
import type { ControlDatabase } from './db/control.ts';
import { loadGenerations } from './db/key-generations.ts';
import type { KeySet } from './db/key-set.ts';
import type { Keys } from './db/keys.ts';
import { LOCKS } from './db/locks.ts';
import { existingSecrets, randomSecret, replaceSecrets } from './db/secrets.ts';
import { changeSecret } from './domain/root-secret.ts';
import { sealAnew } from './domain/sealed-values.ts';

/** What processes were about to write is mostly written by then; it is looked until there is nothing more. Milliseconds. */
const LAST_WRITES_MS = 1000;
/** By then every process has ended, or gone over. */
const MOST_LOOKS = 30;

/**
 * Makes `JWT_SECRET` the secret in use where `JWT_SECRET_FORMER` is that now; where neither is given, a new one is drawn and kept in
 * `secrets.json`. One that was cut off goes on where it was.
 *
 * @throws {ConfigError} where it cannot be. Nothing has changed then.
 */
export async function changeRootSecret(config: Config, control: ControlDatabase, keys: Keys): Promise<void> {
  // Of two that draw a secret at once one would put its own over that of the other, which may be in use by then.
  const session = await control.pool.connect();
  try {
    const { rows } = await session.query<{ locked: boolean }>('select pg_try_advisory_lock($1, 0) as locked', [
      LOCKS.rootSecret,
    ]);
    if (!rows[0]!.locked) throw new ConfigError('The secret is being changed by another command.');
    if (!(await loadGenerations(session, keys))) {
      throw new ConfigError('Start the gateway of this version on it first: its keys are not written down yet.');
    }
    await change(config, control, keys);
  } finally {
    session.release(true);
  }
}

async function change(config: Config, control: ControlDatabase, keys: Keys): Promise<void> {
  const isNew = await isToBeChanged(config, control, keys);
  if (isNew) {
    await changeSecret(control, keys, keys.given[0]!);
    say('Announced: every process goes over to the new secret in two seconds.');
  }
  await sleep(Math.max(0, keys.newest.usedFrom - nowMs() + LAST_WRITES_MS));
  await sealAll(control, keys);
  say(
    isNew
      ? 'JWT_SECRET is changed. Tokens that were signed with a key derived from the former one are dead.'
      : `JWT_SECRET was changed already, at ${new Date(keys.newest.usedFrom).toISOString()}: what was left to do is done.`,
  );
  say(
    'Keep a copy of the new secret elsewhere and make a backup; keep the former one as long as the backups from before.',
  );
}

/** @returns false where the secret that was given is in use already, and only what is left of a change is to be done. */
async function isToBeChanged(config: Config, control: ControlDatabase, keys: Keys): Promise<boolean> {
  if (keys.newest.set.id !== keys.given[0]!.id) return true;
  if (config.jwtSecret) {
    if (keys.given[1] && isFormer(keys.given[1], keys)) return false;
    if (keys.given[1])
      throw new ConfigError(
        'JWT_SECRET is the one in use, and JWT_SECRET_FORMER is none that was in use before. To change it set JWT_SECRET to a new one and ' +
          'JWT_SECRET_FORMER to the one that JWT_SECRET is now. Nothing has been changed.',
      );
    throw new ConfigError(
      'JWT_SECRET is the one in use. To change it set JWT_SECRET to a new one and JWT_SECRET_FORMER to this one, for this command and ' +
        'for every process of the gateway. Nothing has been changed.',
    );
  }
  if (keys.newest.usedFrom > nowMs() || (await sealAnew(control.pool, keys)).count > 0) return false;
  const stored = (await existingSecrets(config.dataDir))!;
  const drawn = randomSecret();
  await replaceSecrets(config.dataDir, { ...stored, jwtSecret: drawn, formerJwtSecret: stored.jwtSecret });
  keys.learn({ secret: drawn, former: stored.jwtSecret });
  say('A new secret is in secrets.json, beside the former one.');
  return true;
}

const isFormer = ({ id }: KeySet, { generations }: Keys): boolean =>
  generations.slice(0, -1).some(({ set }) => set.id === id);

/** Until a look at everything finds nothing more that is to be done. @throws {ConfigError} where it comes to no end. */
async function sealAll(control: ControlDatabase, keys: Keys): Promise<void> {
  let sum = 0;
  for (let looks = 1; ; looks++) {
    const { count, unreadable } = await sealAnew(control.pool, keys);
    sum += count;
    if (count > 0) {
      if (looks === MOST_LOOKS)
        throw new ConfigError(
          'JWT_SECRET is changed, but some process goes on writing with the former keys: find it in the log, end it, and run this again.',
        );
      await sleep(LAST_WRITES_MS);
      continue;
    }
    say(`${sum} values of the control database are sealed anew.`);
    if (unreadable > 0)
      say(`${unreadable} cannot be opened with any secret that it has had, and are left as they were.`);
    return;
  }
}
