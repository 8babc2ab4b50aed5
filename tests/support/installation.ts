/** Data folders of the embedded installation, as the first start leaves them. */
import { spawnSync } from 'node:child_process';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startGateway, temporaryFolder } from './gateway-process.ts';

/**
 * Starts a gateway once on an empty folder and stops it.
 * @returns the folder, to be copied, and how long that start took in milliseconds.
 */
export async function makeInstallation(): Promise<{ dataDir: string; ms: number }> {
  const dataDir = join(await temporaryFolder('file'), 'data');
  const start = performance.now();
  const gateway = await startGateway({ DATA_DIR: dataDir });
  const ms = performance.now() - start;
  await gateway.end('SIGTERM');
  // What a killed process has written is kept by the kernel; only a machine that loses power would lose it.
  await appendFile(join(dataDir, 'postgres', 'postgresql.conf'), '\nfsync = off\nsynchronous_commit = off\n');
  return { dataDir, ms };
}

/** A copy for one test. */
export async function copyInstallation(dataDir: string): Promise<string> {
  const copy = join(await temporaryFolder(), 'data');
  const { status, stderr } = spawnSync('cp', ['-a', '--reflink=auto', dataDir, copy], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the installation could not be copied: ${stderr}`);
  return copy;
}
