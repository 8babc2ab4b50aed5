import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId } from '../src/clock.ts';
import { ControlFactsReader } from '../src/telemetry/control-facts.ts';
import { type Actor, anonymous, eventually, provision, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { sql } from './support/database.ts';
import { reading, type Sample, scrape } from './support/metrics.ts';
import { bearer, closeSockets, follow, socketClient } from './support/sockets.ts';

let app: TestApp;
let admin: Actor;

beforeAll(async () => {
  app = await startApp();
  admin = await superAdmin(app);
});
afterAll(async () => {
  closeSockets();
  await app.stop();
});

const value = async (name: string, labels?: Record<string, string>) => reading(await scrape(app), name, labels);
const REQUESTS = 'http_request_duration_seconds_count';

test('requests are counted by route template, method and class of status', async () => {
  const { id } = await provision(admin);
  const one = { route: '/api/super-admin/tenants/:id', method: 'GET' };
  const before = (await value(REQUESTS, { ...one, status: '2xx' })) ?? 0;
  await admin.rest('GET', `/api/super-admin/tenants/${id}`);
  await admin.rest('GET', `/api/super-admin/tenants/${id}`);
  await admin.rest('GET', '/api/super-admin/tenants/nonsense');
  expect(await value(REQUESTS, { ...one, status: '2xx' })).toBe(before + 2);
  expect(await value(REQUESTS, { ...one, status: '4xx' })).toBe(1);
  const samples = await scrape(app);
  const seconds = reading(samples, 'http_request_duration_seconds_sum', { ...one, status: '2xx' })!;
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThan(60);
  const buckets = samples.filter(
    ({ name, labels }) =>
      name === 'http_request_duration_seconds_bucket' && labels.route === one.route && labels.status === '4xx',
  );
  expect(buckets.map(({ labels }) => labels.le)).toEqual([
    '0.001',
    '0.005',
    '0.01',
    '0.05',
    '0.1',
    '0.5',
    '1',
    '5',
    '+Inf',
  ]);
  const counts = buckets.map((bucket) => bucket.value);
  expect(counts).toEqual([...counts].sort((a, b) => a - b));
  expect(counts.at(-1)).toBe(1);
});

test('root fields are counted alike for REST and GraphQL', async () => {
  const field = { field: 'Query.systemHealth' };
  const before = (await value('graphql_resolver_duration_seconds_count', field)) ?? 0;
  await admin.rest('GET', '/api/super-admin/health');
  await admin.graphql('{ systemHealth { status } }');
  expect(await value('graphql_resolver_duration_seconds_count', field)).toBe(before + 2);
});

test('an operation is known by name only when its document is known', async () => {
  const known = 'query CheckSlug { tenants { nodes { id } } }';
  await admin.graphql(known);
  await admin.graphql('query Invented { tenants { nodes { id } } }');
  await admin.graphql('{ tenant(id: "01a200ba-5278-7768-bc5b-d2399fbe35e2") { id } }');
  const samples = await scrape(app);
  const operations = samples.filter(({ name }) => name === 'graphql_operation_duration_seconds_count');
  expect(new Set(operations.map(({ labels }) => labels.operation))).toEqual(new Set(['other']));
  expect(reading(samples, 'graphql_operation_duration_seconds_count', { outcome: 'refused', type: 'query' })).toBe(1);
  expect(reading(samples, 'omnistream_errors_total', { code: 'not_found' })).toBe(1);
});

test('pools, turns and the event log of this process are shown', async () => {
  const samples = await scrape(app);
  const idle = reading(samples, 'omnistream_pool_connections', { pool: 'control', state: 'idle' })!;
  const inUse = reading(samples, 'omnistream_pool_connections', { pool: 'control', state: 'in_use' })!;
  expect(idle + inUse).toBeGreaterThan(0);
  expect(idle + inUse).toBeLessThanOrEqual(reading(samples, 'omnistream_pool_limit', { pool: 'control' })!);
  await eventually(
    () => value('omnistream_tenant_turns', { state: 'at_work' }),
    (atWork) => atWork === 0,
  );
  await eventually(
    () => scrape(app),
    (all) => reading(all, 'omnistream_event_lag_events') === 0 && reading(all, 'omnistream_event_lag_seconds') === 0,
  );
});

test('a process that has not seen an event is told to be behind, by the clock of the database', async () => {
  const [event] = await sql<{ seq: string }>(
    app.databaseUrl,
    `insert into events (topic, payload, created_at) values ('access', '{"tenantId": "x"}', now() - interval '40 seconds')
      returning seq`,
  );
  const seq = Number(event!.seq);
  const facts = (await new ControlFactsReader(app.services.health.sql, () => seq - 1).read())!;
  expect(facts.newestEvent).toBeGreaterThanOrEqual(seq);
  expect(facts.behindSeconds).toBeGreaterThan(39);
  expect(facts.behindSeconds).toBeLessThan(100);
  await eventually(
    () => scrape(app),
    (samples) =>
      reading(samples, 'omnistream_event_seq')! >= seq && reading(samples, 'omnistream_event_lag_events') === 0,
  );
});

test('jobs are counted by queue and outcome, and the queues by state', async () => {
  await provision(admin);
  const queue = 'tenant.provision';
  const jobs = (samples: Sample[]) =>
    ['waiting', 'deferred', 'active', 'failed'].map((state) => reading(samples, 'omnistream_jobs', { queue, state }));
  // The queue counts every two seconds.
  const samples = await eventually(
    () => scrape(app),
    (all) => jobs(all).every((count) => count === 0),
  );
  expect(reading(samples, 'omnistream_job_duration_seconds_count', { queue, outcome: 'done' })).toBeGreaterThan(0);
  expect(reading(samples, 'omnistream_oldest_job_age_seconds', { queue })).toBe(0);
});

test('a subscription is counted for as long as it lasts', async () => {
  const client = socketClient(app, bearer(admin));
  const followed = follow(client, 'subscription { systemHealthChanged { kind } }');
  await followed.until(1);
  const samples = await scrape(app);
  expect(reading(samples, 'omnistream_subscriptions', { field: 'systemHealthChanged' })).toBe(1);
  expect(reading(samples, 'omnistream_live_connections', { kind: 'socket' })).toBe(1);
  followed.stop();
  await eventually(
    () => value('omnistream_subscriptions', { field: 'systemHealthChanged' }),
    (open) => open === 0,
  );
});

test('components, tenants and the build are told', async () => {
  // A report is shared for a second.
  const samples = await eventually(
    () => scrape(app),
    (all) => reading(all, 'omnistream_tenants', { status: 'active' }) === 2,
  );
  expect(reading(samples, 'omnistream_component_up', { component: 'controlPlane' })).toBe(1);
  expect(reading(samples, 'omnistream_component_up', { component: 'redis' })).toBeUndefined();
  expect(reading(samples, 'omnistream_degraded')).toBe(0);
  expect(reading(samples, 'omnistream_build_info', { node: process.versions.node })).toBe(1);
});

describe('long work is told by its state', () => {
  const inControl = (text: string, values?: unknown[]) => sql(app.databaseUrl, text, values);
  const becomes = (name: string, labels: Record<string, string>, expected: number) =>
    eventually(
      () => value(name, labels),
      (now) => now === expected,
    );

  test('upgrades, with the tenants that they set aside for as long as there are those tenants', async () => {
    const { id } = await provision(admin);
    await becomes('omnistream_upgrades', { state: 'stopped' }, 0);
    expect(await value('omnistream_upgrade_tenants', { state: 'set_aside' })).toBe(0);
    const run = crypto.randomUUID();
    await inControl(
      `insert into upgrade_runs (id, state, to_version, canary, pause_after_canary, wave_size, concurrency, failure_budget, lock_timeout_ms,
         retries, wave, waves, total, done, failed, skipped, created_at)
       values ($1, 'stopped', 1, 0, false, 100, 4, 1, 2000, 7, 1, 1, 10, 4, 2, 1, now())`,
      [run],
    );
    await inControl(
      `insert into upgrade_items (run_id, org_id, slug, wave, from_version, state, retries_left)
       select $1, org_id, 'x', 1, 0, 'failed', 0 from unnest($2::uuid[]) org_id`,
      [run, [id, crypto.randomUUID()]],
    );
    await becomes('omnistream_upgrades', { state: 'stopped' }, 1);
    const samples = await scrape(app);
    const tenants = ['left', 'done', 'skipped', 'set_aside'].map((state) =>
      reading(samples, 'omnistream_upgrade_tenants', { state }),
    );
    expect(tenants).toEqual([3, 4, 1, 1]);
    await inControl('delete from upgrade_runs');
    await becomes('omnistream_upgrades', { state: 'stopped' }, 0);
  });

  test('moves, how long writes wait for one, and what its copy lacks', async () => {
    const { id } = await provision(admin);
    await inControl(
      `insert into tenant_moves (org_id, source_id, target_id, state, progress, max_read_only_seconds, read_only_since, created_at)
       select $1, id, id, 'failed', '{"lagBytes": 4096}', 20, now() - interval '90 seconds', now() from database_servers`,
      [id],
    );
    await becomes('omnistream_moves', { state: 'failed' }, 1);
    const samples = await scrape(app);
    expect(reading(samples, 'omnistream_move_lag_bytes')).toBe(4096);
    expect(reading(samples, 'omnistream_move_read_only_seconds')).toBeGreaterThan(89);
    await inControl(`update tenant_moves set state = 'cancelled'`);
    await becomes('omnistream_moves', { state: 'failed' }, 0);
    expect(await value('omnistream_move_read_only_seconds')).toBe(0);
  });

  test('an export that failed, until there is a newer one', async () => {
    const { id } = await provision(admin);
    const add = (state: string) =>
      inControl(
        `insert into tenant_exports (id, org_id, is_own, state, created_at, finished_at, expires_at)
         values ($1, $2, false, $3, now(), now(), now() + interval '7 days')`,
        [newId(), id, state],
      );
    await add('failed');
    await becomes('omnistream_exports', { state: 'failed' }, 1);
    await add('ready');
    await becomes('omnistream_exports', { state: 'failed' }, 0);
  });

  test('countdowns, one that is overdue, and an archiving that was given up', async () => {
    const { id, slug } = await provision(admin);
    const path = `/api/super-admin/tenants/${id}`;
    await admin.rest('DELETE', path);
    await admin.rest('POST', `${path}/purge`, { slug });
    await inControl(
      `insert into offboarding_runs (org_id, kind, state, created_at) values ($1, 'archive', 'failed', now())`,
      [id],
    );
    await becomes('omnistream_purge_countdowns', {}, 1);
    await becomes('omnistream_offboardings', { kind: 'archive', state: 'failed' }, 1);
    expect(await value('omnistream_purge_overdue_seconds')).toBe(0);
    await admin.rest('PATCH', path, { status: 'active' });
    await becomes('omnistream_offboardings', { kind: 'archive', state: 'failed' }, 0);
    expect(await value('omnistream_purge_countdowns')).toBe(0);
    // Active again, so that nobody begins it.
    await inControl(`update organizations set purge_at = now() - interval '2 hours' where id = $1`, [id]);
    const overdue = await eventually(
      () => value('omnistream_purge_overdue_seconds'),
      (seconds) => seconds! > 0,
    );
    expect(overdue).toBeGreaterThan(7199);
    await inControl('update organizations set purge_at = null');
  });

  test('database servers, with their tenants and their capacity', async () => {
    await provision(admin);
    const [home] = await inControl(
      'select (select count(*)::int from tenant_databases) as tenants, capacity from database_servers',
    );
    await becomes('omnistream_database_server_tenants', { server: 'home', state: 'open' }, home!.tenants as number);
    expect(await value('omnistream_database_server_capacity', { server: 'home' })).toBe(home!.capacity);
  });
});

/** Names and labels of all series, but of what Node.js happens to have open at that moment: it tells only of kinds that there are. */
const seriesOf = (samples: Sample[]) =>
  samples
    .filter(({ name }) => !name.startsWith('nodejs_active_'))
    .map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`);

test('whatever clients send, and however many tenants there are, the number of series stays', async () => {
  const nobody = anonymous(app);
  const noise = async (round: string) => {
    for (const method of ['GET', 'POST', 'PROPFIND', 'PURGE']) await nobody.rest(method, `/api/${round}/${method}`);
    await nobody.rest('GET', `/${round}?${round}=${round}`);
    await admin.rest('GET', `/api/super-admin/tenants/${crypto.randomUUID()}`, undefined, { 'x-tenant-slug': round });
    await admin.graphql(`query Q${round} { tenants { nodes { id } } }`);
    await admin.graphql(`mutation M${round} { nothing${round} }`);
    await admin.graphql(`query CheckSlug { a${round}: tenants { nodes { id } } }`);
    await nobody.rest('POST', '/graphql', `{"query": "${round}`);
    const client = socketClient(app, bearer(admin));
    const followed = follow(client, `subscription S${round} { x${round}: systemHealthChanged { kind } }`);
    await followed.until(1);
    followed.stop();
    await client.dispose();
  };
  await noise('first');
  await provision(admin);
  const before = seriesOf(await scrape(app));
  for (let round = 0; round < 20; round++) await noise(`round${round}`);
  await Promise.all(Array.from({ length: 4 }, () => provision(admin)));
  const after = seriesOf(await scrape(app));
  expect(after.filter((series) => !before.includes(series))).toEqual([]);
  expect(after.length).toBe(before.length);
  expect(before.filter((series) => /round|first/.test(series))).toEqual([]);
});
