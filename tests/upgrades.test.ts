/** Upgrades of all tenants by the version before: planned, watched, paused, stopped, mended. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { TENANT_SCHEMA_VERSION as newest } from '../src/db/migrations/tenant/index.ts';
import { tenantName } from '../src/db/tenant-names.ts';
import { type Actor, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { SUPER_ADMIN, startApp, type TestApp } from './support/app.ts';
import { examination, expectNothingWrong } from './support/checker.ts';
import { serverUrl, sql } from './support/database.ts';
import { expectError, expectGraphqlError } from './support/errors.ts';
import { CURE, makeOneOlder, POISON } from './support/older-version.ts';
import { bearer, closeSockets, follow, socketClient } from './support/sockets.ts';

const UPGRADES = '/api/super-admin/upgrades';
let app: TestApp;
let root: Actor;
/** In the order in which upgrades come to them. */
let tenants: Tenant[];

const urlOf = ({ id }: Tenant) => serverUrl(tenantName(app.services.servers.home.code, id));
const inTenant = (tenant: Tenant, text: string) => sql(urlOf(tenant), text);
const version = async ({ id }: Tenant) =>
  (await root.rest('GET', `/api/super-admin/tenants/${id}`)).body.schema_version;
const versions = () => Promise.all(tenants.map(version));
const run = async (id: string) => (await root.rest('GET', `${UPGRADES}/${id}`)).body;
const inState = (id: string, state: string) =>
  eventually(
    () => run(id),
    (found) => found.state === state,
    20_000,
  );

async function start(wish: object = {}) {
  const answer = await root.rest('POST', UPGRADES, wish);
  expect(answer.status).toBe(201);
  expect(answer.headers.get('location')).toBe(`${UPGRADES}/${answer.body.id}`);
  return answer.body;
}

beforeAll(async () => {
  app = await startApp({ UPGRADE_TENANTS: 'manual' });
  root = await superAdmin(app);
  tenants = [];
  for (let made = 0; made < 5; made++) tenants.push(await provision(root));
});
beforeEach(() =>
  makeOneOlder(
    app.databaseUrl,
    tenants.map(({ id }) => id),
  ),
);
afterEach(async () => {
  closeSockets();
  await sql(app.databaseUrl, 'delete from upgrade_runs');
});
afterAll(() => app?.stop());

test('a plan names tenants, waves and statements, and changes nothing', async () => {
  const query = 'canary=1&wave_size=2&concurrency=2';
  const { status, body } = await root.rest('GET', `${UPGRADES}/plan?${query}`);
  expect(status).toBe(200);
  expect(body).toMatchObject({ to_version: newest, total: 5, waves: 2, concurrency: 2, failure_budget: 5 });
  expect(body.tenants).toEqual(
    tenants.map(({ id, slug }, place) => ({
      tenant_id: id,
      slug,
      from_version: newest - 1,
      wave: [0, 1, 1, 2, 2][place],
    })),
  );
  expect(body.migrations).toEqual([
    {
      version: newest,
      name: 'Tenant0005Checksums',
      checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
      statements: [expect.stringContaining('alter table "mikro_orm_migrations"')],
    },
  ]);
  const page = await root.rest('GET', `${UPGRADES}/plan?limit=2&after=${tenants[1]!.id}`);
  expect(page.body.tenants.map(({ slug }: Tenant) => slug)).toEqual([tenants[2]!.slug, tenants[3]!.slug]);
  expect(await versions()).toEqual(tenants.map(() => newest - 1));
  expect((await root.rest('GET', UPGRADES)).body).toEqual([]);

  await inState((await start()).id, 'finished');
  const after = (await root.rest('GET', `${UPGRADES}/plan`)).body;
  expect(after).toMatchObject({ total: 0, tenants: [], migrations: [], estimate_seconds: 0 });
});

