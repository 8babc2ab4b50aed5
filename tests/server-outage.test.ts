import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { templateName } from '../src/db/tenant-names.ts';
import { type Actor, active, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { everythingIn, restoreBackup, TENANT_CHANGES, takeBackup } from './support/backups.ts';
import { belongingsOf } from './support/belongings.ts';
import { allLinked } from './support/chains.ts';
import { examination, expectNothingWrong } from './support/checker.ts';
import { serverUrl, sql } from './support/database.ts';
import { cleanUp, temporaryFolder } from './support/gateway-process.ts';
import { leaving } from './support/offboarding.ts';
import { register, startTenantServer, type TenantServer } from './support/tenant-servers.ts';
import { addUser } from './support/tenants.ts';

let app: TestApp;
let admin: Actor;
let server: TenantServer;
/** On the server that goes away, and on the home server. */
let gone: Tenant;
let home: Tenant;
let away: Actor;
let here: Actor;

beforeAll(async () => {
  [app, server] = await Promise.all([startApp({ WARM_DATABASES: '1' }), startTenantServer()]);
  admin = await superAdmin(app);
  await register(admin, 'eu-1', server, { region: 'eu' });
  gone = await provision(admin, { region: 'eu', name: 'Far away' });
  home = await provision(admin);
  // Two more of the kind that is affected.
  for (const name of ['Also away', 'Away as well']) await provision(admin, { region: 'eu', name });
  away = await agent(app, gone.adminEmail, gone.adminPassword);
  here = await agent(app, home.adminEmail, home.adminPassword);
});
afterAll(async () => {
  await app.stop();
  await server.remove();
  await cleanUp();
});

const { path, endCountdown } = leaving(
  () => app,
  () => admin,
);
const asks = (actor: Actor) => actor.rest('GET', '/api/agents');
const health = async () => (await admin.rest('GET', '/api/super-admin/health')).body;

describe.each([
  ['refuses connections', () => server.entrance.close(), () => server.entrance.reopen()],
  ['says nothing any more', async () => server.entrance.freeze(), async () => server.entrance.thaw()],
])('a server that %s', (_, goAway, comeBack) => {
  test('takes its own tenants down and nobody else, at once, and comes back by itself', async () => {
    expect([(await asks(away)).status, (await asks(here)).status]).toEqual([200, 200]);
    await goAway();
    // What hangs is ended as soon as it is known that the server is away.
    const waiting = asks(away);
    const seen = await eventually(health, ({ status }) => status === 'degraded');
    expect(seen.infrastructure.postgres.status).toBe('up');
    expect(seen.database_servers).toEqual([
      {
        id: expect.any(String),
        name: 'eu-1',
        status: 'down',
        error: expect.any(String),
        affected: {
          count: 3,
          first: expect.arrayContaining([{ id: gone.id, slug: gone.slug, name: 'Far away' }]),
        },
      },
    ]);
    expect((await waiting).status).toBe(503);

    const start = performance.now();
    const crowd = await Promise.all(Array.from({ length: 100 }, () => asks(away)));
    expect(crowd.every(({ status, headers }) => status === 503 && Number(headers.get('retry-after')) > 0)).toBe(true);
    expect(crowd[0]!.body).toEqual({
      error: expect.stringContaining('away for the moment'),
      code: 'unavailable',
      request_id: expect.any(String),
    });
    const others = await Promise.all(Array.from({ length: 20 }, () => asks(here)));
    expect(others.every(({ status }) => status === 200)).toBe(true);
    expect(performance.now() - start).toBeLessThan(4000);

    // Background work goes on for the others.
    await addUser(app, home.id, { email: `${Math.random()}@home.test` });
    const usage = async (id: string) =>
      (await admin.rest('GET', '/api/super-admin/usage')).body.find((one: Tenant) => one.id === id).usage.agent_count;
    const before = await usage(home.id);
    await addUser(app, home.id, { email: `${Math.random()}@home.test` });
    await eventually(
      () => usage(home.id),
      (count) => count > before,
    );
    // A new tenant is made where one can be.
    await provision(admin);

    const { findings } = await examination(app.databaseUrl);
    expect(findings.map(({ kind }) => kind)).toEqual(['unreachable_server']);
    expect(findings[0]!.problem).toContain('eu-1');

    await comeBack();
    await eventually(
      () => asks(away),
      ({ status }) => status === 200,
      20_000,
    );
    await eventually(health, ({ status }) => status === 'ok');
    await addUser(app, gone.id, { email: `${Math.random()}@gone.test` });
    const [{ count }] = (await sql<{ count: number }>(
      app.databaseUrl,
      'select agent_count as count from usage where org_id = $1',
      [gone.id],
    )) as [{ count: number }];
    await eventually(
      () => usage(gone.id),
      (now) => now > count || count > 1,
    );
  });
});

test('a tenant on another server is backed up and restored there', async () => {
  await addUser(app, gone.id, { email: 'kept@gone.test' });
  const folder = await takeBackup(app.databaseUrl, await temporaryFolder());
  await addUser(app, gone.id, { email: 'later@gone.test' });
  await server.entrance.close();
  await expect(restoreBackup(app.databaseUrl, [folder], { tenant: gone.slug })).rejects.toThrow(
    /is on server eu-1, which cannot be reached: connection refused\. .* Nothing has been changed\.$/,
  );
  // As on a server that was put up anew at the same address: what tenants are made from is made again when it is back.
  const template = templateName(app.services.servers.home.code);
  await sql(server.directUrl, `drop database "${template}" with (force)`);
  await eventually(health, ({ status }) => status === 'degraded');
  await server.entrance.reopen();
  await eventually(
    () => sql(server.directUrl, 'select from pg_database where datname = $1 and not datallowconn', [template]),
    (found) => found.length === 1,
    30_000,
  );
  await restoreBackup(app.databaseUrl, [folder], { tenant: gone.slug });
  const again = await agent(app, gone.adminEmail, gone.adminPassword);
  const emails = (await asks(again)).body.map(({ email }: { email: string }) => email);
  expect(emails).toContain('kept@gone.test');
  expect(emails).not.toContain('later@gone.test');
  await eventually(
    () => examination(app.databaseUrl),
    ({ findings }) => findings.length === 0,
  );
  await expectNothingWrong(app.databaseUrl);
});

/** Every row of the tenant: of its database, and of who signs in to it. */
async function everythingOf({ id }: Tenant, database: string) {
  const accounts = `select 'account' as of, to_jsonb(i) - 'token_version' as row from identities i where org_id = $1
    union all select 'key', to_jsonb(k) from api_keys k where org_id = $1 order by 1, 2`;
  return {
    own: await everythingIn(database, TENANT_CHANGES),
    accounts: await sql(app.databaseUrl, accounts, [id]),
  };
}

test('a tenant whose server is gone for good is restored on another one, all of it, and used there', async () => {
  await belongingsOf(app, admin, await agent(app, gone.adminEmail, gone.adminPassword), gone);
  const own = serverUrl(app.services.servers.home.nameFor(gone.id), server.directUrl);
  await sql(own, `insert into contacts (id, name) values (gen_random_uuid(), 'Kept')`);
  await allLinked(app.databaseUrl);
  const before = await everythingOf(gone, own);
  const folder = await takeBackup(app.databaseUrl, await temporaryFolder());
  const onHome = () => restoreBackup(app.databaseUrl, [folder], { tenant: gone.slug, serverName: 'home' });
  await expect(onHome()).rejects.toThrow(/is on server eu-1, which answers: restore it there, and move it then/);
  await expect(restoreBackup(app.databaseUrl, [folder], { tenant: gone.slug, serverName: 'mars' })).rejects.toThrow(
    'There is no database server mars. Nothing has been changed.',
  );
  // One that lets nobody in is there.
  const owner = new pg.Client({ connectionString: server.directUrl });
  await owner.connect();
  try {
    await owner.query(`alter role current_user password 'another'`);
    await expect(onHome()).rejects.toThrow(/eu-1, which is there, but cannot be worked with: wrong credentials/);
  } finally {
    await owner.query(`alter role current_user password ${pg.escapeLiteral(server.password)}`);
    await owner.end();
  }
  await server.entrance.close();
  // An archiving that waits for it.
  await sql(
    app.databaseUrl,
    `insert into offboarding_runs (org_id, kind, state, step, attempt, created_at) values ($1, 'archive', 'retrying', 'drop', 3, now())`,
    [gone.id],
  );
  await endCountdown(gone);
  try {
    // As a move keeps it that was abandoned.
    const copy = app.services.servers.home.nameFor(gone.id);
    await sql(app.databaseUrl, `create database "${copy}"`);
    await sql(app.databaseUrl, `revoke all on database "${copy}" from public`);
    await expect(onHome()).rejects.toThrow(/^Server home has a database of tenant .*: it may be newer than the backup/);
    const kept = (await examination(app.databaseUrl)).findings.find(({ kind }) => kind === 'orphan_database')!;
    expect(kept.problem).toContain(
      `database ${copy} is a copy of tenant ${gone.slug} (${gone.id}), whose own is out of reach`,
    );
    expect(kept.remedy).not.toMatch(/drop/i);
    const rename = kept.remedy.slice(kept.remedy.indexOf('alter database'));
    await sql(app.databaseUrl, rename);
    const lines = await onHome();
    expect(await sql(app.databaseUrl, `select from pg_database where datname = 'kept_${copy}'`)).toHaveLength(1);
    await sql(app.databaseUrl, `drop database "kept_${copy}"`);
    expect(lines).toContainEqual(
      expect.stringMatching(/its database on server eu-1, which cannot be reached \(connection refused\), is REPLACED/),
    );
    expect(lines).toContainEqual(
      expect.stringContaining('its archive, which is under way, and a countdown are called off'),
    );
    expect(
      await sql(app.databaseUrl, 'select state, attempt from offboarding_runs where org_id = $1', [gone.id]),
    ).toEqual([{ state: 'failed', attempt: 4 }]);
    const [{ purge_at }] = (await sql(app.databaseUrl, 'select purge_at from organizations where id = $1', [
      gone.id,
    ])) as [{ purge_at: Date | null }];
    expect(purge_at).toBeNull();
    expect(await everythingOf(gone, serverUrl(copy))).toEqual(before);
    const again = await agent(app, gone.adminEmail, gone.adminPassword);
    expect((await asks(again)).status).toBe(200);
  } finally {
    await server.entrance.reopen();
  }
  await eventually(health, ({ status }) => status === 'ok');
  const left = app.services.servers.home.nameFor(gone.id);
  const { findings } = await examination(app.databaseUrl);
  expect(findings.map(({ problem }) => problem).sort()).toEqual([
    `server eu-1: database ${left} belongs to no tenant`,
    `server eu-1: role ${left} belongs to no tenant`,
  ]);
  for (const { remedy } of findings) await sql(server.directUrl, remedy.replace(/ \(after.*/, ''));
  await expectNothingWrong(app.databaseUrl);
});

test('one whose end has begun there is not dropped where it was restored meanwhile', async () => {
  const tenant = await provision(admin, { region: 'eu' });
  const folder = await takeBackup(app.databaseUrl, await temporaryFolder(), { tenant: tenant.slug });
  await admin.rest('DELETE', `/api/super-admin/tenants/${tenant.id}`);
  const { servers } = app.services;
  const [atDrop, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const find = servers.find.bind(servers);
  // Right before it asks which server the database is on.
  jest.spyOn(servers, 'find').mockImplementation(async (orgId) => {
    if (orgId === tenant.id) {
      atDrop.resolve();
      await goOn.promise;
    }
    return find(orgId);
  });
  try {
    await endCountdown(tenant);
    await atDrop.promise;
    await server.entrance.close();
    await restoreBackup(app.databaseUrl, [folder], { tenant: tenant.slug, serverName: 'home' });
    goOn.resolve();
    await eventually(
      () => sql(app.databaseUrl, `select from pgboss.job where name = 'tenant.offboard' and state = 'active'`),
      (jobs) => jobs.length === 0,
    );
  } finally {
    jest.restoreAllMocks();
    goOn.resolve();
    await server.entrance.reopen();
  }
  await admin.rest('PATCH', `/api/super-admin/tenants/${tenant.id}`, { status: 'active' });
  const again = await agent(app, tenant.adminEmail, tenant.adminPassword);
  expect((await asks(again)).status).toBe(200);
  await eventually(health, ({ status }) => status === 'ok');
});

test('two tenants that are archived on a server that hangs do not keep those of other servers from being archived', async () => {
  const onServer = await Promise.all([1, 2].map(() => provision(admin, { region: 'eu' })));
  for (const tenant of [...onServer, home]) await admin.rest('DELETE', path(tenant));
  const names = onServer.map(({ id }) => app.services.servers.home.nameFor(id));
  const holder = new pg.Client({ connectionString: server.directUrl });
  await holder.connect();
  try {
    // Both wait for an answer when it begins to hang.
    await holder.query('begin');
    for (const name of names) await holder.query(`alter role "${name}" connection limit 7`);
    for (const tenant of onServer) expect((await admin.rest('POST', path(tenant, '/archive'))).status).toBe(200);
    await eventually(
      () => sql(server.directUrl, `select from pg_stat_activity where wait_event_type = 'Lock' and query ~ 'nologin'`),
      ({ length }) => length === 2,
    );
    server.entrance.freeze();
    await holder.query('rollback');
    expect((await admin.rest('POST', path(home, '/archive'))).status).toBe(200);
    const archived = (tenant: Tenant) =>
      eventually(
        async () => (await admin.rest('GET', path(tenant))).body,
        ({ archived_at }) => archived_at !== undefined,
        30_000,
      );
    await archived(home);
    server.entrance.thaw();
    await Promise.all(onServer.map(archived));

    // What is archived needs its former server no more: another one takes it, in its region if it has one.
    const [free, bound] = onServer as [Tenant, Tenant];
    await sql(app.databaseUrl, 'update organizations set region = null where id = $1', [free.id]);
    await server.entrance.close();
    await eventually(health, ({ status }) => status === 'degraded');
    for (const tenant of onServer) await admin.rest('POST', path(tenant, '/unarchive'), { activate: true });
    await active(admin, free.id, 30_000);
    await agent(app, free.adminEmail, free.adminPassword);
    const { error } = await eventually(
      async () => (await admin.rest('GET', path(bound, '/offboarding'))).body.offboarding,
      ({ error }) => error,
      30_000,
    );
    expect(error).toMatch(/^Its server eu-1 is away\. No database server in the region eu takes/);
    await server.entrance.reopen();
  } finally {
    server.entrance.thaw();
    await holder.end();
  }
});
