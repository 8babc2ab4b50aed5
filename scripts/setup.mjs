// Makes a fresh clone ready, with any Node from 20 on: installs what package-lock.json names, then compiles what changed.
// It uses nothing but Node itself, because it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
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
  const names = readdirSync(path).filter((name) => name !== 'dist');
  return Math.max(stat.mtimeMs, ...names.map((name) => newest(join(path, name))));
}

/**
 * Makes a folder anew where anything that it is made from has changed since: aside and then into place, because a gateway may be
 * starting from what is there, and another set-up be under way.
 *
 * @param steps each given the folder to make.
 */
function make(folder, sources, steps) {
  const built = join(folder, '.built');
  const changed = Math.max(...sources.map((name) => newest(at(name))));
  if (existsSync(built) && statSync(built).mtimeMs >= changed) return;
  // What is saved while it is being made has to be made the next time.
  const began = new Date();
  // As deep as what is compiled is to be: source maps name sources by the way there.
  const draft = at(`.tmp-set-up-${process.pid}`);
  const old = `${draft}-old`;
  for (const { say, command, args, failure } of steps) {
    console.log(say);
    run(at('node_modules', '.bin', command), args(draft), failure);
  }
  writeFileSync(join(draft, '.built'), '');
  utimesSync(join(draft, '.built'), began, began);
  if (existsSync(folder)) renameSync(folder, old);
  renameSync(draft, folder);
  rmSync(old, { recursive: true, force: true });
}

make(
  at('dist'),
  ['src', 'tsconfig.json', 'tsconfig.build.json', join('scripts', 'bundle.mjs'), 'package-lock.json'],
  [
    {
      say: 'Compiling the gateway…',
      command: 'tsc',
      args: (draft) => ['-p', 'tsconfig.build.json', '--outDir', draft],
      failure: 'The sources do not compile.',
    },
    {
      say: 'Bundling it…',
      command: 'node',
      args: (draft) => [join('scripts', 'bundle.mjs'), draft],
      failure: 'The gateway could not be bundled.',
    },
  ],
);
make(
  at('web', 'dist'),
  ['web', 'package-lock.json'],
  [
    {
      say: 'Building the console…',
      command: 'vite',
      args: (draft) => ['build', 'web', '--logLevel', 'error', '--emptyOutDir', '--outDir', draft],
      failure: 'The console could not be built.',
    },
  ],
);