test('the canary goes first and is looked at, then waves follow; who does what is told and logged', async () => {
  const follower = follow(
    socketClient(app, bearer(root)),
    `subscription ($after: Sequence) { upgradeChanged(after: $after) { sequence kind
       run { id state wave done failed reason } tenant { slug state wave } } }`,
  );
  await follower.until(1);
  const { id } = await start({ canary: 2, wave_size: 2, concurrency: 1 });
  const paused = await inState(id, 'paused');
  expect(paused).toMatchObject({
    reason: 'The canary of 2 tenants is through, all of them are at the new version: look at it, then resume.',
    done: 2,
    started_by: SUPER_ADMIN.email,
  });
  expect(await versions()).toEqual([newest, newest, newest - 1, newest - 1, newest - 1]);
  expect((await root.rest('POST', `${UPGRADES}/${id}/resume`)).body.state).toBe('running');
  expect(await inState(id, 'finished')).toMatchObject({ done: 5, failed: 0, wave: 2, waves: 2 });
  expect(await versions()).toEqual(tenants.map(() => newest));

  const told = await follower.untilSeen(({ run: seen }) => seen?.state === 'FINISHED');
  expect(told).toMatchObject({ kind: 'CHANGE', run: { id, done: 5 }, tenant: { state: 'DONE', wave: 2 } });
  const ends = follower.events.filter(({ tenant }) => tenant?.state === 'DONE').map(({ tenant }) => tenant.slug);
  expect(ends).toEqual(tenants.map(({ slug }) => slug));
  const { data } = await root.graphql(
    '{ auditLog(filter: { action: "upgrade.*" }) { nodes { action actorEmail after } } }',
  );
  expect(data.auditLog.nodes.slice(0, 2)).toMatchObject([
    { action: 'upgrade.resume', actorEmail: SUPER_ADMIN.email },
    { action: 'upgrade.start', after: { canary: 2, concurrency: 1, tenants: 5, toVersion: newest } },
  ]);
  await expectNothingWrong(app.databaseUrl);
});

test('a canary that fails is paused at, whatever was chosen', async () => {
  await inTenant(tenants[0]!, POISON);
  const { id } = await start({ canary: 1, pause_after_canary: false });
  expect((await inState(id, 'paused')).reason).toMatch(/^The canary of 1 tenant is through, 1 of them failed/);
  expect((await root.rest('POST', `${UPGRADES}/${id}/cancel`)).body).toMatchObject({ state: 'cancelled', skipped: 4 });
});

test('a poisoned tenant is set aside with its reason, as it was; once mended it is tried again alone', async () => {
  const [, poisoned] = tenants as [Tenant, Tenant];
  await inTenant(poisoned, POISON);
  const user = await agent(app, poisoned.adminEmail, poisoned.adminPassword);
  const { id } = await start();
  expect(await inState(id, 'finished')).toMatchObject({ done: 4, failed: 1, total: 5 });
  const { body } = await root.rest('GET', `${UPGRADES}/${id}?state=failed`);
  expect(body.tenants).toMatchObject([
    {
      tenant_id: poisoned.id,
      attempt: 1,
      error:
        'Tenant0005Checksums: column "checksum" of relation "mikro_orm_migrations" already exists (SQLSTATE 42701).',
    },
  ]);
  expect(await version(poisoned)).toBe(newest - 1);
  // It is served as ever.
  expect((await user.rest('GET', '/api/agents')).status).toBe(200);
  expect((await examination(app.databaseUrl)).findings.map(({ kind }) => kind)).toContain('schema_drift');

  const retry = `${UPGRADES}/tenants/${poisoned.id}/retry`;
  expect((await root.rest('POST', retry)).body).toMatchObject({ state: 'pending', slug: poisoned.slug });
  expect(await inState(id, 'finished')).toMatchObject({ done: 4, failed: 1 });
  await inTenant(poisoned, CURE);
  await root.rest('POST', retry);
  expect(await inState(id, 'finished')).toMatchObject({ done: 5, failed: 0 });
  expect(await version(poisoned)).toBe(newest);
  const again = await root.rest('POST', retry);
  expectError(again, 409, 'conflict');
  expect(again.body.error).toBe('This tenant was not set aside: its upgrade is done.');
  await expectNothingWrong(app.databaseUrl);
});

test('more failures than the budget allows stop it; it goes on with a greater one', async () => {
  const [first, second, third] = tenants as [Tenant, Tenant, Tenant];
  for (const tenant of [first, second]) await inTenant(tenant, POISON);
  const { id } = await start({ failure_budget: 1, concurrency: 1 });
  expect((await inState(id, 'stopped')).reason).toBe('2 tenants failed, more than the failure budget of 1 allows.');
  expect(await version(third)).toBe(newest - 1);
  const refused = await root.rest('POST', `${UPGRADES}/${id}/resume`);
  expectError(refused, 409, 'conflict');
  expect(refused.body.error).toContain('Try them again first, or raise the budget: 2 tenants failed');
  await root.rest('POST', `${UPGRADES}/${id}/resume`, { failure_budget: 2 });
  expect(await inState(id, 'finished')).toMatchObject({ done: 3, failed: 2 });
});

