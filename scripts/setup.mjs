// Makes a fresh clone ready, with any Node from 20 on: installs what package-lock.json names, then compiles what changed.
// `node scripts/setup.mjs gateway` only compiles the gateway, where packages are in use.
// It uses nothing but Node itself, because it runs before anything is installed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
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
import { alone } from './alone.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const at = (...parts) => join(root, ...parts);

if (Number(process.versions.node.split('.')[0]) < 20) {
  console.error(`Node ${process.versions.node} is too old to set OmniStream up: use Node 20 or newer.`);
  process.exit(1);
}

/** Where it is not done, one set-up of this folder does it, and others wait and find it done. */
async function ensure(isDone, work) {
  if (isDone()) return;
  await alone(at('.tmp-set-up.lock'), (note) => isDone() || work(note));
}

/** What is told to whoever called, without where in here. */
class Failure extends Error {}

/** @param note told of the process, which lives on where this one alone is killed. */
async function run(command, args, failure, note) {
  const child = spawn(command, args, { cwd: root, stdio: 'inherit' });
  if (child.pid) note(child.pid);
  const { status, error } = await once(child, 'exit').then(
    ([status]) => ({ status }),
    (error) => ({ error }),
  );
  if (status === 0) return;
  throw new Failure(`${failure}${error ? ` (${error.message})` : ''}`);
}

async function installPackages() {
  /** Which lock file node_modules was made from. */
  const stamp = at('node_modules', '.made-from');
  const lock = createHash('sha256')
    .update(readFileSync(at('package-lock.json')))
    .digest('hex');
  await ensure(
    () => existsSync(stamp) && readFileSync(stamp, 'utf8') === lock,
    async (note) => {
      console.log('Installing packages (a minute or so, only after a change of package-lock.json)…');
      await run(
        'npm',
        ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
        'The packages could not be installed.',
        note,
      );
      writeFileSync(stamp, lock);
    },
  );
}

function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  const names = readdirSync(path);
  // A folder that what is made is put into changes by that.
  const own = names.includes('dist') ? 0 : stat.mtimeMs;
  return Math.max(own, ...names.filter((name) => name !== 'dist').map((name) => newest(join(path, name))));
}

/**
 * Makes a folder anew where anything that it is made from has changed since: aside and then into place, because a gateway may be
 * starting from what is there.
 *
 * @param steps each given the folder to make.
 */
async function make(folder, sources, steps) {
  const built = join(folder, '.built');
  const isDone = () =>
    existsSync(built) && statSync(built).mtimeMs >= Math.max(...sources.map((name) => newest(at(name))));
  await ensure(isDone, async (note) => {
    // What is saved while it is being made has to be made the next time.
    const began = new Date();
    // As deep as what is compiled is to be: source maps name sources by the way there.
    const draft = at(`.tmp-set-up-${process.pid}`);
    const old = `${draft}-old`;
    for (const { say, command, args, failure } of steps) {
      console.log(say);
      await run(at('node_modules', '.bin', command), args(draft), failure, note);
    }
    writeFileSync(join(draft, '.built'), '');
    utimesSync(join(draft, '.built'), began, began);
    if (existsSync(folder)) renameSync(folder, old);
    renameSync(draft, folder);
    rmSync(old, { recursive: true, force: true });
  });
}

async function makeGateway() {
  await make(
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
}

async function makeConsole() {
  await make(
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
}

const isGatewayOnly = process.argv[2] === 'gateway';
try {
  if (!isGatewayOnly) await installPackages();
  await makeGateway();
  if (!isGatewayOnly) await makeConsole();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(`\n${error.message}`);
  process.exit(1);
}
