import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Actor, active, anonymous, eventually, superAdmin } from './support/actors.ts';
import { JWT_SECRET } from './support/app.ts';
import { ensureBuilt } from './support/built.ts';
import { createControlDatabase, dropControlDatabase, sql } from './support/database.ts';
import {
  cleanUp,
  type GatewayProcess,
  runDoctor,
  runGateway,
  startGateway,
  temporaryFolder,
} from './support/gateway-process.ts';
import { atOnce } from './support/many-tenants.ts';

let databaseUrl: string;
let env: Record<string, string>;
beforeAll(async () => {
  ensureBuilt();
  databaseUrl = await createControlDatabase();
  env = { DATABASE_URL: databaseUrl, JWT_SECRET };
});
afterAll(async () => {
  await cleanUp();
  await dropControlDatabase(databaseUrl);
});

describe('npm start -- --role', () => {
  test.each([
    [
      'one that there is not',
      ['--role', 'boss'],
      'The environment cannot be used:\n  ROLE must be all, gateway or worker',
    ],
    [
      'an option that there is not',
      ['--rolle=worker'],
      expect.stringMatching(/--rolle.*\nUsage: npm start -- \[--role/s),
    ],
    ['a word without an option', ['worker'], expect.stringMatching(/worker.*\nUsage: npm start -- \[--role/s)],
  ])('refuses %s in a sentence and with exit code 1', async (_, options, said) => {
    const { code, output } = await runGateway(env, ...options);
    expect({ code, output: output.trim() }).toEqual({ code: 1, output: said });
  });

  test('refuses to split what runs on the embedded PostgreSQL, and makes no folder', async () => {
    const { code, output } = await runGateway({ DATA_DIR: await temporaryFolder() }, '--role', 'worker');
    expect({ code, output: output.trim() }).toEqual({
      code: 1,
      output:
        'A process that is only a worker needs DATABASE_URL: the embedded PostgreSQL belongs to one process, which does everything.',
    });
  });
});

describe('a gateway without a worker', () => {
  let gateway: GatewayProcess;
  let admin: Actor;
  let waiting: string;
  beforeAll(async () => {
    gateway = await startGateway(env, { options: ['--role', 'gateway'] });
    admin = await superAdmin(gateway);
  });

  const sessions = (application: string) =>
    sql(databaseUrl, 'select from pg_stat_activity where datname = current_database() and application_name = $1', [
      application,
    ]);
  const workersIn = async (process: GatewayProcess) =>
    /^omnistream_workers_alive (\d+)$/m.exec(await (await fetch(`${process.url}/metrics`)).text())?.[1];
  const notices = async () => (await anonymous(gateway).rest('GET', '/readyz')).body.notices;
  const NO_WORKER = expect.stringMatching(/^No worker is alive: .+\.$/);

  test('takes requests, and leaves jobs and periodic work alone', async () => {
    const { status, body } = await admin.rest('POST', '/api/super-admin/tenants', {
      name: 'Waiting',
      slug: 'waiting',
      admin_email: 'a@waiting.test',
      admin_password: 'a password',
    });
    waiting = body.id;
    expect(status).toBe(201);
    // Three rounds of whatever looks for jobs, and of whoever would lead.
    await sleep(2000);
    expect((await admin.rest('GET', `/api/super-admin/tenants/${waiting}`)).body.status).toBe('provisioning');
    expect(await sessions('omnistream worker')).toEqual([]);
    expect(await sessions('omnistream leader')).toEqual([]);
  });

  test('is ready, and says that there is none: at /readyz, in metrics, in the health report, by the doctor', async () => {
    expect(await anonymous(gateway).rest('GET', '/readyz')).toMatchObject({
      status: 200,
      body: { status: 'ready', notices: [NO_WORKER] },
    });
    expect(await workersIn(gateway)).toBe('0');
    const { data } = await admin.graphql('{ systemHealth { status workers } }');
    expect(data.systemHealth).toEqual({ status: 'DEGRADED', workers: 0 });
    expect((await runDoctor(env)).output).toContain('no worker is running -> start one');
  });

  test('has its tenant made as soon as a worker comes, who serves health, readiness and metrics alone', async () => {
    const worker = await startGateway({ ...env, ROLE: 'worker' });
    await active(admin, waiting);
    expect(await workersIn(gateway)).toBe('1');
    expect(await notices()).toEqual([]);
    expect(worker.output()).not.toMatch(/Console|password/);
    const asked = anonymous(worker);
    for (const path of ['/api/health', '/readyz']) expect((await asked.rest('GET', path)).status).toBe(200);
    expect(await workersIn(worker)).toBe('1');
    for (const path of ['/console', '/graphql', '/api/docs', '/api/super-admin/tenants']) {
      expect(await asked.rest('GET', path)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
    await worker.end('SIGKILL');
    await atOnce('until the gateway says that its worker is dead', notices, ([said]) => said !== undefined);
    expect(await notices()).toEqual([NO_WORKER]);
  });

  test('goes on while workers come and go, and ends with 0 as they do', async () => {
    const first = await startGateway({ ...env, ROLE: 'worker' });
    const second = await startGateway({ ...env, ROLE: 'worker' });
    await eventually(
      () => workersIn(gateway),
      (count) => count === '2',
    );
    // One of them leads, the other waits for its turn.
    await eventually(
      () => sessions('omnistream leader'),
      (both) => both.length === 2,
    );
    expect(await first.end('SIGTERM')).toMatchObject({ code: 0 });
    expect(await notices()).toEqual([]);
    expect(await second.end('SIGTERM')).toMatchObject({ code: 0 });
    expect(await gateway.end('SIGTERM')).toMatchObject({ code: 0 });
  });
});

describe('a start that nothing can come of', () => {
  test.each([
    [
      'a host that has no address',
      // Too long a label: no resolver is asked.
      { HOST: `${'a'.repeat(64)}.test` },
      /^HOST and PORT cannot be listened on: getaddrinfo .*\n/,
    ],
    [
      'a host that is elsewhere',
      { HOST: '203.0.113.1' },
      /^HOST and PORT cannot be listened on: listen EADDRNOTAVAIL.*\n/,
    ],
    ['a data folder that is a file', { DATA_DIR: '/etc/passwd' }, /^DATA_DIR cannot be used: ENOTDIR.*\n/],
  ])('ends in words and not in a stack: %s', async (_, wrong, said) => {
    const { code, output } = await runGateway({ ...env, DATA_DIR: await temporaryFolder(), ...wrong });
    expect({ code, output: output.trim() }).toEqual({ code: 1, output: expect.stringMatching(said) });
    expect(output).not.toMatch(/^\s+at /m);
  });
});
