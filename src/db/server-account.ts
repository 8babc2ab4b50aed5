/**
 * PostgreSQL refuses to run as root. Started by root, the embedded server runs as the system account `postgres`,
 * which then has to be able to reach its binaries and its data.
 */
import { execFileSync } from 'node:child_process';
import { chmod, chown, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigError } from '../config.ts';

/** The account to run PostgreSQL under; undefined for the caller's own. */
export interface ServerAccount {
  readonly uid: number;
  readonly gid: number;
}

const ACCOUNT = 'postgres';

function lookUp(): ServerAccount | undefined {
  try {
    const id = (flag: string) =>
      Number(execFileSync('id', [flag, ACCOUNT], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined;
  }
}

/** @throws {ConfigError} when run as root where no such account can be made. */
export function serverAccount(): ServerAccount | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const found = lookUp();
  if (found) return found;
  try {
    execFileSync('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', ACCOUNT], {
      stdio: 'ignore',
    });
  } catch {
    // Decided by the look-up below: another process may have made it meanwhile.
  }
  const made = lookUp();
  if (made) return made;
  throw new ConfigError(
    `PostgreSQL does not run as root, and the system account "${ACCOUNT}" for it could not be made.\n` +
      'Run the gateway as an ordinary user, or set DATABASE_URL.',
  );
}

/**
 * Lets the account pass through the folders above `path` where they are closed to it: a root-owned folder that only root
 * may enter (as `mktemp -d` and `/root` are) is given to the account's group with the right to pass, not to look inside.
 *
 * @returns the folders that were changed.
 * @throws {ConfigError} where a folder is somebody else's to open.
 */
export async function letThrough(account: ServerAccount, path: string): Promise<string[]> {
  const opened: string[] = [];
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder);
    const passes = uid === account.uid ? mode & 0o100 : gid === account.gid ? mode & 0o010 : mode & 0o001;
    if (!passes) {
      if ((mode & 0o070) !== 0 && gid !== account.gid) {
        throw new ConfigError(
          `PostgreSQL runs as "${ACCOUNT}", which may not pass through ${folder}.\n` +
            `Allow it (chmod o+x ${folder}), set DATA_DIR to another folder, or run the gateway as an ordinary user.`,
        );
      }
      await chown(folder, uid, account.gid);
      await chmod(folder, (mode & 0o7777) | 0o010);
      opened.push(folder);
    }
    if (folder === dirname(folder)) return opened;
  }
}
