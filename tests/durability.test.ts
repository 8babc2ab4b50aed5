import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { runningServer } from '../src/db/embedded-cluster.ts';
import { storedSecrets } from '../src/db/secrets.ts';
import { agent, superAdmin } from './support/actors.ts';
import { ensureBuilt } from './support/built.ts';
import {
  cleanUp,
  postgresGone,
  runDoctor,
  runGateway,
  startGateway,
  temporaryFolder,
} from './support/gateway-process.ts';
import { copyInstallation, makeInstallation } from './support/installation.ts';
import { allActive, PASSWORD, provisionMany, took } from './support/many-tenants.ts';
import { freePort } from './support/redis-server.ts';

let installation: string;
beforeAll(async () => {
  ensureBuilt();
  const { dataDir, ms } = await makeInstallation();
  took('first start, on an empty folder', ms);
  installation = dataDir;
}, 60_000);
afterEach(() => cleanUp());
afterAll(() => cleanUp('file'));

const healthy = { code: 0, output: expect.stringMatching(/^nothing wrong: /) };

describe('tenants in the making', () => {
  test('survive a kill -9 at a random moment: the next start makes them all', async () => {
    const env = { DATA_DIR: await copyInstallation(installation) };
    const first = await startGateway(env);
    const { accepted, done } = provisionMany(await superAdmin(first), 20);
    const moment = Math.random() * 2000;
    await Promise.all([done.catch(() => {}), sleep(moment).then(() => first.end('SIGKILL'))]);
    process.stdout.write(`    killed after ${Math.round(moment)} ms, ${accepted.length} of 20 accepted\n`);
    const second = await startGateway(env);
    // Some may have been committed whose answer never came.
    expect(await allActive(await superAdmin(second))).toBeGreaterThanOrEqual(accepted.length);
    for (const { slug } of accepted.slice(0, 2)) await agent(second, `admin@${slug}.test`, PASSWORD);
    expect(await runDoctor(env)).toMatchObject(healthy);
  });

  test('survive a SIGTERM, which ends with 0 within 10 s: the next start makes them all', async () => {
    const env = { DATA_DIR: await copyInstallation(installation) };
    const first = await startGateway(env);
    await provisionMany(await superAdmin(first), 20).done;
    const start = performance.now();
    const { code, signal } = await first.end('SIGTERM');
    const ms = performance.now() - start;
    took('drain while tenants are being made', ms);
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(ms).toBeLessThan(10_000);
    // Without a gateway the doctor starts the server itself, and says what has not ended.
    expect(await runDoctor(env)).toMatchObject({
      code: 1,
      output: expect.stringContaining('no gateway is running -> start one'),
    });
    const second = await startGateway(env);
    expect(await allActive(await superAdmin(second))).toBe(20);
    expect(await runDoctor(env)).toMatchObject(healthy);
  });
});

describe('the embedded PostgreSQL', () => {
  test('is gone after SIGTERM and after kill -9 of the gateway', async () => {
    const env = { DATA_DIR: await copyInstallation(installation) };
    const first = await startGateway(env);
    expect(await runningServer(env.DATA_DIR)).toBeDefined();
    await first.end('SIGTERM');
    expect(await runningServer(env.DATA_DIR)).toBeUndefined();
    const second = await startGateway(env);
    await second.end('SIGKILL');
    await postgresGone(env.DATA_DIR);
    expect(await runDoctor(env)).toMatchObject(healthy);
    expect(await runningServer(env.DATA_DIR)).toBeUndefined();
  });
});

describe('a data folder', () => {
  test('is taken up again within 3 s', async () => {
    const env = { DATA_DIR: await copyInstallation(installation), PORT: String(await freePort()) };
    const start = performance.now();
    await startGateway(env);
    const ms = performance.now() - start;
    took('second start, to GET /api/health', ms);
    expect(ms).toBeLessThan(3000);
  });

  test('takes one gateway: a second is refused in a sentence and with exit code 1', async () => {
    const env = { DATA_DIR: await copyInstallation(installation) };
    const first = await startGateway(env);
    const second = await runGateway({ ...env, PORT: '0' });
    expect(second.code).toBe(1);
    expect(second.output.trim()).toBe(
      `Another gateway (process ${first.pid}) is already running on the data folder ${env.DATA_DIR}.\n` +
        'Stop that one first, or start this one with a DATA_DIR (and a PORT) of its own.',
    );
    await superAdmin(first);
    expect(await runDoctor(env)).toMatchObject(healthy);
  });

  test("is not refused because of a crash that left numbers which are other processes' by now", async () => {
    const env = { DATA_DIR: await copyInstallation(installation) };
    const stranger = spawn('sleep', ['60']);
    const pidFile = join(env.DATA_DIR, 'postgres', 'postmaster.pid');
    await writeFile(join(env.DATA_DIR, 'gateway.pid'), `${stranger.pid}\n`);
    await writeFile(
      pidFile,
      `${stranger.pid}\n${join(env.DATA_DIR, 'postgres')}\n1\n5432\n\n127.0.0.1\n1 1\nready   \n`,
    );
    try {
      await superAdmin(await startGateway(env));
    } finally {
      stranger.kill();
    }
  });

  test('gets its secrets once, however many start on it at the same moment', async () => {
    const folder = join(await temporaryFolder(), 'data');
    const [first, ...others] = await Promise.all(Array.from({ length: 8 }, () => storedSecrets(folder)));
    for (const secrets of others) expect(secrets).toEqual(first);
    expect(JSON.parse(await readFile(join(folder, 'secrets.json'), 'utf8'))).toEqual(first);
  });

  test('without an installation is nothing that the doctor can look at', async () => {
    const env = { DATA_DIR: join(await temporaryFolder(), 'data') };
    expect(await runDoctor(env)).toMatchObject({
      code: 2,
      output: `There is no installation in ${env.DATA_DIR}: set DATA_DIR to its folder, or DATABASE_URL.\n`,
    });
  });
});
