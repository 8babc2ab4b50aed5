import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The compiled gateway and commands, a file a module; what `npm start` runs is in `gateway` below it. */
export const dist = join(root, 'dist');

/** What follows `node` in `npm start`. */
export const START: readonly string[] = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  .scripts.start.split(' ')
  .slice('exec node'.split(' ').length)
  .map((word: string) => (word.startsWith('-') ? word : join(root, word)));

/** Compiles the gateway unless that has been done, as before every command. */
export function ensureBuilt(): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join('scripts', 'setup.mjs'), 'gateway'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
}
