import { spawnSync } from 'node:child_process';
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
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

const SOURCES = ['src', 'tsconfig.json', 'tsconfig.build.json', join('scripts', 'bundle.mjs')];

function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function isBuilt(): boolean {
  const mark = join(dist, '.built');
  return existsSync(mark) && statSync(mark).mtimeMs >= Math.max(...SOURCES.map((name) => newest(join(root, name))));
}

/** Compiles the gateway unless that has been done, as `npm test` does before the tests (scripts/setup.mjs). */
export function ensureBuilt(): void {
  if (isBuilt()) return;
  // Aside and then into place, because another test file may be running what is there.
  const start = new Date();
  const draft = join(root, `.tmp-build-${process.pid}`);
  const old = `${draft}-old`;
  run('tsc', ['-p', 'tsconfig.build.json', '--outDir', draft], 'the sources do not compile');
  run('node', [join('scripts', 'bundle.mjs'), draft], 'the gateway cannot be bundled');
  writeFileSync(join(draft, '.built'), '');
  utimesSync(join(draft, '.built'), start, start);
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(draft, dist);
  rmSync(old, { recursive: true, force: true });
}

function run(command: string, args: string[], failure: string): void {
  const ended = spawnSync(join(root, 'node_modules', '.bin', command), args, { cwd: root, encoding: 'utf8' });
  if (ended.status !== 0) throw new Error(`${failure}:\n${ended.stdout}${ended.stderr}`);
}
