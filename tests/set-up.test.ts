import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from './support/actors.ts';
import { cleanUp, temporaryFolder } from './support/gateway-process.ts';

/** What is last among its words is the folder to make. */
const TOOL = '#!/bin/sh\nfor word; do folder=$word; done\nmkdir -p "$folder"\n';
const NPM = `#!/bin/sh
echo ran >> npm.log
until [ -e go ]; do sleep 0.1; done
[ -e broken ] && exit 1
mkdir -p node_modules/.bin
for tool in tsc node vite; do cp tool node_modules/.bin/$tool; chmod +x node_modules/.bin/$tool; done
`;

/** A clone without packages, with an npm and tools that do as much as is looked at. */
let clone: string;

beforeEach(async () => {
  clone = await temporaryFolder();
  for (const folder of ['scripts', 'src', 'web', 'bin']) await mkdir(join(clone, folder));
  for (const script of ['setup.mjs', 'alone.mjs', 'bundle.mjs']) {
    await cp(join(import.meta.dirname, '..', 'scripts', script), join(clone, 'scripts', script));
  }
  for (const file of ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json'])
    await writeFile(join(clone, file), '{}');
  await writeFile(join(clone, 'tool'), TOOL);
  await writeFile(join(clone, 'bin', 'npm'), NPM, { mode: 0o755 });
});
afterAll(cleanUp);

interface SetUp {
  child: ChildProcess;
  output: string;
}

function begin(): SetUp {
  const child = spawn(process.execPath, ['scripts/setup.mjs'], {
    cwd: clone,
    env: { ...process.env, PATH: `${join(clone, 'bin')}${delimiter}${process.env.PATH}` },
  });
  const setUp = { child, output: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      setUp.output += data;
    });
  }
  return setUp;
}

async function ended(setUp: SetUp): Promise<{ code: number; output: string }> {
  const [code] = await once(setUp.child, 'close');
  return { code, output: setUp.output };
}

const setUp = () => ended(begin());
const letNpmEnd = () => writeFile(join(clone, 'go'), '');
const installs = async () => (await readFile(join(clone, 'npm.log'), 'utf8')).trim().split('\n').length;
const lockFiles = async () => (await readdir(clone)).filter((name) => name.startsWith('.tmp'));

describe('setting a clone up', () => {
  test('is done once by two who begin at the same time: the other says whom it waits for, and finds it done', async () => {
    const both = [begin(), begin()];
    const ends = Promise.all(both.map(ended));
    const waits = ({ output }: { output: string }) => output.includes('Another set-up of this folder is under way');
    await eventually(async () => both.some(waits), Boolean, 20_000);
    await letNpmEnd();
    const results = await ends;
    expect(results.map(({ code }) => code)).toEqual([0, 0]);
    expect(await installs()).toBe(1);
    expect(results.filter(waits).map(({ output }) => output.includes('Installing packages'))).toEqual([false]);
    expect(await readdir(join(clone, 'dist'))).toEqual(['.built']);
    expect(await readdir(join(clone, 'web', 'dist'))).toEqual(['.built']);
    expect(await lockFiles()).toEqual([]);
    expect(await setUp()).toEqual({ code: 0, output: '' });
  });

  test('does not wait for one that was killed', async () => {
    await letNpmEnd();
    const dead = spawn(process.execPath, ['--version']);
    await once(dead, 'exit');
    await writeFile(join(clone, '.tmp-set-up.lock'), `${dead.pid}`);
    const { code, output } = await setUp();
    expect(output).not.toContain('Another set-up');
    expect([code, await installs(), await lockFiles()]).toEqual([0, 1, []]);
  });

  test('does not wait for one of which nothing is known', async () => {
    await letNpmEnd();
    await writeFile(join(clone, '.tmp-set-up.lock'), '');
    const { code, output } = await setUp();
    expect(output).not.toContain('Another set-up');
    expect([code, await installs(), await lockFiles()]).toEqual([0, 1, []]);
  });

  test('waits for what one that was killed has begun, and then does it again', async () => {
    const killed = begin();
    await eventually(async () => existsSync(join(clone, 'npm.log')), Boolean, 20_000);
    killed.child.kill('SIGKILL');
    await once(killed.child, 'exit');
    const next = begin();
    const end = ended(next);
    await eventually(
      async () => next.output,
      (output) => output.includes('Another set-up'),
      20_000,
    );
    expect(await installs()).toBe(1);
    await letNpmEnd();
    const { code, output } = await end;
    expect(output).not.toContain(`(process ${killed.child.pid},`);
    expect([code, await installs(), await lockFiles()]).toEqual([0, 2, []]);
  });

  test('that fails says why, and is begun anew by the next one', async () => {
    await letNpmEnd();
    await writeFile(join(clone, 'broken'), '');
    expect(await setUp()).toEqual({
      code: 1,
      output: expect.stringMatching(/\nThe packages could not be installed\.\n$/),
    });
    expect(await lockFiles()).toEqual([]);
    await writeFile(join(clone, 'bin', 'npm'), NPM.replace('[ -e broken ] && exit 1', ''), { mode: 0o755 });
    expect((await setUp()).code).toBe(0);
    expect(await installs()).toBe(2);
  });
});
