/** Secrets that nobody gave are made once and kept in the data folder, readable by its owner alone. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config, ConfigError } from '../config.ts';
import { syncFolder } from '../sync-folder.ts';

/** What all keys are derived from (docs/decisions/0008), and what they were derived from before (docs/decisions/0040). */
export interface RootSecrets {
  secret: string;
  /** The one before, where it is known: it opens archives of then, and the installation until the change is made. */
  former?: string;
}

export interface StoredSecrets {
  jwtSecret: string;
  /** The one before `jwtSecret`, where that was changed. */
  formerJwtSecret?: string;
  /** Of the embedded server's superuser. */
  postgresPassword: string;
  /** Of the first super admin, where none was given: kept so that a start that ends before printing it loses nothing. */
  superAdminPassword: string;
}

export const randomSecret = (): string => randomBytes(48).toString('base64url');

/**
 * What this process is given: the environment's secret, else that of `secrets.json`.
 *
 * @returns undefined where there is neither.
 */
export function rootSecrets(
  { jwtSecret, formerJwtSecret }: Pick<Config, 'jwtSecret' | 'formerJwtSecret'>,
  stored: StoredSecrets | undefined,
): RootSecrets | undefined {
  if (jwtSecret) return { secret: jwtSecret, former: formerJwtSecret };
  return stored && { secret: stored.jwtSecret, former: formerJwtSecret ?? stored.formerJwtSecret };
}

/** A password nobody has to type: 192 random bits. */
export const randomPassword = (): string => randomBytes(24).toString('base64url');

const fileIn = (dataDir: string) => join(dataDir, 'secrets.json');

/** What `secrets.json` in the data folder holds; undefined where there is none. @throws {ConfigError} where it is damaged. */
export async function existingSecrets(dataDir: string): Promise<StoredSecrets | undefined> {
  try {
    return JSON.parse(await readFile(fileIn(dataDir), 'utf8')) as StoredSecrets;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    // The parser's own words quote a piece of what is in it.
    if (error instanceof SyntaxError) throw new ConfigError(`${fileIn(dataDir)} is not valid JSON.`);
    throw error;
  }
}

/** Reads `secrets.json` in the data folder, making it (and the folder) first if need be. */
export async function storedSecrets(dataDir: string): Promise<StoredSecrets> {
  const found = await existingSecrets(dataDir);
  if (found) return found;
  await mkdir(dataDir, { recursive: true });
  const secrets: StoredSecrets = {
    jwtSecret: randomSecret(),
    postgresPassword: randomPassword(),
    superAdminPassword: randomPassword(),
  };
  // Linked to its place: a crash leaves no file or a whole one, and of several processes that make it at once the first decides
  // for all.
  await writtenAside(dataDir, secrets, (draft) =>
    link(draft, fileIn(dataDir)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    }),
  );
  return (await existingSecrets(dataDir))!;
}

/**
 * Puts others in the place of those that `secrets.json` holds; a crash leaves the former file or the new one. Whoever could read
 * that can read this.
 *
 * @throws {ConfigError} where it cannot be given to its owner. Nothing has changed then.
 */
export async function replaceSecrets(dataDir: string, secrets: StoredSecrets): Promise<void> {
  const file = fileIn(dataDir);
  await writtenAside(
    dataDir,
    secrets,
    (draft) => rename(draft, file),
    (draft) => likeThat(draft, file),
  );
}

/** Another user may run the command than the gateway. */
async function likeThat(draft: FileHandle, file: string): Promise<void> {
  const [own, { uid, gid, mode }] = await Promise.all([draft.stat(), stat(file)]);
  if (own.uid !== uid || own.gid !== gid) {
    await draft.chown(uid, gid).catch((cause: unknown) => {
      throw new ConfigError(
        `${file} belongs to another user (${uid}): run this as that one, or as root. Nothing has been changed.`,
        { cause },
      );
    });
  }
  await draft.chmod(mode & 0o777);
}

async function writtenAside(
  dataDir: string,
  secrets: StoredSecrets,
  place: (draft: string) => Promise<void>,
  prepare?: (draft: FileHandle) => Promise<void>,
): Promise<void> {
  const draft = `${fileIn(dataDir)}.${randomBytes(6).toString('hex')}`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await prepare?.(file);
      await file.writeFile(`${JSON.stringify(secrets, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await place(draft);
    // Before anything is sealed with what is in it.
    await syncFolder(dataDir);
  } finally {
    await rm(draft, { force: true });
  }
}
