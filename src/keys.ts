/**
 * `npm run keys`: the keys that tokens are signed with. `-- rotate` draws a new one, `-- rotate --now` ends the former ones at once. The
 * gateway may be running; it learns of it within a second. Exit code 0, or 2 when it could not.
 */
import { parseArgs } from 'node:util';
import { nowDate } from './clock.ts';
import { runCommand, say, withInstallation } from './command-line.ts';
import { ConfigError, readConfig } from './config.ts';
import { openControl } from './db/control.ts';
import { rotateSigningKey, type SigningKeyRow, signingKeys } from './domain/signing-keys.ts';
import { goByDatabase } from './live/clock-watch.ts';
import { createLog } from './log.ts';

const USAGE = 'Use: npm run keys [-- rotate [--now]]';

/** @throws {ConfigError} when the command line cannot be used. */
function readArguments(): { rotate: boolean; now: boolean } {
  try {
    const { positionals, values } = parseArgs({ options: { now: { type: 'boolean' } }, allowPositionals: true });
    const [verb, ...more] = positionals;
    if ((verb !== undefined && verb !== 'rotate') || more.length > 0 || (values.now && !verb))
      throw new Error('That is no command.');
    return { rotate: verb === 'rotate', now: values.now ?? false };
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}\n${USAGE}`);
  }
}

function list(rows: SigningKeyRow[]): void {
  const names = ['derived from JWT_SECRET', ...rows.map(({ kid, signsFrom }) => `${kid}, signs from ${signsFrom}`)];
  for (const [place, name] of names.entries()) {
    const ends = rows.slice(place).map(({ formerEndAt }) => formerEndAt);
    const end = ends.sort()[0];
    say(end === undefined ? `${name}: in use` : `${name}: ${end <= nowDate().toISOString() ? 'ended' : 'ends'} ${end}`);
  }
}

await runCommand(async () => {
  const { rotate, now } = readArguments();
  await withInstallation(readConfig(process.env), async ({ databaseUrl, keys }) => {
    if (!keys) throw new ConfigError('JWT_SECRET is needed: keys are sealed with a key that is derived from it.');
    const control = await openControl(databaseUrl, createLog('silent'));
    try {
      await goByDatabase(control.pool);
      if (rotate) {
        await rotateSigningKey(control, keys, { now });
        say(
          now
            ? 'A new key signs. Every token from before is dead: everybody has to sign in again.'
            : 'A new key signs in two seconds. Tokens from before are good until they end.',
        );
      }
      list(
        (await signingKeys(control)).map((row) => ({
          ...row,
          signsFrom: iso(row.signsFrom),
          formerEndAt: iso(row.formerEndAt),
        })),
      );
    } finally {
      await control.close();
    }
  });
  return 0;
});

/** As the database writes it. */
function iso(time: string): string {
  return new Date(time).toISOString();
}
