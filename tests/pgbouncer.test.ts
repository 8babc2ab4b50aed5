import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Actor, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { describeIf, hasProgram } from './support/available.ts';
import { takeBackup } from './support/backups.ts';
import { expectNothingWrong } from './support/checker.ts';
import { cleanUp, temporaryFolder } from './support/gateway-process.ts';
import { lostOf, moved, moveOf, useSteadily } from './support/moves.ts';
import { canPrepare, type PgBouncer, startPgBouncer, transactionsThrough } from './support/pgbouncer.ts';
import { register, startTenantServer, type TenantServer } from './support/tenant-servers.ts';
import { addUser } from './support/tenants.ts';

const SERVERS = '/api/super-admin/database-servers';

describeIf('PgBouncer in front of a server', hasProgram('pgbouncer'), 'pgbouncer is not on PATH', () => {
  let app: TestApp;
  let admin: Actor;
  let server: TenantServer;
  let other: TenantServer;
  let pooler: PgBouncer;
  let id: string;
  let tenant: Tenant;

  beforeAll(async () => {
    [app, server, other] = await Promise.all([
      startApp({ WARM_DATABASES: '1' }),
      startTenantServer(),
      startTenantServer(),
    ]);
    pooler = await startPgBouncer(server.directUrl);
    admin = await superAdmin(app);
  });
  afterAll(async () => {
    await app.stop();
    await pooler.stop();
    await Promise.all([server.remove(), other.remove()]);
    await cleanUp();
  });

  const throughPooler = async ({ id }: Tenant) =>
    (await transactionsThrough(pooler)).get(app.services.servers.home.nameFor(id)) ?? 0;

  test('it is refused as the address of the server itself, and in front of another server', async () => {
    const asServer = Object.assign(new URL(server.url), { port: new URL(pooler.url).port });
    const refused = async (input: object) => {
      const { status, body } = await admin.rest('POST', SERVERS, {
        name: 'pooled',
        capacity: 10,
        region: 'eu',
        ...input,
      });
      return { status, details: body.details };
    };
    expect(await refused({ url: asServer.href })).toEqual({
      status: 400,
      details: [{ field: 'url', message: expect.stringContaining('There is a pooler in between') }],
    });
    const wrong = await startPgBouncer(other.directUrl);
    try {
      expect(await refused({ url: server.url, pooledUrl: wrong.url })).toMatchObject({ status: 400 });
    } finally {
      await wrong.stop();
    }
    expect(await server.belongings(app.services.servers.home.code)).toEqual([]);
  });

  test('a tenant works through it: reads, writes, many at once, and two by two where they hold each other up', async () => {
    id = await register(admin, 'pooled', server, { region: 'eu', pooled_url: pooler.url });
    expect((await admin.rest('GET', `${SERVERS}/${id}`)).body.pooled_address).toBe(new URL(pooler.url).host);
    expect((await app.services.servers.byId(id)).pooler?.prepares).toBe(canPrepare());
    tenant = await provision(admin, { region: 'eu' });
    const ayu = await agent(app, tenant.adminEmail, tenant.adminPassword);
    const before = await throughPooler(tenant);
    const made = await ayu.rest('POST', '/api/agents', {
      email: 'budi@pooled.test',
      full_name: 'Budi',
      password: 'a password',
      role: 'agent',
    });
    expect(made.status).toBe(201);
    const answers = await Promise.all(Array.from({ length: 200 }, () => ayu.rest('GET', '/api/agents')));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.length}`))).toEqual(new Set(['200 2']));
    const writes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        ayu.rest('PUT', '/api/working-hours', {
          days: [{ day_of_week: index % 7, start_time: '08:00', end_time: '17:00' }],
        }),
      ),
    );
    expect(writes.every(({ status }) => status === 200)).toBe(true);
    expect(await throughPooler(tenant)).toBeGreaterThan(before + 100);
  });

  test('its sessions are held to what those without it are', async () => {
    const settings = await app.services.tenants.rows<{ name: string; setting: string }>(tenant.id, {
      name: 'settings',
      text: `select name, setting from pg_settings
              where name in ('TimeZone', 'lock_timeout', 'idle_in_transaction_session_timeout') order by lower(name)`,
    });
    expect(settings).toEqual([
      { name: 'idle_in_transaction_session_timeout', setting: '10000' },
      { name: 'lock_timeout', setting: '5000' },
      { name: 'TimeZone', setting: 'UTC' },
    ]);
  });

  test('usage, backups and the doctor go past it', async () => {
    await addUser(app, tenant.id, { email: 'counted@pooled.test' });
    await eventually(
      async () => (await admin.rest('GET', '/api/super-admin/usage')).body.find((one: Tenant) => one.id === tenant.id),
      ({ usage }) => usage.agent_count === 3,
    );
    await takeBackup(app.databaseUrl, await temporaryFolder());
    await expectNothingWrong(app.databaseUrl);
  });

  test('one that hangs takes the tenants behind it down and nobody else, is named with them, and is used again by itself', async () => {
    const ayu = await agent(app, tenant.adminEmail, tenant.adminPassword);
    const near = await provision(admin);
    const budi = await agent(app, near.adminEmail, near.adminPassword);
    const asks = (actor: Actor) => actor.rest('GET', '/api/agents');
    const health = async () => (await admin.rest('GET', '/api/super-admin/health')).body;
    expect([(await asks(ayu)).status, (await asks(budi)).status]).toEqual([200, 200]);
    pooler.freeze();
    try {
      const waiting = asks(ayu);
      const seen = await eventually(health, ({ status }) => status === 'degraded', 15_000);
      expect(seen.database_servers).toMatchObject([
        {
          name: 'pooled',
          status: 'down',
          error: 'the pooler in front of it: no answer in time',
          affected: { count: 1, first: [{ id: tenant.id, slug: tenant.slug }] },
        },
      ]);
      // It is ended, and not waited for.
      expect((await waiting).status).toBe(503);
      const began = performance.now();
      const crowd = await Promise.all(Array.from({ length: 50 }, () => asks(ayu)));
      expect(crowd.every(({ status, headers }) => status === 503 && Number(headers.get('retry-after')) > 0)).toBe(true);
      const others = await Promise.all(Array.from({ length: 20 }, () => asks(budi)));
      expect(others.every(({ status }) => status === 200)).toBe(true);
      expect(performance.now() - began).toBeLessThan(4000);
      const [one] = (await admin.rest('GET', SERVERS)).body.filter((server: { id: string }) => server.id === id);
      expect(one.health.status).toBe('down');
      // The server is well: what goes past the pooler goes on.
      await expectNothingWrong(app.databaseUrl);
    } finally {
      pooler.thaw();
    }
    await eventually(
      () => asks(ayu),
      ({ status }) => status === 200,
      15_000,
    );
    await eventually(health, ({ status }) => status === 'ok');
  });

  test('a tenant is moved away from behind it and back while it is used: no write is lost or refused', async () => {
    const target = await register(admin, 'plain', other);
    const use = await useSteadily([app], tenant, 2);
    expect((await admin.rest('POST', moveOf(tenant), { server_id: target })).body.error).toBeUndefined();
    await moved(admin, tenant, 'switched');
    const before = await throughPooler(tenant);
    await admin.rest('POST', `${moveOf(tenant)}/undo`);
    await moved(admin, tenant, 'undone');
    await eventually(
      () => throughPooler(tenant),
      (count) => count > before + 20,
    );
    await use.stop();
    expect(use).toMatchObject({ refusedWrites: [], refusedReads: [], stale: [] });
    expect(await lostOf(app, tenant, use)).toEqual([]);
    await expectNothingWrong(app.databaseUrl);
    expect((await admin.rest('DELETE', `${SERVERS}/${target}`)).status).toBe(200);
  });

  test('it can be taken away, and put in front of the home server, while tenants work', async () => {
    const ayu = await agent(app, tenant.adminEmail, tenant.adminPassword);
    expect((await admin.rest('PATCH', `${SERVERS}/${id}`, { pooled_url: null })).body.pooled_address).toBeUndefined();
    await eventually(
      async () => {
        const before = await throughPooler(tenant);
        expect((await ayu.rest('GET', '/api/agents')).status).toBe(200);
        return (await throughPooler(tenant)) - before;
      },
      (more) => more === 0,
    );
    const atHome = await startPgBouncer(process.env.TEST_DATABASE_URL!);
    const health = async () => (await admin.rest('GET', '/api/super-admin/health')).body;
    try {
      const [home] = (await admin.rest('GET', SERVERS)).body;
      expect(await admin.rest('PATCH', `${SERVERS}/${home.id}`, { pooled_url: atHome.url })).toMatchObject({
        status: 200,
      });
      const near = await provision(admin);
      const budi = await agent(app, near.adminEmail, near.adminPassword);
      await eventually(
        async () => {
          expect((await budi.rest('GET', '/api/agents')).status).toBe(200);
          return (await transactionsThrough(atHome)).get(app.services.servers.home.nameFor(near.id)) ?? 0;
        },
        (count) => count > 0,
      );
      // Hanging, it takes the home server's tenants down; super admins work on.
      atHome.freeze();
      const seen = await eventually(health, ({ status }) => status === 'degraded', 15_000);
      expect(seen).toMatchObject({
        infrastructure: { postgres: { status: 'up' } },
        database_servers: [{ name: 'home', status: 'down', affected: { count: expect.any(Number) } }, { status: 'up' }],
      });
      expect((await budi.rest('GET', '/api/agents')).status).toBe(503);
      expect(await admin.rest('PATCH', `${SERVERS}/${home.id}`, { pooled_url: null })).toMatchObject({ status: 200 });
      await eventually(
        () => budi.rest('GET', '/api/agents'),
        ({ status }) => status === 200,
        15_000,
      );
      await eventually(health, ({ status }) => status === 'ok');
    } finally {
      await atHome.stop();
    }
  });
});