test('a lock that somebody holds is not waited for long: it is tried again until it is free', async () => {
  const [busy, other] = tenants as [Tenant, Tenant];
  const holder = new pg.Client({ connectionString: urlOf(busy) });
  await holder.connect();
  await holder.query('begin; lock table mikro_orm_migrations in access share mode');
  try {
    const { id } = await start({ lock_timeout_ms: 50, concurrency: 2 });
    const waiting = await eventually(
      async () => (await run(id)).tenants[0],
      ({ attempt, state }) => attempt > 1 && state === 'pending',
    );
    expect(waiting.error).toBe('Tenant0005Checksums: Somebody held a lock in its database for longer than 50 ms.');
    expect(Date.parse(waiting.next_try_at)).toBeGreaterThan(Date.parse(waiting.started_at));
    await eventually(
      () => version(other),
      (found) => found === newest,
    );
    await holder.query('rollback');
    expect(await inState(id, 'finished')).toMatchObject({ done: 5, failed: 0 });
  } finally {
    await holder.end();
  }
});

test('one is paused, goes on, and is called off', async () => {
  const holder = new pg.Client({ connectionString: urlOf(tenants[0]!) });
  await holder.connect();
  await holder.query('begin; lock table mikro_orm_migrations in access exclusive mode');
  try {
    const { id } = await start({ concurrency: 1, lock_timeout_ms: 60_000 });
    await eventually(
      () => run(id),
      ({ tenants: [first] }) => first.state === 'running',
    );
    expect((await root.rest('POST', `${UPGRADES}/${id}/pause`)).body.state).toBe('paused');
    // New ones are made at the new version meanwhile.
    expect(await version(await provision(root))).toBe(newest);
    await holder.query('rollback');
    await eventually(
      () => run(id),
      ({ done }) => done === 1,
    );
    expect(await versions()).toEqual([newest, ...tenants.slice(1).map(() => newest - 1)]);
    const cancelled = await root.rest('POST', `${UPGRADES}/${id}/cancel`);
    expect(cancelled.body).toMatchObject({ state: 'cancelled', done: 1, skipped: 4 });
    for (const verb of ['pause', 'resume']) {
      const refused = await root.rest('POST', `${UPGRADES}/${id}/${verb}`);
      expectError(refused, 409, 'conflict');
      expect(refused.body.error).toBe(`This upgrade is cancelled, which leaves nothing to ${verb}.`);
    }
    expect((await root.rest('POST', `${UPGRADES}/${id}/cancel`)).body.state).toBe('cancelled');
  } finally {
    await holder.end();
  }
});

describe('what cannot be done is refused, and changes nothing', () => {
  test.each([newest + 1, newest - 2, 0, -1, 1_000_001])('schema version %p', async (unknown) => {
    expectError(await root.rest('POST', UPGRADES, { version: unknown }), 400, 'validation_failed', ['version']);
    const query = 'query ($version: Int) { upgradePlan(input: { version: $version }) { total } }';
    expectGraphqlError(await root.graphql(query, { version: unknown }), 'VALIDATION_FAILED');
    expect((await root.rest('GET', UPGRADES)).body).toEqual([]);
  });

  test('a second upgrade while one is unfinished, which it names', async () => {
    const { id } = await start({ canary: 1 });
    await inState(id, 'paused');
    const both = await Promise.all([root.rest('POST', UPGRADES, {}), root.rest('POST', UPGRADES, {})]);
    for (const refused of both) {
      expectError(refused, 409, 'conflict');
      expect(refused.body.error).toBe(
        `The upgrade ${id} to schema version ${newest} is paused: one goes on at a time.`,
      );
    }
    expect((await root.rest('GET', UPGRADES)).body).toHaveLength(1);
  });

  test('of two that are started at once, one', async () => {
    const answers = await Promise.all(Array.from({ length: 4 }, () => root.rest('POST', UPGRADES, { canary: 1 })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
    await inState(answers.find(({ status }) => status === 201)!.body.id, 'paused');
  });

  test('anything to an upgrade, or to the upgrade of a tenant, that is not there', async () => {
    const nobody = '0198c0de-7b7a-7000-8000-000000000000';
    expectError(await root.rest('GET', `${UPGRADES}/${nobody}`), 404, 'not_found');
    for (const verb of ['pause', 'resume', 'cancel']) {
      expectError(await root.rest('POST', `${UPGRADES}/${nobody}/${verb}`), 404, 'not_found');
    }
    expectError(await root.rest('POST', `${UPGRADES}/tenants/${nobody}/retry`), 404, 'not_found');
    expectError(await root.rest('GET', `${UPGRADES}/${nobody}?state=lost`), 400, 'validation_failed', ['state']);
    expectError(await root.rest('POST', UPGRADES, { concurrency: 0, canary: -1 }), 400, 'validation_failed', [
      'canary',
      'concurrency',
    ]);
  });
});

test('nothing is started by itself where that is turned off', async () => {
  const second = await startApp({ UPGRADE_TENANTS: 'manual' }, app.databaseUrl);
  await second.stop();
  expect((await root.rest('GET', UPGRADES)).body).toEqual([]);
  expect(await versions()).toEqual(tenants.map(() => newest - 1));
});
