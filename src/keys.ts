/**
 * `npm run keys`: the keys that tokens are signed with. `-- rotate` draws a new one, `-- rotate --now` ends the former ones at once;
 * `-- change-secret` changes `JWT_SECRET` itself. The gateway may be running; it learns of it within a second. Exit code 0, or 2 when it
 * could not.
 */
import { parseArgs } from 'node:util';
import { changeRootSecret } from './change-secret.ts';
import { nowDate } from './clock.ts';
import { neededKeys, runCommand, say, withInstallation } from './command-line.ts';
import { ConfigError, readConfig } from './config.ts';
import { type ControlDatabase, openControl } from './db/control.ts';
import type { Keys } from './db/keys.ts';
import { rotateSigningKey, signingKeys } from './domain/signing-keys.ts';
import { goByDatabase } from './live/clock-watch.ts';
import { createLog } from './log.ts';

const USAGE = 'Use: npm run keys [-- rotate [--now] | change-secret]';

type Verb = 'list' | 'rotate' | 'change-secret';

/** @throws {ConfigError} when the command line cannot be used. */
function readArguments(): { verb: Verb; now: boolean } {
  try {
    const { positionals, values } = parseArgs({ options: { now: { type: 'boolean' } }, allowPositionals: true });
    const [verb = 'list', ...more] = positionals;
    if (!['list', 'rotate', 'change-secret'].includes(verb) || more.length > 0 || (values.now && verb !== 'rotate'))
      throw new Error('That is no command.');
    return { verb: verb as Verb, now: values.now ?? false };
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}\n${USAGE}`);
  }
}

async function list(control: ControlDatabase): Promise<void> {
  const rows = (await signingKeys(control)).map((row) => ({
    ...row,
    signsFrom: iso(row.signsFrom),
    formerEndAt: iso(row.formerEndAt),
  }));
  const names = ['derived from JWT_SECRET', ...rows.map(({ kid, signsFrom }) => `${kid}, signs from ${signsFrom}`)];
  for (const [place, name] of names.entries()) {
    const ends = rows.slice(place).map(({ formerEndAt }) => formerEndAt);
    const end = ends.sort()[0];
    say(end === undefined ? `${name}: in use` : `${name}: ${end <= nowDate().toISOString() ? 'ended' : 'ends'} ${end}`);
  }
}

await runCommand(async () => {
  const { verb, now } = readArguments();
  const config = readConfig(process.env);
  await withInstallation(config, async (found) => {
    const keys = neededKeys(found);
    const control = await openControl(found.databaseUrl, createLog('silent'));
    try {
      await goByDatabase(control.pool);
      if (verb === 'change-secret') return await changeRootSecret(config, control, keys);
      if (verb === 'rotate') await rotate(control, keys, now);
      await list(control);
    } finally {
      await control.close();
    }
  });
  return 0;
});

async function rotate(control: ControlDatabase, keys: Keys, now: boolean): Promise<void> {
  await rotateSigningKey(control, keys, { now });
  say(
    now
      ? 'A new key signs. Every token from before is dead: everybody has to sign in again.'
      : 'A new key signs in two seconds. Tokens from before are good until they end.',
  );
}

/** As the database writes it. */
function iso(time: string): string {
  return new Date(time).toISOString();
}
