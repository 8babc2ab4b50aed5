import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { runningServer } from '../src/db/embedded-cluster.ts';
import { type Actor, active, eventually, superAdmin } from './support/actors.ts';
import { JWT_SECRET, SUPER_ADMIN } from './support/app.ts';
import { ensureBuilt } from './support/built.ts';
import { createControlDatabase, dropControlDatabase } from './support/database.ts';
import { type Entrance, entranceTo } from './support/entrance.ts';
import { cleanUp, type GatewayProcess, startGateway, temporaryFolder } from './support/gateway-process.ts';
import { took } from './support/many-tenants.ts';
import { rawSocket } from './support/sockets.ts';

beforeAll(ensureBuilt);

const TENANTS = '/api/super-admin/tenants';
const HEALTH = '/api/super-admin/health';

const post = (admin: Actor, slug: string) =>
  admin.rest('POST', TENANTS, { name: 'Away', slug, admin_email: 'a@away.test', admin_password: 'a password' });

/** A revocation is an event: that it arrives shows that the process still hears of changes. */
async function hearsOfRevocations(gateway: GatewayProcess, admin: Actor): Promise<void> {
  const account = { email: `second-${Date.now()}@platform.test`, password: 'a password' };
  const { body } = await admin.rest('POST', '/api/super-admin/admins', { ...account, name: 'Second' });
  const second = await superAdmin(gateway, account);
  await admin.rest('DELETE', `/api/super-admin/admins/${body.id}`);
  await eventually(
    () => second.rest('GET', TENANTS),
    ({ status }) => status === 401,
    1000,
  );
}

describe('while PostgreSQL cannot be reached', () => {
  let databaseUrl: string;
  let entrance: Entrance;
  let gateway: GatewayProcess;
  let admin: Actor;
  let tenant: string;
  beforeAll(async () => {
    databaseUrl = await createControlDatabase();
    const through = await entranceTo(databaseUrl);
    entrance = through.entrance;
    gateway = await startGateway({ DATABASE_URL: through.url, JWT_SECRET });
    admin = await superAdmin(gateway);
    tenant = (await post(admin, 'made-before')).body.id;
    await active(admin, tenant);
    await admin.rest('GET', HEALTH);
    await entrance.close();
  });
  afterAll(async () => {
    await cleanUp();
    await entrance.close();
    await dropControlDatabase(databaseUrl);
  });

  test('the process lives', async () => {
    expect(await admin.rest('GET', '/api/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  test.each([
    ['GET', '/readyz', undefined],
    ['GET', TENANTS, undefined],
    ['GET', '/api/super-admin/usage', undefined],
    ['POST', TENANTS, { name: 'Never made', slug: 'never-made' }],
    ['PATCH', `${TENANTS}/<tenant>`, { name: 'Renamed' }],
    ['GET', '/api/super-admin/users?tenant_id=<tenant>', undefined],
    ['POST', '/api/super-admin/login', SUPER_ADMIN],
    ['POST', '/api/auth/login', { email: 'a@away.test', password: 'a password' }],
  ] as const)('%s %s answers 503 with Retry-After, and soon', async (method, path, body) => {
    const start = performance.now();
    const answer = await admin.rest(method, path.replace('<tenant>', tenant), body);
    expect(answer).toMatchObject({
      status: 503,
      body: { code: 'unavailable', error: expect.stringMatching(/^[A-Z].+\.$/), request_id: expect.any(String) },
    });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(performance.now() - start).toBeLessThan(6000);
  });

  test('a socket whose API key cannot be asked about is told to come back, not that the key is no good', async () => {
    const raw = await rawSocket(gateway);
    raw.send({ type: 'connection_init', payload: { 'x-api-key': `osk_12345678_${'x'.repeat(43)}` } });
    expect(await raw.closed).toMatchObject({ code: 1013, reason: expect.stringMatching(/^unavailable: /) });
  });

  test('GraphQL says the same', async () => {
    const { errors } = await admin.graphql('{ tenants { nodes { id } } }');
    expect(errors![0]).toMatchObject({ extensions: { code: 'UNAVAILABLE', retryAfter: expect.any(Number) } });
  });

  test('the health report says which parts are down, with the last known counts', async () => {
    const down = { status: 'down', latency_ms: expect.any(Number), error: expect.stringMatching(/^connection /) };
    const { status, body } = await eventually(
      () => admin.rest('GET', HEALTH),
      (answer) => answer.body.status === 'degraded',
    );
    expect(status).toBe(200);
    expect(body.infrastructure).toMatchObject({ control_plane: down, postgres: down });
    expect(body.tenants).toEqual({ total: 1, active: 1, suspended: 0 });
  });

  test('and when it is back, everything is within 5 s, the worker and the listeners included', async () => {
    await entrance.reopen();
    const start = performance.now();
    await eventually(
      () => admin.rest('GET', '/readyz'),
      ({ status }) => status === 200,
    );
    const { status, body } = await post(admin, 'made-afterwards');
    expect(status).toBe(201);
    await active(admin, body.id);
    took('from PostgreSQL being back until a new tenant is active', performance.now() - start);
    expect(performance.now() - start).toBeLessThan(20_000);
    await hearsOfRevocations(gateway, admin);
    await eventually(
      () => admin.rest('GET', HEALTH),
      ({ body: report }) => report.status === 'ok' && report.tenants.active === 2,
    );
  });

  test('and the process still ends with 0 when it is asked to', async () => {
    await entrance.close();
    const start = performance.now();
    expect(await gateway.end('SIGTERM')).toMatchObject({ code: 0 });
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});

describe('a PostgreSQL that is killed under load', () => {
  afterEach(() => cleanUp());

  test('is started again; nothing acknowledged is lost, and within 5 s all is as before', async () => {
    const dataDir = `${await temporaryFolder()}/data`;
    const gateway = await startGateway({ DATA_DIR: dataDir });
    const admin = await superAdmin(gateway);
    const acknowledged: string[] = [];
    let killed: number | undefined;
    let back: number | undefined;
    for (let number = 1; back === undefined; number++) {
      if (number === 3) {
        process.kill((await runningServer(dataDir))!.pid, 'SIGKILL');
        killed = performance.now();
      }
      const answers = await Promise.all([1, 2, 3].map((part) => post(admin, `under-load-${number}-${part}`)));
      for (const { status, body } of answers) {
        if (status === 201) acknowledged.push(body.id);
        else expect({ status, code: body.code }).toEqual({ status: 503, code: 'unavailable' });
      }
      if (killed !== undefined && answers.every(({ status }) => status === 201)) back = performance.now() - killed;
    }
    took('from the kill of PostgreSQL until writes are taken again', back);
    expect(back).toBeLessThan(20_000);
    for (const id of acknowledged) await active(admin, id);
    await hearsOfRevocations(gateway, admin);
    const start = performance.now();
    expect(await gateway.end('SIGTERM')).toMatchObject({ code: 0 });
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});
