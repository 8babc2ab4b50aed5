/** Where backups are kept: a folder for each, by when it was begun and what it is of. */
import { link, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../../config.ts';
import { pidIn } from '../../db/embedded-cluster.ts';
import { syncFolder } from './write-archive.ts';

/** Ends the name of every archive. */
export const ARCHIVE = '.omnibak';
export const CONTROL_ARCHIVE = `control${ARCHIVE}`;
export const tenantArchive = (slug: string): string => `tenant-${slug}${ARCHIVE}`;

const UNFINISHED = '.unfinished';
const PID_FILE = 'pid';
/** What was begun longer ago is begun anew: its parts would speak of instants too far apart. */
const RESUMED_WITHIN_MS = 24 * 60 * 60_000;

/** `20261128T133000123Z`, which sorts by time. */
const stamp = (date: Date) => date.toISOString().replaceAll(/[-:.]/g, '');

const namesOf = (what: string) => new RegExp(`^\\d{8}T\\d{9}Z-${what}$`);

async function refuseTwo(pidFile: string, folder: string): Promise<void> {
  const other = await pidIn(pidFile);
  if (other) throw new ConfigError(`Another backup (process ${other}) is being written to ${folder}.`);
}

/** Of two backups that begin at the same time one makes the file. What a dead process left is taken away. */
async function claim(pidFile: string, folder: string): Promise<void> {
  const own = `${pidFile}.${process.pid}`;
  await writeFile(own, `${process.pid}\n`, { mode: 0o600 });
  try {
    // Linking makes it with what is in it: nobody reads it while it is empty.
    await link(own, pidFile).catch(async () => {
      await refuseTwo(pidFile, folder);
      await rm(pidFile, { force: true });
      await link(own, pidFile);
    });
  } finally {
    await rm(own, { force: true });
  }
}

/** A backup that is being made. Archives that are whole in it stay when it is cut off, and the next one goes on from there. */
export class UnfinishedBackup {
  readonly path: string;
  readonly #out: string;
  readonly #what: string;

  private constructor(out: string, what: string) {
    this.#out = out;
    this.#what = what;
    this.path = join(out, `${what}${UNFINISHED}`);
  }

  /** @param what `all`, `control` or `tenant-<slug>`. @throws {ConfigError} while another process makes one there. */
  static async open(out: string, what: string): Promise<UnfinishedBackup> {
    const backup = new UnfinishedBackup(out, what);
    await mkdir(out, { recursive: true, mode: 0o700 });
    const pidFile = join(backup.path, PID_FILE);
    await refuseTwo(pidFile, backup.path);
    const begun = await stat(backup.path).catch(() => undefined);
    if (begun && Date.now() - begun.birthtimeMs > RESUMED_WITHIN_MS) await rm(backup.path, { recursive: true });
    await mkdir(backup.path, { recursive: true, mode: 0o700 });
    await claim(pidFile, backup.path);
    return backup;
  }

  /** Archives that are whole: they have their name only then. */
  async done(): Promise<Set<string>> {
    return new Set((await readdir(this.path)).filter((name) => name.endsWith(ARCHIVE)));
  }

  /** Gives it its name: from then on it is a backup. @returns its folder. */
  async finish(): Promise<string> {
    await rm(join(this.path, PID_FILE));
    const folder = join(this.#out, `${stamp(new Date())}-${this.#what}`);
    await rename(this.path, folder);
    await syncFolder(this.#out);
    return folder;
  }

  /** Leaves what is whole for the next one. @returns how many archives that are. */
  async leave(): Promise<number> {
    const { size } = await this.done();
    await rm(size > 0 ? join(this.path, PID_FILE) : this.path, { recursive: true, force: true });
    return size;
  }
}

/** Removes all but the newest backups of the same. @returns the folders that went. */
export async function removeOlder(out: string, what: string, keep: number): Promise<string[]> {
  const names = (await readdir(out)).filter((name) => namesOf(what).test(name)).sort();
  const old = names.slice(0, Math.max(0, names.length - keep)).map((name) => join(out, name));
  for (const folder of old) await rm(folder, { recursive: true });
  return old;
}

/** The archives that a path names: a file is one, a folder holds some; the control plane's comes first. @throws {ConfigError} */
export async function archivesAt(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new ConfigError(`There is nothing at ${path}.`);
  if (!found.isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => name.endsWith(ARCHIVE));
  if (names.length === 0) throw new ConfigError(`There is no backup in ${path}.`);
  if (path.endsWith(UNFINISHED)) throw new ConfigError(`The backup in ${path} was never finished.`);
  return names
    .sort((a, b) => Number(b === CONTROL_ARCHIVE) - Number(a === CONTROL_ARCHIVE))
    .map((name) => join(path, name));
}
