import { randomUUID } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TENANT_SCHEMA_VERSION } from '../src/db/migrations/tenant/index.ts';
import type { TenantCluster } from '../src/db/tenant-cluster.ts';
import { chooseArchives } from '../src/domain/backup/choose.ts';
import { restore } from '../src/domain/backup/restore.ts';
import { type OffboardingServices, sendLostRuns } from '../src/domain/offboarding/runs.ts';
import { type Actor, active, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { everythingIn, restoreBackup, takeBackup } from './support/backups.ts';
import { belongingsOf } from './support/belongings.ts';
import { allLinked, verdicts } from './support/chains.ts';
import { expectNothingWrong } from './support/checker.ts';
import { serverUrl, sql } from './support/database.ts';
import { expectError } from './support/errors.ts';
import { cleanUp, temporaryFolder } from './support/gateway-process.ts';
import { leaving } from './support/offboarding.ts';
import { makeOld } from './support/older-version.ts';

let app: TestApp;
let dataDir: string;
let root: Actor;

beforeAll(async () => {
  dataDir = await temporaryFolder();
  app = await startApp({ DATA_DIR: dataDir });
  root = await superAdmin(app);
});
afterAll(async () => {
  await app?.stop();
  await cleanUp();
});

const { path, get, run, databaseOf, suspended, isThere, purged, traces, begin, attempt, expectDeathsToEnd, archived } =
  leaving(
    () => app,
    () => root,
  );

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
      await root.rest('POST', `${users}?tenant_id=${tenant.id}`, { email: 'late@acme.test', password: 'a password' }),
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
      await expect(attempt(app.services, tenant, 1)).rejects.toThrow();
      expect(await run(tenant)).toMatchObject({ state: 'retrying', error: expect.stringContaining('cut off') });
      expectError(await root.rest('PATCH', path(tenant), { status: 'active' }), 409, 'conflict');
      await attempt(app.services, tenant, 5);
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
    await purged(tenant);
    expect(await traces(tenant)).toEqual({ audit_entries: expect.any(Number) });
    expect((await readdir(join(dataDir, 'archives'))).filter((name) => name.startsWith(tenant.id))).toEqual([]);
    expectError(await root.rest('POST', path({ id: randomUUID() }, '/archive')), 404, 'not_found');
  });
});
