import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, link, mkdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from './support/actors.ts';
import { JWT_SECRET } from './support/app.ts';
import { ensureBuilt, START } from './support/built.ts';
import { createControlDatabase, dropControlDatabase } from './support/database.ts';
import { cleanUp, temporaryFolder } from './support/gateway-process.ts';
import { copyInto, runSteps, type Stage, stagesOf, wordsOf } from './support/image.ts';
import { SUPER_ADMIN } from './support/super-admin.ts';

/** `IMAGE_STEPS=1` runs every step, the packages' installation included, in an empty folder: minutes instead of seconds. */
const WHOLE = process.env.IMAGE_STEPS !== undefined;
const run = promisify(execFile);
const [build, image] = stagesOf(await readFile('Dockerfile', 'utf8')) as [Stage, Stage];
const lock = JSON.parse(await readFile('package-lock.json', 'utf8')) as {
  packages: Record<string, { version: string; dev?: boolean; link?: boolean }>;
};

let folder: string;
let databaseUrl: string;

beforeAll(async () => {
  await ensureBuilt();
  databaseUrl = await createControlDatabase();
  folder = join(await temporaryFolder(), 'app');
  // `mkdtemp` lets nobody else in.
  await chmod(dirname(folder), 0o755);
  await mkdir(folder);
  if (WHOLE) {
    const building = join(dirname(folder), 'build');
    await copyInto(building, build, { '': '.' });
    await runSteps(building, build, {});
    await copyInto(folder, image, { build: building });
  } else {
    await copyInto(
      folder,
      { ...image, steps: image.steps.filter(({ args }) => !args[0]!.includes('node_modules')) },
      { build: '.' },
    );
    await linkPackages();
  }
}, 900_000);
afterAll(async () => {
  await cleanUp();
  await dropControlDatabase(databaseUrl);
});

