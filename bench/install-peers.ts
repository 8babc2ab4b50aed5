/** The packages of the servers beside the gateway, installed when they are first needed. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, 'peers');
/** Which lock file they were installed from. */
const STAMP = join(FOLDER, 'node_modules', '.made-from');

/** @returns why they could not be installed; undefined where they are there. */
export async function installPeers(say: (text: string) => void): Promise<string | undefined> {
  const lock = createHash('sha256')
    .update(readFileSync(join(FOLDER, 'package-lock.json')))
    .digest('hex');
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === lock) return undefined;
  say(
    'Installing PostGraphile, mercurius and Yoga (a minute or so, only after a change of bench/peers/package-lock.json)…',
  );
  const args = ['ci', '--omit=peer', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status, stderr, error } = spawnSync('npm', args, { cwd: FOLDER, encoding: 'utf8' });
  if (status !== 0) return (error?.message ?? stderr.trim().split('\n')[0]) || 'npm ci failed';
  writeFileSync(STAMP, lock);
  return undefined;
}
