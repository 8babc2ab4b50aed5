import { randomUUID } from 'node:crypto';
import { readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { v7 } from 'uuid';
import { newId } from '../src/clock.ts';
import { TENANT_SCHEMA_VERSION } from '../src/db/migrations/tenant/index.ts';
import { ServerAway } from '../src/db/server-liveness.ts';
import type { TenantCluster } from '../src/db/tenant-cluster.ts';
import { chooseArchives } from '../src/domain/backup/choose.ts';
import { restore } from '../src/domain/backup/restore.ts';
import { beginDuePurges } from '../src/domain/offboarding/due.ts';
import { type OffboardingServices, sendLostRuns } from '../src/domain/offboarding/runs.ts';
import { sweepArchives } from '../src/domain/offboarding/sweep.ts';
import { workOff } from '../src/domain/offboarding/work.ts';
import { type Actor, active, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { everythingIn, restoreBackup, takeBackup } from './support/backups.ts';
import { belongingsOf } from './support/belongings.ts';
import { allLinked, verdicts } from './support/chains.ts';
import { examination, expectNothingWrong } from './support/checker.ts';
import { serverUrl, sql } from './support/database.ts';
import { expectError } from './support/errors.ts';
import { Follower, type Told } from './support/follower.ts';
import { cleanUp, temporaryFolder } from './support/gateway-process.ts';
import { Died, mortal } from './support/mortal-services.ts';
import { makeOld } from './support/older-version.ts';
import { type S3Server, startS3 } from './support/s3-server.ts';

let s3: S3Server;
let app: TestApp;
let dataDir: string;
let root: Actor;

beforeAll(async () => {
  [s3, dataDir] = await Promise.all([startS3(), temporaryFolder()]);
  app = await startApp({ DATA_DIR: dataDir });
  root = await superAdmin(app);
});
afterAll(async () => {
  await app?.stop();
  await s3?.stop();
  await cleanUp();
});

const path = ({ id }: { id: string }, more = '') => `/api/super-admin/tenants/${id}${more}`;
const get = async (tenant: { id: string }) => (await root.rest('GET', path(tenant))).body;
const run = async (tenant: { id: string }) => (await root.rest('GET', path(tenant, '/offboarding'))).body.offboarding;
const databaseOf = ({ id }: { id: string }) => app.services.servers.home.nameFor(id);

async function suspended(): Promise<Tenant> {
  const tenant = await provision(root);
  await root.rest('DELETE', path(tenant));
  return tenant;
}

const isThere = async (tenant: Tenant) => {
  const [row] = await sql<{ databases: number; roles: number }>(
    app.databaseUrl,
    `select (select count(*)::int from pg_database where datname = $1) as databases,
            (select count(*)::int from pg_roles where rolname = $1) as roles`,
    [databaseOf(tenant)],
  );
  return row;
};

/** Lets the countdown end, by the clock that counts. */
const endCountdown = (tenant: Tenant) =>
  sql(app.databaseUrl, `update organizations set purge_at = now() where id = $1`, [tenant.id]);

const gone = (tenant: Tenant) =>
  eventually(
    () => root.rest('GET', path(tenant)),
    ({ status }) => status === 404,
    20_000,
  );

/** Tables of the control plane, and how many rows of each are the tenant's. */
async function traces({ id }: Tenant): Promise<Record<string, number>> {
  const tables = await sql<{ name: string }>(
    app.databaseUrl,
    `select relname::text as name from pg_class c where relkind = 'r' and relnamespace = 'public'::regnamespace
      and (relname = 'organizations' or exists (select from pg_attribute where attrelid = c.oid and attname = 'org_id'))`,
  );
  const found: Record<string, number> = {};
  for (const { name } of tables) {
    const column = name === 'organizations' ? 'id' : 'org_id';
    const [row] = await sql<{ n: number }>(
      app.databaseUrl,
      `select count(*)::int as n from "${name}" where "${column}" = $1`,
      [id],
    );
    if (row!.n > 0) found[name] = row!.n;
  }
  return found;
}

describe('the end of a tenant', () => {
  test('is set for a suspended one alone, by its slug, and not at once', async () => {
    const tenant = await provision(root);
    const purge = (body: object) => root.rest('POST', path(tenant, '/purge'), body);
    expectError(await purge({ slug: tenant.slug }), 409, 'conflict');
    await root.rest('DELETE', path(tenant));
    expectError(await purge({ slug: 'another-one' }), 400, 'validation_failed');
    expectError(await purge({}), 400, 'validation_failed');
    for (const after_minutes of [0, 4, -5, 1.5, 600_000]) {
      expectError(await purge({ slug: tenant.slug, after_minutes }), 400, 'validation_failed');
    }
    expect((await get(tenant)).purge_at).toBeUndefined();
    const { status, body } = await purge({ slug: tenant.slug });
    expect(status).toBe(200);
    const days = (Date.parse(body.purge_at) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(29.9);
    expect(days).toBeLessThan(30.1);
    const { data } = await root.graphql('{ tenants(filter: { status: SUSPENDED }) { nodes { id purgeAt } } }');
    expect(data.tenants.nodes).toContainEqual({ id: tenant.id, purgeAt: body.purge_at });
  });

  test('is called off until it comes, also by making the tenant active, and nothing is lost', async () => {
    const tenant = await suspended();
    const before = await everythingIn(serverUrl(databaseOf(tenant)));
    const purge = () => root.rest('POST', path(tenant, '/purge'), { slug: tenant.slug, after_minutes: 5 });
    await purge();
    const { body } = await root.rest('DELETE', path(tenant, '/purge'));
    expect([body.status, body.purge_at]).toEqual(['suspended', undefined]);
    expect((await root.rest('DELETE', path(tenant, '/purge'))).status).toBe(200);
    await purge();
    const opened = await root.rest('PATCH', path(tenant), { status: 'active' });
    expect([opened.body.status, opened.body.purge_at]).toEqual(['active', undefined]);
    expect(await everythingIn(serverUrl(databaseOf(tenant)))).toEqual(before);
    await agent(app, tenant.adminEmail, tenant.adminPassword);
    const actions = await sql<{ action: string }>(
      app.databaseUrl,
      `select action from audit_entries where org_id = $1 and action like '%purge%' order by id`,
      [tenant.id],
    );
    expect(actions.map(({ action }) => action)).toEqual([
      'tenant.schedule_purge',
      'tenant.cancel_purge',
      'tenant.schedule_purge',
    ]);
  });

  test('does not come early by the clock of a process that is ahead', async () => {
    const tenant = await suspended();
    await root.rest('POST', path(tenant, '/purge'), { slug: tenant.slug, after_minutes: 5 });
    const ahead = jest
      .spyOn(Date, 'now')
      .mockImplementation(() => performance.timeOrigin + performance.now() + 3_600_000);
    try {
      await beginDuePurges(app.services);
    } finally {
      ahead.mockRestore();
    }
    expect((await get(tenant)).status).toBe('suspended');
    expect(await run(tenant)).toBeUndefined();
    await root.rest('DELETE', path(tenant, '/purge'));
  });

  test('leaves nothing but the log, is told, and frees the slug', async () => {
    const tenant = await provision(root);
    const admin = await agent(app, tenant.adminEmail, tenant.adminPassword);
    await belongingsOf(app, root, admin, tenant);
    const kept = (await readdir(join(dataDir, 'exports'))).length;
    const follower = new Follower<Told & { change?: string; tenant?: { id: string; purgeAt?: string } }>(
      app.url,
      root.token!,
      'subscription ($after: Sequence) { tenantChanged(after: $after) { sequence kind change tenant { id purgeAt } } }',
      {},
      50,
    );
    await eventually(
      async () => follower.told.length,
      (count) => count > 0,
    );
    await root.rest('DELETE', path(tenant));
    await root.rest('POST', path(tenant, '/purge'), { slug: tenant.slug, after_minutes: 5 });
    await endCountdown(tenant);
    await gone(tenant);
    expect(await traces(tenant)).toEqual({ audit_entries: expect.any(Number) });
    expect(await isThere(tenant)).toEqual({ databases: 0, roles: 0 });
    expect((await readdir(join(dataDir, 'exports'))).length).toBe(kept - 1);
    const { findings } = await examination(app.databaseUrl);
    expect(findings).toEqual([]);
    const [entry] = await sql<{ before: object }>(
      app.databaseUrl,
      `select before from audit_entries where org_id = $1 and action = 'tenant.purge'`,
      [tenant.id],
    );
    expect(entry!.before).toMatchObject({ slug: tenant.slug, requestedBy: expect.stringContaining('@') });
    const ofTenant = await eventually(
      async () => follower.told.filter((event) => event.tenant?.id === tenant.id),
      (told) => told.at(-1)?.change === 'REMOVED',
    );
    expect(ofTenant.some(({ change, tenant }) => change === 'UPDATED' && tenant?.purgeAt)).toBe(true);
    await follower.stop();
    expectError(await root.rest('DELETE', path(tenant, '/purge')), 404, 'not_found');
    await provision(root, { slug: tenant.slug });
  });

  test('comes whenever its worker dies, and is not called off once it has begun', async () => {
    const tenant = await suspended();
    const withS3 = await startApp({ MINIO_URL: s3.url, DATA_DIR: dataDir }, app.databaseUrl);
    try {
      await expectDeathsToEnd(withS3, tenant, 'purge', async () => {
        const [answer] = await Promise.all([root.rest('DELETE', path(tenant, '/purge'))]);
        if (answer.status !== 404) expectError(answer, 409, 'conflict');
        if (answer.status !== 404)
          expectError(await root.rest('PATCH', path(tenant), { status: 'active' }), 409, 'conflict');
      });
    } finally {
      await withS3.stop();
    }
    await gone(tenant);
    expect(await traces(tenant)).toEqual({ audit_entries: expect.any(Number) });
    expect(await isThere(tenant)).toEqual({ databases: 0, roles: 0 });
  });
});

/** Begins a run that no gateway takes up. */
const begin = (tenant: Tenant, kind: 'archive' | 'purge' | 'restore') =>
  sql(
    app.databaseUrl,
    `insert into offboarding_runs as run (org_id, kind, created_at) values ($1, $2, now())
       on conflict (org_id) do update set kind = $2, state = 'queued', step = null, attempt = run.attempt + 1, error = null,
       created_at = now()`,
    [tenant.id, kind],
  );

const attempt = (services: OffboardingServices, tenant: Tenant, tries: number) =>
  workOff(services, tenant.id, tries, new AbortController().signal);

/** Services whose server of the tenant has parts that behave otherwise. */
function withServer(parts: (server: TenantCluster) => object): OffboardingServices {
  const { servers } = app.services;
  const of = async (orgId: string) => {
    const server = await servers.of(orgId);
    const other = parts(server);
    return new Proxy(server, {
      get(target, name) {
        const value = Reflect.get(Object.hasOwn(other, name) ? other : target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
  return { ...app.services, servers: Object.assign(Object.create(servers), { of }) };
}

/** Begins such a run, and lets one worker after another die at its next effect, until one comes through. */
async function expectDeathsToEnd(
  on: TestApp,
  tenant: Tenant,
  kind: 'archive' | 'purge' | 'restore',
  meanwhile: () => Promise<void> = async () => {},
): Promise<void> {
  await begin(tenant, kind);
  if (kind === 'purge')
    await sql(app.databaseUrl, 'update organizations set purge_at = now() where id = $1', [tenant.id]);
  const signal = new AbortController().signal;
  let deaths = 0;
  for (let lives = 0; ; lives += 1) {
    for (const late of [false, true]) {
      const worker = mortal(on.services, lives, late);
      const ended = await workOff(worker.services, tenant.id, 1, signal).catch((error: unknown) => error);
      if (worker.count.effects <= lives) {
        expect(ended).toBeUndefined();
        expect(deaths).toBeGreaterThan(5);
        return;
      }
      expect(ended).toBeInstanceOf(Died);
      deaths += 1;
      await meanwhile();
    }
  }
}

async function archived(tenant: Tenant): Promise<void> {
  expect((await root.rest('POST', path(tenant, '/archive'))).status).toBe(200);
  await eventually(
    () => get(tenant),
    ({ archived_at }) => !!archived_at,
    20_000,
  );
}

async function archivedAgain(tenant: Tenant): Promise<void> {
  await root.rest('DELETE', path(tenant));
  await archived(tenant);
}

const restored = (tenant: Tenant) =>
  eventually(
    () => get(tenant),
    ({ archived_at }) => !archived_at,
    30_000,
  );

const daysAgo = (count: number) => new Date(Date.now() - count * 86_400_000);
const archives = async () => (await readdir(join(dataDir, 'archives'))).map((name) => `archives/${name}`);

/** A file that no row names. */
async function leftArchive(orgId: string, written: Date, ending = ''): Promise<string> {
  const name = `archives/${orgId}.${v7({ msecs: written.getTime() })}.omnibak${ending}`;
  await writeFile(join(dataDir, name), 'an archive');
  await utimes(join(dataDir, name), written, written);
  return name;
}

describe('an archived tenant', () => {
  test('has no database, says so where one is needed, and comes back as it was', async () => {
    const tenant = await provision(root);
    const admin = await agent(app, tenant.adminEmail, tenant.adminPassword);
    const belongings = await belongingsOf(app, root, admin, tenant);
    expectError(await root.rest('POST', path(tenant, '/archive')), 409, 'conflict');
    await root.rest('DELETE', path(tenant));
    await allLinked(app.databaseUrl);
    const before = await everythingIn(serverUrl(databaseOf(tenant)));
    const usage = async () =>
      (await root.graphql(`{ tenant(id: "${tenant.id}") { usage { agentCount } } }`)).data.tenant.usage.agentCount;
    expect(await eventually(usage, (count) => count === 2)).toBe(2);
    await archived(tenant);
    expect(await run(tenant)).toMatchObject({ kind: 'archive', state: 'succeeded' });
    expect(await isThere(tenant)).toEqual({ databases: 0, roles: 0 });
    const users = `/api/super-admin/users`;
    for (const answer of [
      await root.rest('GET', `${users}?tenant_id=${tenant.id}`),
      await root.rest('POST', `${users}/${belongings.agent}/suspend?tenant_id=${tenant.id}`),
      await root.rest('PATCH', path(tenant), { status: 'active' }),
      await root.rest('POST', path(tenant, '/impersonate'), {}),
      await root.rest('POST', path(tenant, '/exports')),
      await root.rest('POST', path(tenant, '/archive')),
    ]) {
      expectError(answer, 409, 'tenant_archived');
    }
    expect(await usage()).toBe(2);
    // What goes on without it.
    expect((await root.rest('PATCH', path(tenant), { limits: { max_agents: 7 } })).status).toBe(200);
    await expectNothingWrong(app.databaseUrl);
    expect(Object.keys(await verdicts(app.databaseUrl))).not.toContain(`tenant ${tenant.slug}`);
    const backup = await takeBackup(app.databaseUrl, await temporaryFolder(), 'all', { dataDir });

    expect((await root.rest('POST', path(tenant, '/unarchive'), {})).status).toBe(200);
    expect((await restored(tenant)).status).toBe('suspended');
    const kept = (content: Record<string, string[]>) =>
      Object.fromEntries(
        Object.entries(content).filter(
          // Limits are those of now; the log goes on, and hours that hold again are news.
          ([name]) =>
            !/^(usage_limits|schedule_versions|activity_chain|activity_unlinked|mikro_orm_migrations)$/.test(name),
        ),
      );
    expect(kept(await everythingIn(serverUrl(databaseOf(tenant))))).toEqual(kept(before));
    const limits = await sql(serverUrl(databaseOf(tenant)), 'select metric, value from usage_limits');
    expect(limits).toEqual([{ metric: 'agents', value: 7 }]);
    expect(await readdir(join(dataDir, 'archives'))).toEqual([]);
    await root.rest('PATCH', path(tenant), { status: 'active' });
    await agent(app, tenant.adminEmail, tenant.adminPassword);
    await allLinked(app.databaseUrl);
    await expectNothingWrong(app.databaseUrl);
    // What a backup had taken along of it.
    await archivedAgain(tenant);
    await restoreBackup(app.databaseUrl, [join(backup, `tenant-${tenant.slug}.omnibak`)]);
    const back = await get(tenant);
    expect([back.status, back.archived_at]).toEqual(['suspended', undefined]);
    expect((await everythingIn(serverUrl(databaseOf(tenant)))).agents).toEqual(before.agents);
    await expectNothingWrong(app.databaseUrl);
  });

  test('of an older version comes back at the present one, and active where that is wished', async () => {
    const tenant = await provision(root);
    await root.rest('DELETE', path(tenant));
    await makeOld(app.databaseUrl, tenant.id);
    await archived(tenant);
    expect((await get(tenant)).schema_version).toBe(1);
    await root.rest('POST', path(tenant, '/unarchive'), { activate: true });
    await active(root, tenant.id, 30_000);
    expect(await get(tenant)).toMatchObject({ status: 'active', schema_version: TENANT_SCHEMA_VERSION });
    await agent(app, tenant.adminEmail, tenant.adminPassword);
  });

  test('is archived, and restored, whenever its worker dies, and is whole at each moment', async () => {
    const tenant = await suspended();
    await allLinked(app.databaseUrl);
    const contents = async () => (await everythingIn(serverUrl(databaseOf(tenant)))).agents;
    const before = await contents();
    const whole = async () => {
      const { databases } = (await isThere(tenant))!;
      const archives = await sql(app.databaseUrl, 'select from tenant_archives where org_id = $1', [tenant.id]);
      expect(databases + archives.length).toBeGreaterThan(0);
      if (databases) expect(await contents()).toEqual(before);
    };
    await expectDeathsToEnd(app, tenant, 'archive', whole);
    expect((await get(tenant)).archived_at).toBeDefined();
    expect(await isThere(tenant)).toEqual({ databases: 0, roles: 0 });
    await expectDeathsToEnd(app, tenant, 'restore', whole);
    expect((await get(tenant)).archived_at).toBeUndefined();
    expect(await contents()).toEqual(before);
    await expectNothingWrong(app.databaseUrl);
  });

  test('keeps its database where the archive is not as it was written; given up, it is as before', async () => {
    const tenant = await suspended();
    const { kept, queue } = app.services;
    const [keep, send] = [kept.keep, queue.send];
    queue.send = async () => null;
    kept.keep = async (draft, name, signal) => {
      const place = await keep.call(kept, draft, name, signal);
      await writeFile(join(dataDir, name), 'x', { flag: 'a' });
      return place;
    };
    try {
      await root.rest('POST', path(tenant, '/archive'));
      const attempt = (tries: number) => workOff(app.services, tenant.id, tries, new AbortController().signal);
      await expect(attempt(1)).rejects.toThrow();
      expect(await run(tenant)).toMatchObject({ state: 'retrying', error: expect.stringContaining('cut off') });
      expectError(await root.rest('PATCH', path(tenant), { status: 'active' }), 409, 'conflict');
      await attempt(5);
      expect((await run(tenant)).state).toBe('failed');
    } finally {
      Object.assign(kept, { keep });
      Object.assign(queue, { send });
    }
    expect((await root.rest('PATCH', path(tenant), { status: 'active' })).body.status).toBe('active');
    await agent(app, tenant.adminEmail, tenant.adminPassword);
    await expectNothingWrong(app.databaseUrl);
  });

  test('is never given up once its archive is kept, and asking again loses none', async () => {
    const tenant = await suspended();
    await begin(tenant, 'archive');
    const refusing = withServer((server) => ({
      drop: async (name: string) => {
        await server.drop(name, async () => {});
        throw new Error('the server went away');
      },
    }));
    for (const tries of [1, 5, 6]) await expect(attempt(refusing, tenant, tries)).rejects.toThrow();
    expect(await run(tenant)).toMatchObject({ state: 'retrying', step: 'drop' });
    expectError(await root.rest('POST', path(tenant, '/archive')), 409, 'conflict');
    // As one that an earlier version has given up.
    await sql(app.databaseUrl, `update offboarding_runs set state = 'failed', step = null where org_id = $1`, [
      tenant.id,
    ]);
    await archived(tenant);
    await root.rest('POST', path(tenant, '/unarchive'), { activate: true });
    await active(root, tenant.id, 30_000);
    await agent(app, tenant.adminEmail, tenant.adminPassword);
  });

  test('is made although its job was lost', async () => {
    const tenant = await suspended();
    await begin(tenant, 'archive');
    await sendLostRuns(app.services);
    expect((await run(tenant)).state).toBe('queued');
    await sql(app.databaseUrl, `update offboarding_runs set created_at = now() - interval '1 hour' where org_id = $1`, [
      tenant.id,
    ]);
    await sendLostRuns(app.services);
    await eventually(
      () => get(tenant),
      ({ archived_at }) => !!archived_at,
      20_000,
    );
  });

  test('is not made where its only copy would go with a container', async () => {
    const tenant = await suspended();
    const fleeting = await startApp({ DATA_DIR: await temporaryFolder(), DATA_DIR_SHARED: 'false' }, app.databaseUrl);
    try {
      const { token } = root;
      const response = await fetch(`${fleeting.url}${path(tenant, '/archive')}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
      });
      expect(response.status).toBe(409);
      const { code, error } = (await response.json()) as { code: string; error: string };
      expect(code).toBe('conflict');
      expect(error).toContain('MINIO_URL');
      expect(error).toContain('DATA_DIR_SHARED=true');
      expect(await run(tenant)).toBeUndefined();
      // Also where the process that was asked has other settings than the one that does it.
      await begin(tenant, 'archive');
      await expect(attempt(fleeting.services, tenant, 1)).rejects.toThrow('DATA_DIR_SHARED=true');
      expect(await run(tenant)).toMatchObject({
        state: 'retrying',
        error: expect.stringContaining('DATA_DIR_SHARED=true'),
      });
      expect(await isThere(tenant)).toEqual({ databases: 1, roles: 1 });
      await attempt(app.services, tenant, 2);
      expect((await get(tenant)).archived_at).toBeDefined();
    } finally {
      await fleeting.stop();
    }
  });

  test('leaves no file behind on any disk, and none is removed that could be all there is', async () => {
    const [kept, whole, lost, busy, purged] = await Promise.all(Array.from({ length: 5 }, suspended));
    await archived(kept!);
    const [row] = await sql<{ name: string }>(app.databaseUrl, 'select name from tenant_archives where org_id = $1', [
      kept!.id,
    ]);
    await begin(busy!, 'archive');
    await root.rest('POST', path(purged!, '/purge'), { slug: purged!.slug, after_minutes: 5 });
    await endCountdown(purged!);
    await gone(purged!);
    // As after a control plane was restored from a backup of before the archiving.
    await sql(app.databaseUrl, `update tenant_databases set database_name = 'dropped' where org_id = $1`, [lost!.id]);
    const days = (count: number) => new Date(Date.now() - count * 86_400_000);
    const left = (id: string, written: Date, ending = '') => leftArchive(id, written, ending);
    const toGo = [
      await left(kept!.id, days(2)),
      await left(whole!.id, days(2)),
      await left(whole!.id, days(2), `.${randomUUID()}.draft`),
      await left(purged!.id, days(1)),
    ];
    const toStay = [
      row!.name,
      await left(whole!.id, days(0)),
      await left(lost!.id, days(40)),
      await left(busy!.id, days(2)),
      await left(randomUUID(), days(40)),
    ];
    await utimes(join(dataDir, row!.name), days(400), days(400));
    await sweepArchives(app.services, new AbortController().signal);
    const now = (await readdir(join(dataDir, 'archives'))).map((name) => `archives/${name}`);
    expect(now).toEqual(expect.arrayContaining(toStay));
    expect(now.filter((name) => toGo.includes(name))).toEqual([]);
    await sql(app.databaseUrl, `update tenant_databases set database_name = role_name where org_id = $1`, [lost!.id]);
    await attempt(app.services, busy!, 1);
    for (const name of toStay.slice(1)) await rm(join(dataDir, name), { force: true });
  });

  test('keeps what was made in a time that a restore has taken back, and what is newer than a kept archive that is lost', async () => {
    const [older, lost, newer, whole, plain] = await Promise.all(Array.from({ length: 5 }, suspended));
    const again = { id: randomUUID() };
    const entry = ({ id }: { id: string }, action: string, at: number, takenAt?: number) =>
      sql(
        app.databaseUrl,
        `insert into audit_entries (id, org_id, actor_kind, action, after, created_at) values ($1, $2, 'system', $3, $4, $5)`,
        [newId(), id, action, takenAt ? { taken_at: daysAgo(takenAt) } : null, daysAgo(at)],
      );
    const keeps = async (tenant: Tenant, name: string) => {
      await sql(
        app.databaseUrl,
        `insert into tenant_archives (org_id, place, name, bytes, records, taken_at) values ($1, 'folder', $2, 1, 1, now())`,
        [tenant.id, name],
      );
      return name;
    };
    const toStay = [
      // The row is of an older backup than the archive; what it names went when the newer one was kept, or is there.
      await leftArchive(lost!.id, daysAgo(3)),
      await keeps(newer!, await leftArchive(newer!.id, daysAgo(5))),
      await leftArchive(newer!.id, daysAgo(3)),
      await keeps(older!, await leftArchive(older!.id, daysAgo(2))),
      // Its database is as it was before.
      await leftArchive(whole!.id, daysAgo(3)),
      // Removed for good, restored from a backup, archived; then the control plane is of a time in between.
      await leftArchive(again.id, daysAgo(3)),
    ];
    await keeps(lost!, `archives/${lost!.id}.${newId()}.omnibak`);
    await entry(whole!, 'tenant.restore', 2, 4);
    await entry(again, 'tenant.purge', 4);
    const toGo = [
      await leftArchive(older!.id, daysAgo(6)),
      await leftArchive(whole!.id, daysAgo(6)),
      await leftArchive(plain!.id, daysAgo(3)),
    ];
    const warn = jest.spyOn(app.services.log, 'warn');
    try {
      for (const _ of [1, 2]) await sweepArchives(app.services, new AbortController().signal);
      const doubts = warn.mock.calls.filter(([told]) => toStay.includes(Object(told).file));
      expect(doubts).toHaveLength(4);
    } finally {
      warn.mockRestore();
    }
    expect(await archives()).toEqual(expect.arrayContaining(toStay));
    expect((await archives()).filter((name) => toGo.includes(name))).toEqual([]);
    for (const name of toStay) await rm(join(dataDir, name));
    await sql(app.databaseUrl, 'delete from tenant_archives where org_id = any($1)', [
      [older, lost, newer].map((tenant) => tenant!.id),
    ]);
  });

  test('on a server that is away keeps its files, and those of others go nevertheless', async () => {
    const [away, here] = await Promise.all([suspended(), suspended()]);
    const stays = await leftArchive(away.id, daysAgo(2));
    const goes = await leftArchive(here.id, daysAgo(2));
    const { servers } = app.services;
    const of = async (orgId: string) => {
      if (orgId === away.id) throw new ServerAway('eu-1');
      return servers.of(orgId);
    };
    const services = { ...app.services, servers: Object.assign(Object.create(servers), { of }) };
    await sweepArchives(services, new AbortController().signal);
    expect(await archives()).toContain(stays);
    expect(await archives()).not.toContain(goes);
    await rm(join(dataDir, stays));
  });

  test('that is given up has its role open by then', async () => {
    const tenant = await suspended();
    await begin(tenant, 'archive');
    const failing = (isAway: boolean) => ({
      ...withServer(() => (isAway ? { pool: { query: () => Promise.reject(new Error('the server is away')) } } : {})),
      kept: Object.assign(Object.create(app.services.kept), {
        refuseFleeting: () => {},
        draft: (name: string) => app.services.kept.draft(name),
        keep: () => Promise.reject(new Error('no room')),
      }),
    });
    await expect(attempt(failing(true), tenant, 5)).rejects.toThrow('no room');
    expect((await run(tenant)).state).toBe('retrying');
    await attempt(failing(false), tenant, 6);
    expect((await run(tenant)).state).toBe('failed');
    expect((await root.rest('PATCH', path(tenant), { status: 'active' })).status).toBe(200);
    await agent(app, tenant.adminEmail, tenant.adminPassword);
  });

  test('has its end called off while it is being archived, and by whoever wants it active', async () => {
    const tenant = await suspended();
    const purge = () => root.rest('POST', path(tenant, '/purge'), { slug: tenant.slug, after_minutes: 5 });
    await purge();
    await begin(tenant, 'archive');
    expect((await root.rest('DELETE', path(tenant, '/purge'))).body.purge_at).toBeUndefined();
    await attempt(app.services, tenant, 1);
    await purge();
    const { queue } = app.services;
    const { send } = queue;
    queue.send = async () => null;
    try {
      const { body } = await root.rest('POST', path(tenant, '/unarchive'), { activate: true });
      expect([body.archived_at, body.purge_at]).toEqual([expect.any(String), undefined]);
    } finally {
      Object.assign(queue, { send });
    }
    await attempt(app.services, tenant, 1);
    await active(root, tenant.id);
  });

  test('is not restored from a backup while its archiving or its end is under way, which would drop what was restored', async () => {
    const tenant = await suspended();
    const folder = await takeBackup(app.databaseUrl, await temporaryFolder(), { tenant: tenant.slug });
    const restoring = () => restoreBackup(app.databaseUrl, [folder], { tenant: tenant.slug });
    await begin(tenant, 'purge');
    await expect(restoring()).rejects.toThrow(/is being removed for good, which cannot be called off any more/);
    await begin(tenant, 'archive');
    await expect(restoring()).rejects.toThrow(/is being archived: wait until that has ended/);
    // Begun after the plan was told.
    const { keys } = app.services;
    const lines: string[] = [];
    const say = (line: string) => void lines.push(line);
    const chosen = await chooseArchives([folder], keys, say, tenant.slug);
    const signal = new AbortController().signal;
    await expect(restore({ databaseUrl: app.databaseUrl, keys, signal, say }, chosen)).rejects.toThrow('Not restored');
    expect(lines.join()).toContain('is being archived: wait until that has ended');
    await attempt(app.services, tenant, 1);
    await restoring();
    expect(await isThere(tenant)).toEqual({ databases: 1, roles: 1 });
  });

  test('ends like any other', async () => {
    const tenant = await suspended();
    await archived(tenant);
    await root.rest('POST', path(tenant, '/purge'), { slug: tenant.slug, after_minutes: 5 });
    await endCountdown(tenant);
    await gone(tenant);
    expect(await traces(tenant)).toEqual({ audit_entries: expect.any(Number) });
    expect((await readdir(join(dataDir, 'archives'))).filter((name) => name.startsWith(tenant.id))).toEqual([]);
    expectError(await root.rest('POST', path({ id: randomUUID() }, '/archive')), 404, 'not_found');
  });
});
