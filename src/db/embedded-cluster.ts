/** Where the embedded PostgreSQL is, and whether it runs. */
import { readFile, readlink, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

export const SUPERUSER = 'omnistream';
/** The control-plane database. */
export const DATABASE = 'omnistream';

/** The server's own data folder within the gateway's. */
export const clusterIn = (dataDir: string): string => join(dataDir, 'postgres');

/** Connects the superuser. */
export function embeddedUrl(port: number, password: string, database = DATABASE): string {
  return `postgresql://${SUPERUSER}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
}

/** A living process named in a file's first line; undefined as well when it is this one. */
export async function pidIn(file: string): Promise<number | undefined> {
  const pid = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
  return pid > 0 && pid !== process.pid && isAlive(pid) ? pid : undefined;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The server that runs on the folder, starting and stopping included. */
export async function runningServer(dataDir: string): Promise<{ pid: number; port: number } | undefined> {
  const file = join(clusterIn(dataDir), 'postmaster.pid');
  const pid = await pidIn(file);
  if (!pid || !(await worksIn(pid, clusterIn(dataDir)))) return undefined;
  // Line 4 is the port (PostgreSQL's miscadmin.h).
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  return { pid, port: Number(lines[3]) };
}

/**
 * A server belongs to the owner of its data folder and works in it. After a crash of the machine the number in its file
 * may be another process's by now. Where there is no /proc, the number has to do.
 */
async function worksIn(pid: number, folder: string): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  const owner = (path: string) =>
    stat(path).then(
      ({ uid }) => uid,
      () => undefined,
    );
  if ((await owner(`/proc/${pid}`)) !== (await owner(folder))) return false;
  // In a container even root may be kept from looking; then its owner has to do.
  const where = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  return where === undefined || where === (await realpath(folder));
}
