/**
 * Room on the disk for another database. A copy of a template goes through on a full disk and the checkpoint after it fails,
 * which takes everybody's writes along: so room is looked at first.
 */
import { statfs } from 'node:fs/promises';
import { LRUCache } from 'lru-cache';
import type pg from 'pg';

/** What is left for the tenants that are there, beside twice the size of what is to be copied: its files, and the log of them. */
const RESERVE = 64 * 2 ** 20;
const MIB = 2 ** 20;

/** Thrown when there is no room; the message says how much there is. */
export class DiskFull extends Error {}

/** Where the server keeps its log, and where the copy goes to. */
const FOLDERS = `
  select array[current_setting('data_directory'), nullif(pg_tablespace_location(dattablespace), '')] as folders
    from pg_database where datname = $1`;

/** By server and template: nobody writes to one any more, and counting the bytes of its files takes the server 2 ms. */
const sizes = new LRUCache<string, number>({ max: 100 });

/**
 * Only where the server's disk is this machine's, and its role may know where it is; nothing is said of others.
 *
 * @param more bytes that are to be written into the copy.
 * @throws {DiskFull}
 */
export async function refuseWithoutRoom(client: pg.ClientBase, template: string, more = 0): Promise<void> {
  if (!isHere((client as pg.Client).host)) return;
  // Insufficient privilege: an external server, whose operator looks after its disk.
  const { rows } = await client.query<{ folders: string[] }>(FOLDERS, [template]).catch((error: { code?: string }) => {
    if (error.code === '42501') return { rows: [] };
    throw error;
  });
  if (!rows[0]) return;
  const needed = 2 * ((await sizeOf(client as pg.Client, template)) + more) + RESERVE;
  for (const folder of rows[0].folders) {
    const disk = folder ? await statfs(folder).catch(() => undefined) : undefined;
    if (!disk) continue;
    const free = disk.bavail * disk.bsize;
    if (free >= needed) continue;
    const mib = (bytes: number) => Math.floor(bytes / MIB);
    throw new DiskFull(
      `The disk of the database server is nearly full: ${mib(free)} MiB are free, and a new database needs ${mib(needed)} MiB.`,
    );
  }
}

async function sizeOf(client: pg.Client, template: string): Promise<number> {
  const key = `${client.host}:${client.port}/${template}`;
  const known = sizes.get(key);
  if (known !== undefined) return known;
  const { rows } = await client.query<{ size: number }>('select pg_database_size($1)::float as size', [template]);
  sizes.set(key, rows[0]!.size);
  return rows[0]!.size;
}

const isHere = (host: string) => host.startsWith('/') || ['localhost', '127.0.0.1', '::1'].includes(host);
