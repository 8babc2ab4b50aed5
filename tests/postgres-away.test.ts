import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { runningServer } from '../src/db/embedded-cluster.ts';
import { startEmbeddedServer } from '../src/db/embedded-server.ts';
import { type Actor, active, anonymous, eventually, provision, superAdmin } from './support/actors.ts';
import { SUPER_ADMIN, startApp } from './support/app.ts';
import { createControlDatabase, dropControlDatabase } from './support/database.ts';
import { openEntrance } from './support/entrance.ts';
import { took } from './support/many-tenants.ts';

/** Undoes what a test opened, in reverse order. */
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const TENANTS = '/api/super-admin/tenants';
const HEALTH = '/api/super-admin/health';

/** A revocation is an event: it shows that this process still hears of changes. */
async function hearsOfRevocations(admin: Actor, url: string): Promise<void> {
  const account = { email: `second-${Date.now()}@platform.test`, password: 'a password' };
  const { body } = await admin.rest('POST', '/api/super-admin/admins', { ...account, name: 'Second' });
  const second = await superAdmin({ url }, account);
  await admin.rest('DELETE', `/api/super-admin/admins/${body.id}`);
  const start = performance.now();
  await eventually(
    () => second.rest('GET', TENANTS),
    ({ status }) => status === 401,
  );
  expect(performance.now() - start).toBeLessThan(1000);
}

const post = (admin: Actor, slug: string) => admin.rest('POST', TENANTS, { name: 'Away', slug });

describe('while PostgreSQL cannot be reached', () => {
  async function startBehindEntrance() {
    const databaseUrl = await createControlDatabase();
    closing.push(() => dropControlDatabase(databaseUrl));
    const url = new URL(databaseUrl);
    const entrance = await openEntrance(Number(url.port));
    closing.push(() => entrance.close());
    url.port = String(entrance.port);
    const app = await startApp({}, url.href);
    return { app, entrance, admin: await superAdmin(app) };
  }

  test('the gateway lives, says 503 and when to try again, and is back by itself within 5 s', async () => {
    const { app, entrance, admin } = await startBehindEntrance();
    closing.push(() => app.stop());
    const tenant = await provision(admin);
    await entrance.close();
    expect(await admin.rest('GET', '/api/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
    const unavailable = { status: 503, body: { code: 'unavailable', error: expect.stringMatching(/^[A-Z].+\.$/) } };
    const credentials = { email: tenant.adminEmail, password: tenant.adminPassword };
    for (const [by, method, path, body] of [
      [admin, 'GET', '/readyz', undefined],
      [admin, 'GET', TENANTS, undefined],
      [admin, 'GET', '/api/super-admin/usage', undefined],
      [admin, 'POST', TENANTS, { name: 'Away', slug: 'never-made' }],
      [admin, 'PATCH', `${TENANTS}/${tenant.id}`, { name: 'Renamed' }],
      [admin, 'GET', `/api/super-admin/users?tenant_id=${tenant.id}`, undefined],
      [anonymous(app), 'POST', '/api/super-admin/login', SUPER_ADMIN],
      [anonymous(app), 'POST', '/api/auth/login', credentials],
    ] as const) {
      const start = performance.now();
      const answer = await by.rest(method, path, body);
      expect({ path, ...answer }).toMatchObject({ path, ...unavailable });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(performance.now() - start).toBeLessThan(2000);
    }
    const { errors } = await admin.graphql('{ tenants { nodes { id } } }');
    expect(errors![0]).toMatchObject({ extensions: { code: 'UNAVAILABLE', retryAfter: expect.any(Number) } });
    const report = await admin.rest('GET', HEALTH);
    expect(report.status).toBe(200);
    const down = { status: 'down', latency_ms: expect.any(Number), error: 'connection refused' };
    expect(report.body).toMatchObject({ status: 'degraded', infrastructure: { control_plane: down, postgres: down } });
    // The last known counts stand.
    expect(report.body.tenants).toMatchObject({ total: expect.any(Number) });

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
    expect(performance.now() - start).toBeLessThan(5000);
    await hearsOfRevocations(admin, app.url);
    await eventually(
      () => admin.rest('GET', HEALTH),
      ({ body: report }) => report.status === 'ok',
    );
  });

  test('the gateway still stops when it is asked to', async () => {
    const { app, entrance } = await startBehindEntrance();
    await entrance.close();
    const start = performance.now();
    await app.stop();
    expect(performance.now() - start).toBeLessThan(9000);
  });
});

test('a PostgreSQL that is killed under load loses nothing that was acknowledged, and is back within 5 s', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'omnistream-away-'));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  const dataDir = join(folder, 'data');
  const settings = { fsync: 'off', synchronous_commit: 'on' };
  const server = await startEmbeddedServer({ dataDir, password: 'a password', notice: () => {}, settings });
  closing.push(() => server.stop());
  const app = await startApp({}, server.url);
  closing.push(() => app.stop());
  const admin = await superAdmin(app);

  const acknowledged: string[] = [];
  let killed: number | undefined;
  let backAfter: number | undefined;
  for (let number = 1; backAfter === undefined; number++) {
    if (number === 8) {
      process.kill((await runningServer(dataDir))!.pid, 'SIGKILL');
      killed = performance.now();
    }
    const slug = `under-load-${number}`;
    const { status, body } = await post(admin, slug);
    expect({ slug, status, code: body.code }).toEqual(
      status === 201 ? { slug, status, code: undefined } : { slug, status: 503, code: 'unavailable' },
    );
    if (status === 201) acknowledged.push(body.id);
    if (killed !== undefined && status === 201) backAfter = performance.now() - killed;
  }
  took('from the kill of PostgreSQL until a write is taken', backAfter);
  expect(backAfter).toBeLessThan(5000);
  for (const id of acknowledged) await active(admin, id);
  await hearsOfRevocations(admin, app.url);
});
