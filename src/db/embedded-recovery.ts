/** Waiting for the embedded server to be up, and making it end: both go by the file system, which the server syncs file by file. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';

/** After a crash with hundreds of new databases a start takes this long at the most. */
const START_MS = 180_000;
/** A start after a clean end takes less; after a crash, files are written out before the first connection. */
const CLEAN_START_MS = 300;

/** Where there is no such command, the server does it alone. */
const syncFileSystem = (folder: string) => promisify(execFile)('sync', ['-f', folder]).catch(() => {});

/** @returns false where it has ended, or does not answer in three minutes. */
export async function untilItAnswers(url: string, cluster: string, ended: Promise<void>): Promise<boolean> {
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  void ended.then(over);
  void hastenRecovery(cluster, () => isOver);
  try {
    for (const deadline = Date.now() + START_MS; !isOver && Date.now() < deadline; await sleep(20)) {
      if (await answers(url)) return true;
    }
    return false;
  } finally {
    over();
  }
}

/**
 * The checkpoint that ends a recovery syncs every file by itself, some 300 of each database that is new. With the file system
 * synced meanwhile there is little left to do for each: with 20 to 35 new ones, on a busy disk, 5 s instead of 10 s (medians of 12).
 */
async function hastenRecovery(cluster: string, isOver: () => boolean): Promise<void> {
  for (await sleep(CLEAN_START_MS); !isOver(); await sleep(100)) await syncFileSystem(cluster);
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/** As the guard does, which may have been killed along with its gateway. A server that is told twice shuts down once. */
export async function shutDown(server: number, cluster: string): Promise<void> {
  await syncFileSystem(cluster);
  try {
    process.kill(server, 'SIGINT');
  } catch {
    // It has ended meanwhile.
  }
}
