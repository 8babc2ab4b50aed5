/** The keys that a command opens archives with. */
import { withInstallation } from './command-line.ts';
import { type Config, ConfigError } from './config.ts';
import { Keys } from './db/keys.ts';
import { existingSecrets, rootSecrets } from './db/secrets.ts';
import { archivesAt } from './domain/backup/folder.ts';
import { openArchive } from './domain/backup/read-archive.ts';

/**
 * Those of the secrets that were given, whether or not the databases can be reached. Where they do not open all of these archives, and
 * there is an installation, its own: it knows the keys of the secrets that it had before.
 *
 * @param paths files and folders.
 * @throws {ConfigError} without a secret.
 */
export async function archiveKeys(config: Config, paths: readonly string[]): Promise<Keys> {
  const secrets = rootSecrets(config, await existingSecrets(config.dataDir));
  if (!secrets) {
    throw new ConfigError(
      `JWT_SECRET is needed, or the installation's secrets.json in ${config.dataDir}: backups are encrypted with a key that is ` +
        'derived from it.',
    );
  }
  const given = new Keys(secrets.secret, secrets.former);
  if (await opensAll(given, paths)) return given;
  return (await withInstallation(config, async ({ keys }) => keys).catch(() => undefined)) ?? given;
}

/** What is no archive is told of by whoever reads it. */
async function opensAll(keys: Keys, paths: readonly string[]): Promise<boolean> {
  for (const file of (await Promise.all(paths.map(archivesAt))).flat()) {
    const archive = await openArchive(file).catch(() => undefined);
    if (archive && !keys.ofArchive(archive.header.key)) return false;
  }
  return true;
}
