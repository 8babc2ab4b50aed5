import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { pino } from 'pino';
import { type App, buildApp } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import { LOCKS } from '../src/db/locks.ts';
import { TENANT_SCHEMA_VERSION as newest } from '../src/db/migrations/tenant/index.ts';
import { tenantName } from '../src/db/tenant-names.ts';
import { databaseError, toAppError } from '../src/errors.ts';
import { Actor, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { JWT_SECRET, SUPER_ADMIN, startApp, type TestApp } from './support/app.ts';
import { ensureBuilt } from './support/built.ts';
import { examination, expectNothingWrong } from './support/checker.ts';
import { createControlDatabase, dropControlDatabase, serverUrl, sql } from './support/database.ts';
import { expectError } from './support/errors.ts';
import { cleanUp, startGateway, temporaryFolder } from './support/gateway-process.ts';
import { took } from './support/many-tenants.ts';
import { makeOld } from './support/older-version.ts';

let databaseUrl: string;
let code: string;
let tenants: Tenant[];
const control = (text: string, values?: unknown[]) => sql(databaseUrl, text, values);
const urlOf = ({ id }: Tenant) => serverUrl(tenantName(code, id));
const inTenant = (tenant: Tenant, text: string) => sql(urlOf(tenant), text);

const versions = async () =>
  (await control('select schema_version as version from organizations order by id')).map(({ version }) => version);
const allAtNewest = () =>
  eventually(versions, (all) => all.length > 0 && all.every((version) => version === newest), 30_000);

/** What a tenant had under the first version; later ones may have added columns. */
const TABLES = [
  'agents',
  'contacts',
  'integrations',
  'messages',
  'roles',
  'settings',
  'usage_counters',
  'working_hours',
];
const contents = (tenant: Tenant) =>
  Promise.all(
    TABLES.map(async (table) => ({
      table,
      rows: await inTenant(tenant, `select to_jsonb(t) as row from ${table} t order by to_jsonb(t)::text`),
    })),
  );

interface Line {
  level: number;
  msg: string;
}

const open = new Set<App>();

/** A gateway whose log is kept, closed after the test at the latest. */
async function start(): Promise<{ app: App; url: string; lines: Line[] }> {
  const lines: Line[] = [];
  const log = pino({ level: 'info' }, { write: (text: string) => void lines.push(JSON.parse(text)) });
  const app = await buildApp({ config: readConfig({ WARM_DATABASES: '0' }), databaseUrl, jwtSecret: JWT_SECRET, log });
  open.add(app);
  await app.http.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.http.server.address() as { port: number };
  return { app, url: `http://127.0.0.1:${port}`, lines };
}

async function close(...apps: App[]): Promise<void> {
  for (const app of apps) open.delete(app);
  await Promise.all(apps.map((app) => app.close()));
}

const messages = (lines: Line[]) => lines.map(({ msg }) => msg);
const warnings = (lines: Line[]) => lines.filter(({ level }) => level > 30);

beforeAll(async () => {
  databaseUrl = await createControlDatabase();
  const app: TestApp = await startApp({}, databaseUrl);
  const admin = await superAdmin(app);
  code = app.services.servers.home.code;
  tenants = await Promise.all(Array.from({ length: 5 }, () => provision(admin)));
  for (const tenant of tenants) {
    await inTenant(tenant, `insert into contacts (id, name) values (gen_random_uuid(), 'Kept ${tenant.slug}')`);
    await inTenant(tenant, "update working_hours set start_time = '07:15' where day_of_week = 2");
  }
  await app.close();
});
beforeEach(async () => {
  for (const tenant of tenants) await makeOld(databaseUrl, tenant.id);
});
afterEach(async () => {
  await close(...open);
  await control("delete from audit_entries where action = 'tenant.migrate'");
  await control('delete from upgrade_runs');
});
afterAll(async () => {
  await cleanUp();
  await dropControlDatabase(databaseUrl);
});

test('a start brings every tenant to the newest version, its data kept, and says so', async () => {
  const [, suspended, provisioning] = tenants as [Tenant, Tenant, Tenant];
  await control("update organizations set status = 'suspended' where id = $1", [suspended.id]);
  // Its schema was made by the older version, the rest of its steps will not be.
  await control("update organizations set status = 'provisioning' where id = $1", [provisioning.id]);
  const before = await Promise.all(tenants.map(contents));
  expect((await examination(databaseUrl)).findings.map(({ kind }) => kind)).toContain('wrong_schema');

  const began = performance.now();
  // Two processes of an installation, as they are replaced.
  const gateways = await Promise.all([start(), start()]);
  took('start of two gateways beside 5 tenants to migrate', performance.now() - began);
  await allAtNewest();
  took('until all are migrated', performance.now() - began);
  const lines = gateways.flatMap((gateway) => gateway.lines);
  await eventually(
    async () => messages(lines),
    (all) => all.includes(`all tenants are at schema version ${newest}`),
  );
  expect(messages(lines)).toContain(`5 tenants to be brought to schema version ${newest}`);
  for (const { slug } of tenants) expect(messages(lines)).toContain(`tenant ${slug} is at schema version ${newest}`);
  expect(warnings(lines)).toEqual([]);
  await control("update organizations set status = 'active'");
  expect(await Promise.all(tenants.map(contents))).toMatchObject(before);
  await expectNothingWrong(databaseUrl);

  const entries = await control(
    `select org_id as id, actor_kind as actor, before, after from audit_entries
      where action = 'tenant.migrate' order by org_id`,
  );
  expect(entries).toEqual(
    [...tenants]
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map(({ id }) => ({ id, actor: 'system', before: { schema_version: 1 }, after: { schema_version: newest } })),
  );
  const items = await control('select state, attempt from upgrade_items');
  expect(items).toEqual(tenants.map(() => ({ state: 'done', attempt: 1 })));
  const [told] = await control(
    "select count(distinct payload->>'tenantId')::int as count from events where topic = 'tenant'",
  );
  expect(told).toEqual({ count: 5 });
  const { adminEmail, adminPassword } = tenants[0]!;
  await agent(gateways[0], adminEmail, adminPassword);
  await close(...gateways.map(({ app }) => app));

  // The next start has nothing to do, and says nothing.
  const again = await start();
  expect(messages(again.lines).join()).not.toContain('schema version');
});

describe('meanwhile', () => {
  let gateway: Awaited<ReturnType<typeof start>>;
  let holder: pg.Client;
  const release = async () => {
    await holder.end();
    await allAtNewest();
  };

  beforeEach(async () => {
    const first = await start();
    await allAtNewest();
    await close(first.app);
    const [behind] = tenants as [Tenant];
    await makeOld(databaseUrl, behind.id);
    // Whoever wants to migrate this one has to wait.
    holder = new pg.Client({ connectionString: databaseUrl });
    await holder.connect();
    const values = [LOCKS.tenantDatabase, tenantName(code, behind.id)];
    await holder.query('select pg_advisory_lock($1, hashtext($2))', values);
    gateway = await start();
  });
  afterEach(() => holder.end());

  test('what needs a newer table is answered with 503 and Retry-After, everything else as ever', async () => {
    const [behind, other] = tenants as [Tenant, Tenant];
    const user = await agent(gateway, behind.adminEmail, behind.adminPassword);
    const ready = await agent(gateway, other.adminEmail, other.adminPassword);
    expect((await ready.rest('GET', '/api/divisions')).status).toBe(200);
    const refused = await user.rest('GET', '/api/divisions');
    expectError(refused, 503, 'unavailable');
    expect(refused.body.error).toBe('This organization is being brought up to date; try again in a moment.');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    // Of entities as well as of rows.
    const { tenants: databases } = gateway.app.services;
    const written = databases.work(behind.id, (em) => em.execute('delete from divisions'));
    expect(toAppError(await written.catch((error: unknown) => error))).toMatchObject({
      status: 503,
      code: 'unavailable',
      retryAfter: expect.any(Number),
    });
    await release();
    expect((await user.rest('GET', '/api/divisions')).status).toBe(200);
    expect(warnings(gateway.lines)).toEqual([]);
  });

  test('a table that no version has is still a mistake of ours', async () => {
    const { tenants: databases } = gateway.app.services;
    const wrong = { name: 'wrong', text: 'select 1 from no_such_table' };
    const failure = await databases.rows(tenants[1]!.id, wrong).catch((error: unknown) => error);
    expect(databaseError(failure)?.code).toBe('42P01');
    expect(toAppError(failure)).toMatchObject({ status: 500, code: 'internal_error' });
    await release();
  });

  test('two workers on one tenant do it once', async () => {
    const { id } = tenants[0]!;
    const item = () =>
      control(
        'select i.attempt, i.state from upgrade_items i join upgrade_runs r on r.id = run_id where org_id = $1 order by r.id desc limit 1',
        [id],
      );
    await eventually(item, ([found]) => found?.state === 'running');
    // As after a freeze: it is taken for gone, and goes on.
    await control('update upgrade_items set worker_session = 1 where state = $1', ['running']);
    await eventually(item, ([found]) => found?.attempt === 2);
    await release();
    await eventually(item, ([found]) => found?.state === 'done');
    expect(warnings(gateway.lines)).toEqual([]);
    expect(
      await control("select org_id from audit_entries where action = 'tenant.migrate' and org_id = $1", [id]),
    ).toEqual(
      // The first one is of the round before.
      [{ org_id: id }, { org_id: id }],
    );
    await expectNothingWrong(databaseUrl);
  });
});

test('a tenant that fails is set aside as it was, the others go on, and the next start tries it again', async () => {
  const [tenant] = tenants as [Tenant];
  // Stands where the second version wants its own.
  await inTenant(tenant, 'create table divisions (mine int)');
  const before = await contents(tenant);
  const failing = await start();
  await eventually(
    async () => messages(failing.lines),
    (all) => all.some((msg) => msg.includes(`4 tenants are at schema version ${newest}, 1 are set aside`)),
  );
  const told = messages(warnings(failing.lines)).join();
  expect(told).toContain(`tenant ${tenant.slug} is set aside, its database is as it was`);
  expect(told).toContain('Tenant0002Schedules: relation "divisions" already exists (SQLSTATE 42P07)');
  expect((await versions()).filter((version) => version === newest)).toHaveLength(4);
  expect(await contents(tenant)).toEqual(before);
  await close(failing.app);
  await inTenant(tenant, 'drop table divisions');
  const mended = await start();
  await allAtNewest();
  await close(mended.app);
  await expectNothingWrong(databaseUrl);
});

describe('cut off', () => {
  beforeAll(ensureBuilt);

  test('by kill -9, at any point: the next start goes on', async () => {
    const before = await Promise.all(tenants.map(contents));
    const env = { DATABASE_URL: databaseUrl, JWT_SECRET, DATA_DIR: await temporaryFolder() };
    const killed = await startGateway(env);
    await eventually(versions, (all) => all.includes(newest));
    await killed.end('SIGKILL');
    const left = (await versions()).filter((version) => version !== newest).length;
    const began = performance.now();
    const next = await startGateway(env);
    await allAtNewest();
    took(`the remaining ${left} of 5 tenants after a kill`, performance.now() - began);
    await next.end('SIGTERM');
    expect(await Promise.all(tenants.map(contents))).toMatchObject(before);
    await expectNothingWrong(databaseUrl);
  });

  test('between the tables and their rights, or before it was recorded', async () => {
    const first = await start();
    await allAtNewest();
    await close(first.app);
    const [unrecorded, ungranted] = tenants as [Tenant, Tenant];
    await inTenant(ungranted, `revoke all on divisions, schedule_versions from "t_${code}"`);
    await control('update organizations set schema_version = 1 where id = any ($1)', [[unrecorded.id, ungranted.id]]);
    const second = await start();
    await allAtNewest();
    const user = await agent(second, ungranted.adminEmail, ungranted.adminPassword);
    expect((await user.rest('GET', '/api/divisions')).status).toBe(200);
    expect(warnings(second.lines)).toEqual([]);
    await close(second.app);
    await expectNothingWrong(databaseUrl);
  });
});

test('a provisioning that goes on under the newer version ends at the newer version', async () => {
  const [tenant] = tenants as [Tenant];
  const { 0: run } = await control('select job_id from provisioning_runs where org_id = $1', [tenant.id]);
  expect(run).toBeDefined();
  // Handed on by the older version after it had made its tables.
  await control("update organizations set status = 'provisioning' where id = $1", [tenant.id]);
  await control(
    `update provisioning_steps set state = 'pending', finished_at = null
      where org_id = $1 and name in ('seed_defaults', 'create_stores', 'create_admin', 'activate')`,
    [tenant.id],
  );
  await control(
    "update provisioning_runs set state = 'queued', finished_at = null, worker_session = null where org_id = $1",
    [tenant.id],
  );
  const gateway = await start();
  await gateway.app.services.control.orm.em
    .fork()
    .transactional((em) => gateway.app.services.queue.send(em, 'tenant.provision', { orgId: tenant.id }, tenant.id));
  await allAtNewest();
  const root = new Actor(gateway.url, (await superAdmin(gateway, SUPER_ADMIN)).token);
  await eventually(
    () => root.rest('GET', `/api/super-admin/tenants/${tenant.id}`),
    ({ body }) => body.status === 'active' && body.schema_version === newest,
    20_000,
  );
  await close(gateway.app);
  await expectNothingWrong(databaseUrl);
});
