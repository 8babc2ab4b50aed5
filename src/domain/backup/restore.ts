/** Restores what was chosen: the control plane first, then tenant by tenant. */
import pLimit from 'p-limit';
import { describeFailure } from '../../components/describe-failure.ts';
import { ConfigError } from '../../config.ts';
import type { Verdict } from '../chain-walk.ts';
import type { Chosen } from './choose.ts';
import { prepare } from './prepare.ts';
import type { OpenArchive } from './read-archive.ts';
import { type RestoreControlOptions, restoreControl } from './restore-control.ts';
import { restoreTenant } from './restore-tenant.ts';
import type { Standing } from './standing.ts';
import { duration, plural } from './tell.ts';

export type RestoreOptions = RestoreControlOptions;

/** Each loads a database: more would only wait for the disk. */
const AT_ONCE = 2;

/** @throws {ConfigError} naming what could not be restored; everything else is. */
export async function restore(options: RestoreOptions, { control, tenants }: Chosen): Promise<void> {
  const { databaseUrl, keys, say, signal } = options;
  let standing: Standing | undefined;
  if (control) {
    const began = performance.now();
    const restored = await restoreControl(options, control);
    const { rows, log } = restored;
    standing = restored.standing;
    say(`control plane: restored, ${plural(rows, 'row')} in ${duration(performance.now() - began)}${noteOf(log)}`);
    if (restored.isOfFormerSecret)
      say(
        'It was backed up under another secret: what it holds is sealed with the present one, which the gateway is to be started with.',
      );
  }
  if (tenants.length === 0) return;
  const { servers, close } = await prepare(databaseUrl, keys);
  try {
    const limit = pLimit(AT_ONCE);
    const failures: string[] = [];
    let ended = 0;
    const one = async (archive: OpenArchive) => {
      const { slug } = archive.header.tenant!;
      if (signal.aborted) return;
      const began = performance.now();
      try {
        const { rows, accounts, deadKeys, suspended, log } = await restoreTenant(
          { ...options, servers, standing },
          archive,
        );
        ended += 1;
        const keysNote = deadKeys > 0 ? `, ${plural(deadKeys, 'API key')} dead` : '';
        const suspendedNote = suspended > 0 ? `, ${plural(suspended, 'account')} suspended because deleted since` : '';
        say(
          `${ended}/${tenants.length} tenant ${slug}: restored, ${plural(rows, 'row')}, ${plural(accounts, 'account')}${keysNote}${suspendedNote} ` +
            `in ${duration(performance.now() - began)}${noteOf(log)}`,
        );
      } catch (error) {
        if (signal.aborted) return;
        failures.push(slug);
        const why = error instanceof ConfigError ? error.message : describeFailure(error);
        const state = control
          ? 'its database is as it was, and may be newer than its accounts, which are of the backup: repeat the restore'
          : 'it is as it was';
        say(`tenant ${slug}: not restored, ${state}: ${why}`);
      }
    };
    await Promise.all(tenants.map((archive) => limit(one, archive)));
    signal.throwIfAborted();
    if (failures.length > 0) throw new ConfigError(`Not restored: ${failures.join(', ')}.`);
  } finally {
    await close();
  }
}

/** A log that somebody tampered with before the backup was made still says so. */
const noteOf = ({ broken }: Verdict): string =>
  broken
    ? `; its log was BROKEN when it was backed up: entry ${broken.seq ?? broken.id ?? '?'}: ${broken.problem}`
    : '';
