import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Actor, provision, superAdmin } from './support/actors.ts';
import { SUPER_ADMIN, startApp, type TestApp } from './support/app.ts';

let app: TestApp;
let admin: Actor;

beforeAll(async () => {
  app = await startApp();
  admin = await superAdmin(app);
});
afterAll(() => app.stop());

const STEPS = [
  'reserve_names',
  'create_database',
  'apply_schema',
  'seed_defaults',
  'create_stores',
  'create_admin',
  'activate',
];

const example = (...options: string[]) =>
  promisify(execFile)(process.execPath, ['docs/examples/provisioning-timeline.ts', app.url, ...options], {
    env: { ...process.env, EMAIL: SUPER_ADMIN.email, PASSWORD: SUPER_ADMIN.password, NODE_OPTIONS: '' },
  });

/** Each step that has ended, with how long it took. */
const ended = (output: string) => [...output.matchAll(/^(\w+) +DONE +\d+ ms$/gm)].map(([, name]) => name);

test('the example makes a tenant and prints each step with its duration', async () => {
  const { stdout, stderr } = await example('--slug', 'timeline');
  expect(stderr).toBe('');
  expect(ended(stdout)).toEqual(STEPS);
});

test('given a tenant, it prints how the making of that one went', async () => {
  const { id } = await provision(admin);
  const { stdout } = await example('--follow', id);
  expect(ended(stdout)).toEqual(STEPS);
});

test('it says what is wrong', async () => {
  await expect(example('--slug', 'no')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('The request is not valid.'),
  });
});

test("the page's curl is told what the page shows", async () => {
  const page = await readFile('docs/subscriptions.md', 'utf8');
  const command = /```sh\n(curl [\s\S]*?)```/.exec(page)![1]!;
  const shown = /```text\n(event: next[\s\S]*?)```/.exec(page)![1]!;
  const curl = spawn('bash', ['-c', `exec ${command}`], {
    env: { ...process.env, URL: app.url, TOKEN: admin.token },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const chunk of curl.stdout) {
    output += chunk;
    // It goes on until somebody ends it.
    if (output.includes('SNAPSHOT') && output.endsWith('\n\n')) break;
  }
  if (curl.exitCode === null && curl.signalCode === null) {
    curl.kill();
    await once(curl, 'close');
  }
  const settled = (text: string) =>
    text
      .replaceAll(/"(sequence|total)":\d+/g, '"$1":0')
      .replace(/^(:\s*)+/, '')
      .trim();
  expect(settled(output)).toBe(settled(shown));
});