/** What `npm prune` leaves, and what the step after it does not remove. */
async function linkPackages(): Promise<void> {
  const removed = build.steps
    .map(({ args }) => /rm -rf (.*)$/.exec(args[0]!)?.[1])
    .find(Boolean)!
    .split(/ +/);
  const isRemoved = (path: string) =>
    removed.some((one) => new RegExp(`^${one.replace(/[.]/g, '\\.').replace('*', '[^/]*')}(/|$)`).test(path));
  const kept = Object.entries(lock.packages)
    .filter(([path, { dev }]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && !dev && !isRemoved(path))
    .map(([path]) => path);
  expect(kept.length).toBeGreaterThan(100);
  for (const path of kept) await mkdir(join(folder, dirname(path)), { recursive: true });
  // Those for other platforms are not there.
  const script = kept.map(
    (path) =>
      `[ ! -e '${path}' ] || cp -al '${path}' '${join(folder, path)}' 2>/dev/null || cp -a '${path}' '${join(folder, path)}'`,
  );
  await run('sh', ['-c', script.join('\n')]);
}

/** What the image starts, by the account that it names, on a disk that this account cannot write to. */
async function start(args: string[], env: Record<string, string>) {
  const [command, ...words] = wordsOf(image.steps.find(({ keyword }) => keyword === 'ENTRYPOINT')!);
  const user = image.steps.find(({ keyword }) => keyword === 'USER')!.args[0]!.split(':');
  expect(command).toBe('node');
  const own = Object.fromEntries(
    image.steps
      .filter(({ keyword }) => keyword === 'ENV')
      .flatMap(({ args: pairs }) => pairs.map((pair) => pair.split('=') as [string, string])),
  );
  const node = await nodeForAll();
  const asUser = process.getuid?.() === 0 ? ['--reuid', user[0]!, '--regid', user[1]!, '--clear-groups'] : [];
  const child = spawn('setpriv', [...asUser, '--pdeathsig', 'KILL', node, ...words, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...own, HOST: '127.0.0.1', PORT: '0', ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => {
      output += data;
    });
  return { child, output: () => output };
}

/** This test's Node.js where others may run it: the folder that it is in may be root's alone. */
async function nodeForAll(): Promise<string> {
  const node = join(dirname(folder), 'node');
  await link(resolve(process.execPath), node)
    .catch(() => run('cp', [process.execPath, node]))
    .catch(() => {});
  return node;
}

test('the image starts as an account that is not root, with nothing but what it holds, and serves', async () => {
  const env = {
    DATABASE_URL: databaseUrl,
    JWT_SECRET,
    WARM_DATABASES: '0',
    SUPER_ADMIN_EMAIL: SUPER_ADMIN.email,
    SUPER_ADMIN_PASSWORD: SUPER_ADMIN.password,
  };
  const { child, output } = await start(['--role', 'all'], env);
  const ended = once(child, 'close');
  try {
    const url = await eventually(
      async () => /REST +(http:\S+)\/api /.exec(output())?.[1],
      (found) => found !== undefined || child.exitCode !== null,
      60_000,
    );
    if (!url) throw new Error(`it did not start:\n${output()}`);
    const status = async (path: string) => (await fetch(`${url}${path}`)).status;
    expect(await status('/api/health')).toBe(200);
    expect(await status('/readyz')).toBe(200);
    expect(await status('/console')).toBe(200);
    expect(await status('/api/docs')).toBe(200);
    const uid = (await readFile(`/proc/${child.pid}/status`, 'utf8')).match(/^Uid:\s+(\d+)/m)![1];
    expect(uid).not.toBe('0');

    const [node, ...probe] = wordsOf({ ...image.steps.find(({ keyword }) => keyword === 'HEALTHCHECK')!, flags: {} });
    expect(node).toBe('node');
    const check = (port: string) => run(process.execPath, probe, { env: { PORT: port } });
    await expect(check(new URL(url).port)).resolves.toBeDefined();
    await expect(check('1')).rejects.toMatchObject({ code: 1 });
  } finally {
    child.kill('SIGTERM');
  }
  expect(await ended).toEqual([0, null]);
});

test('without a database it says in a sentence what it lacks', async () => {
  const { child, output } = await start([], { JWT_SECRET });
  const [code] = await once(child, 'close');
  expect(code).toBe(1);
  expect(output()).toMatch(/set DATABASE_URL/);
  expect(output()).not.toMatch(/^\s+at /m);
});

test('it is built on a named version of Node.js, the one that tests run on, for both stages', () => {
  const { version } = lock.packages['node_modules/node']!;
  expect([build.base, image.base]).toEqual([`node:${version}-bookworm-slim`, `node:${version}-bookworm-slim`]);
});

test('it starts what npm start does', () => {
  const words = wordsOf(image.steps.find(({ keyword }) => keyword === 'ENTRYPOINT')!);
  expect(words.map((word) => (word.endsWith('.js') ? resolve(word) : word))).toEqual(['node', ...START]);
});

test('what is copied is there, and let through by .dockerignore', async () => {
  const lines = (await readFile('.dockerignore', 'utf8')).split('\n').filter((line) => line && !line.startsWith('#'));
  expect(lines[0]).toBe('*');
  const through = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  const copied = build.steps.filter(({ keyword }) => keyword === 'COPY').flatMap(({ args }) => args.slice(0, -1));
  expect(copied.sort()).toEqual(through.sort());
  await run('ls', copied);
});

test('it holds no secrets and no tools to build with', () => {
  const names = image.steps.filter(({ keyword }) => ['ENV', 'ARG'].includes(keyword)).flatMap(({ args }) => args);
  expect(names).toEqual(['NODE_ENV=production', 'HOST=0.0.0.0', 'PORT=4000', 'DATA_DIR=/data']);
  expect(build.steps.some(({ args }) => args[0]!.startsWith('npm prune --omit=dev'))).toBe(true);
});
