// Makes a fresh clone ready, with any Node from 20 on: installs what package-lock.json names, then compiles what changed.
// It uses nothing but Node itself, because it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const at = (...parts) => join(root, ...parts);

if (Number(process.versions.node.split('.')[0]) < 20) {
  console.error(`Node ${process.versions.node} is too old to set OmniStream up: use Node 20 or newer.`);
  process.exit(1);
}

function run(command, args, failure) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status === 0) return;
  console.error(`\n${failure}${error ? ` (${error.message})` : ''}`);
  process.exit(1);
}

/** Which lock file node_modules was made from. */
const stamp = at('node_modules', '.made-from');
const lock = createHash('sha256')
  .update(readFileSync(at('package-lock.json')))
  .digest('hex');
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  console.log('Installing packages (a minute or so, only after a change of package-lock.json)…');
  run(
    'npm',
    ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
    'The packages could not be installed.',
  );
  writeFileSync(stamp, lock);
}

function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

const built = at('dist', '.built');
const changed = Math.max(
  ...['src', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'].map((name) => newest(at(name))),
);
if (!existsSync(built) || statSync(built).mtimeMs < changed) {
  console.log('Compiling…');
  rmSync(at('dist'), { recursive: true, force: true });
  run(at('node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.build.json'], 'The sources do not compile.');
  writeFileSync(built, '');
}
