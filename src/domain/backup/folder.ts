/** Where backups are kept: a folder for each, by when it was begun and what it is of. */
import { link, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../../config.ts';
import { pidIn } from '../../db/embedded-cluster.ts';
import { syncFolder } from '../../sync-folder.ts';

/** Ends the name of every archive. */
export const ARCHIVE = '.omnibak';
export const CONTROL_ARCHIVE = `control${ARCHIVE}`;
export const tenantArchive = (slug: string): string => `tenant-${slug}${ARCHIVE}`;

const UNFINISHED = '.unfinished';
const CLAIM = /^pid\.(\d+)$/;
const claimFile = (folder: string, number: number) => join(folder, `pid.${number}`);
/** What was begun longer ago is begun anew: its parts would speak of instants too far apart. */
const RESUMED_WITHIN_MS = 24 * 60 * 60_000;

/** `20261128T133000123Z`, which sorts by time. */
const stamp = (date: Date) => date.toISOString().replaceAll(/[-:.]/g, '');

const namesOf = (what: string) => new RegExp(`^\\d{8}T\\d{9}Z-${what}$`);

/** The claims to a folder, by their number: the process that made it, while it lives. */
async function claimsIn(folder: string): Promise<Map<number, number | undefined>> {
  const names = await readdir(folder).catch((): string[] => []);
  const numbers = names.flatMap((name) => CLAIM.exec(name)?.[1] ?? []).map(Number);
  return new Map(await Promise.all(numbers.map(async (n) => [n, await pidIn(claimFile(folder, n))] as const)));
}

/** @param own the number of one's own claim. @throws {ConfigError} while another process makes a backup there. */
async function refuseTwo(folder: string, own = 0): Promise<void> {
  for (const [number, pid] of await claimsIn(folder)) {
    if (pid && number !== own) throw new ConfigError(`Another backup (process ${pid}) is being written to ${folder}.`);
  }
}

/**
 * Of those that begin at the same time one makes the file of the next number. What dead processes left is never made anew, so that
 * nobody takes away a living one's by mistake.
 *
 * @returns the number. @throws {ConfigError} while another process makes a backup there.
 */
async function claim(folder: string): Promise<number> {
  // Beside it: the folder has another name as soon as another one's backup in it is finished.
  const draft = `${folder}.${process.pid}`;
  await writeFile(draft, `${process.pid}\n`, { mode: 0o600 });
  try {
    for (;;) {
      const claims = await claimsIn(folder);
      const number = Math.max(0, ...claims.keys()) + 1;
      await refuseTwo(folder);
      // Linking makes it with what is in it: nobody reads it while it is empty.
      const first = await link(draft, claimFile(folder, number)).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code !== 'EEXIST') throw error;
          return false;
        },
      );
      if (!first) continue;
      // Who looked before the last one left may have come by a lower number.
      await refuseTwo(folder, number).catch(async (error: unknown) => {
        await rm(claimFile(folder, number), { force: true });
        throw error;
      });
      for (const old of claims.keys()) await rm(claimFile(folder, old), { force: true });
      return number;
    }
  } finally {
    await rm(draft, { force: true });
  }
}

/** A backup that is being made. Archives that are whole in it stay when it is cut off, and the next one goes on from there. */
export class UnfinishedBackup {
  readonly path: string;
  readonly #out: string;
  readonly #what: string;
  readonly #claim: number;

  private constructor(path: string, out: string, what: string, claim: number) {
    this.path = path;
    this.#out = out;
    this.#what = what;
    this.#claim = claim;
  }

  /** @param what `all`, `control` or `tenant-<slug>`. @throws {ConfigError} while another process makes one there. */
  static async open(out: string, what: string): Promise<UnfinishedBackup> {
    const path = join(out, `${what}${UNFINISHED}`);
    await mkdir(out, { recursive: true, mode: 0o700 });
    await refuseTwo(path);
    const begun = await stat(path).catch(() => undefined);
    if (begun && Date.now() - begun.birthtimeMs > RESUMED_WITHIN_MS) await rm(path, { recursive: true });
    for (;;) {
      await mkdir(path, { recursive: true, mode: 0o700 });
      try {
        return new UnfinishedBackup(path, out, what, await claim(path));
      } catch (error) {
        // Another one has just been finished.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
  }

  /** Archives that are whole: they have their name only then. */
  async done(): Promise<Set<string>> {
    return new Set((await readdir(this.path)).filter((name) => name.endsWith(ARCHIVE)));
  }

  /** Gives it its name: from then on it is a backup. @returns its folder. */
  async finish(): Promise<string> {
    const folder = join(this.#out, `${stamp(new Date())}-${this.#what}`);
    await rename(this.path, folder);
    await rm(claimFile(folder, this.#claim));
    await syncFolder(this.#out);
    return folder;
  }

  /** Leaves what is whole for the next one. @returns how many archives that are. */
  async leave(): Promise<number> {
    const { size } = await this.done();
    if (size > 0) await rm(claimFile(this.path, this.#claim), { force: true });
    else await rm(this.path, { recursive: true, force: true });
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
