/** Making the embedded server's data folder. */
import { spawnSync } from 'node:child_process';
import { chown, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isAlive, SUPERUSER } from './embedded-cluster.ts';
import type { ServerAccount } from './server-account.ts';

/** Stands between the cluster's name and the number of the process that makes it. */
const DRAFT = '.new-';

/** Removes what gateways left that were killed while they made a cluster: half a folder, and the password beside it. */
export async function removeDrafts(cluster: string): Promise<void> {
  const prefix = `${basename(cluster)}${DRAFT}`;
  for (const name of await readdir(dirname(cluster))) {
    if (!name.startsWith(prefix) || isAlive(Number.parseInt(name.slice(prefix.length), 10))) continue;
    // The killed gateway's initdb may be writing still; it ends where its folder is gone.
    await rm(join(dirname(cluster), name), { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

/** Makes the cluster beside its place and moves it there, so that a crash halfway leaves nothing that looks whole. */
export async function initialise(
  initdb: string,
  cluster: string,
  password: string,
  account?: ServerAccount,
): Promise<void> {
  const draft = `${cluster}${DRAFT}${process.pid}`;
  const passwordFile = `${draft}.password`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (account) {
    await chown(draft, account.uid, account.gid);
    await chown(passwordFile, account.uid, account.gid);
  }
  try {
    const run = spawnSync(
      initdb,
      [
        '-D',
        draft,
        '-U',
        SUPERUSER,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--locale=C',
        '--no-instructions',
      ],
      { ...account, cwd: draft, encoding: 'utf8', env: { PATH: process.env.PATH, TZ: 'UTC' } },
    );
    if (run.status !== 0) throw new Error(`PostgreSQL could not make its data folder: ${run.stderr || run.error}`);
    // Another gateway that started at the same moment may have been first; its cluster is as good.
    await rename(draft, cluster).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(passwordFile, { force: true });
    await rm(draft, { recursive: true, force: true });
  }
}
