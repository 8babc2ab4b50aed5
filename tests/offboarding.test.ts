import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { beginDuePurges } from '../src/domain/offboarding/due.ts';
import { type Actor, agent, eventually, provision, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { everythingIn } from './support/backups.ts';
import { belongingsOf } from './support/belongings.ts';
import { examination } from './support/checker.ts';
import { serverUrl, sql } from './support/database.ts';
import { expectError } from './support/errors.ts';
import { Follower, type Told } from './support/follower.ts';
import { cleanUp, temporaryFolder } from './support/gateway-process.ts';
import { leaving } from './support/offboarding.ts';
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

const { path, get, run, databaseOf, suspended, isThere, gone, purged, traces, expectDeathsToEnd } = leaving(
  () => app,
  () => root,
);

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
    await purged(tenant);
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
