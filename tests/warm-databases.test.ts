import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { LOCKS } from '../src/db/locks.ts';
import { preparingName, warmPrefix } from '../src/db/tenant-names.ts';
import { WarmDatabases } from '../src/db/warm-databases.ts';
import { warmSeeds } from '../src/domain/tenant-seeds.ts';
import { type Actor, active, agent, eventually, provision, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { examination, expectNothingWrong } from './support/checker.ts';
import { createControlDatabase, dropControlDatabase, serverUrl, sql } from './support/database.ts';

const onServer = (text: string) => sql<{ name: string; oid: number }>(serverUrl('postgres'), text);
const prefixOf = (app: TestApp) => warmPrefix(app.services.servers.home.code);
const stockOf = (app: TestApp) =>
  onServer(
    `select datname as name, oid::int from pg_database where starts_with(datname, '${prefixOf(app)}') order by 1`,
  );
const oidOf = async (app: TestApp, { id }: { id: string }) =>
  (
    await onServer(
      `select oid::int, datname as name from pg_database where datname = '${app.services.servers.home.nameFor(id)}'`,
    )
  )[0]?.oid;
/** The stock when it is so large, and nothing of it is still being prepared. */
const stocked = (app: TestApp, count: number) =>
  eventually(
    () => stockOf(app),
    (all) => all.length === count && all.every(({ name }) => !name.includes('preparing')),
    30_000,
  );

afterEach(() => {
  jest.restoreAllMocks();
});

describe('with databases prepared for tenants to come', () => {
  let app: TestApp;
  let admin: Actor;
  beforeAll(async () => {
    app = await startApp({ WARM_DATABASES: '2', DEFAULT_TIMEZONE: 'Asia/Jakarta' });
    admin = await superAdmin(app);
  });
  afterAll(() => app.stop());

  test('they are there soon after the start, closed to everybody, and nothing is wrong with them', async () => {
    await stocked(app, 2);
    const open = await onServer(
      `select datname as name, oid::int from pg_database d
        where starts_with(datname, '${prefixOf(app)}') and (datallowconn or exists (
          select from aclexplode(coalesce(datacl, acldefault('d', datdba))) where grantee = 0))`,
    );
    expect(open).toEqual([]);
    await expectNothingWrong(app.databaseUrl);
  });

  test('a tenant gets one of them under its own name, whole in every way, and another one is prepared', async () => {
    const prepared = (await stocked(app, 2)).map(({ oid }) => oid);
    const tenant = await provision(admin, { limits: { max_contacts: 3 } });
    expect(prepared).toContain(await oidOf(app, tenant));
    const user = await agent(app, tenant.adminEmail, tenant.adminPassword);
    expect((await user.rest('GET', '/api/roles')).body.length).toBeGreaterThan(2);
    expect((await user.rest('GET', '/api/working-hours')).body).toHaveLength(7);
    expect((await user.rest('GET', '/api/settings/timezone')).body.value).toBe('Asia/Jakarta');
    const url = serverUrl(app.services.servers.home.nameFor(tenant.id));
    expect(await sql(url, 'select metric, value from usage_limits')).toEqual([{ metric: 'contacts', value: 3 }]);
    const { body } = await admin.rest('GET', `/api/super-admin/tenants/${tenant.id}`);
    expect(body.schema_version).toBeGreaterThan(0);
    await expectNothingWrong(app.databaseUrl);
    await stocked(app, 2);
  });

  test('each step is told and recorded as ever, in its order', async () => {
    await stocked(app, 2);
    const { id } = await provision(admin);
    const events = await sql<{ steps: { name: string; state: string }[] }>(
      app.databaseUrl,
      `select payload->'provisioning'->'steps' as steps from events
        where topic = 'provisioning' and payload->>'tenantId' = $1 order by seq`,
      [id],
    );
    const running = events.map(({ steps }) => steps.find(({ state }) => state === 'running')?.name);
    expect(running).toEqual([
      'reserve_names',
      'create_database',
      'apply_schema',
      'seed_defaults',
      'create_stores',
      'create_admin',
      'activate',
      undefined,
    ]);
    const steps = await sql(
      app.databaseUrl,
      `select distinct state, attempt, started_at <= finished_at as ended from provisioning_steps where org_id = '${id}'`,
    );
    expect(steps).toEqual([{ state: 'done', attempt: 1, ended: true }]);
  });

  test('a burst that empties the stock is served as well, and the stock is filled again after it', async () => {
    await stocked(app, 2);
    const tenants = await Promise.all(Array.from({ length: 6 }, () => provision(admin)));
    const { adminEmail, adminPassword } = tenants[5]!;
    await agent(app, adminEmail, adminPassword);
    await stocked(app, 2);
    await expectNothingWrong(app.databaseUrl);
  });

  test('two that want the last one: one gets it, the other one makes its own', async () => {
    const [last, other] = await stocked(app, 2);
    const held = new pg.Client({ connectionString: app.databaseUrl });
    await held.connect();
    // Nobody prepares any more, and one is as if somebody else had it.
    await held.query(`select pg_advisory_lock(${LOCKS.warmDatabases}, 0)`);
    await held.query(`select pg_advisory_lock(${LOCKS.tenantDatabase}, hashtext($1))`, [other!.name]);
    const took = jest.spyOn(WarmDatabases.prototype, 'take');
    const tenants = await Promise.all([provision(admin), provision(admin)]);
    expect((await Promise.all(took.mock.results.map(({ value }) => value))).sort()).toEqual([false, true]);
    const oids = await Promise.all(tenants.map((tenant) => oidOf(app, tenant)));
    expect(oids).toContain(last!.oid);
    await held.end();
    await expectNothingWrong(app.databaseUrl);
  });

  test('one that is lost between being found and being taken does no harm', async () => {
    await stocked(app, 2);
    const take = WarmDatabases.prototype.take;
    jest.spyOn(WarmDatabases.prototype, 'take').mockImplementation(async function (this: WarmDatabases, em, ...rest) {
      // Somebody is in it, whom only the renaming meets.
      await em.execute('select set_config(?, ?, true)', ['lock_timeout', '200ms']);
      return take.call(this, em, ...rest);
    });
    const blocker = new pg.Client({ connectionString: app.databaseUrl });
    await blocker.connect();
    await blocker.query('begin');
    for (const { name } of await stockOf(app)) await blocker.query(`alter database "${name}" connection limit 7`);
    const tenant = await provision(admin);
    await blocker.query('rollback');
    await blocker.end();
    await agent(app, tenant.adminEmail, tenant.adminPassword);
    await stocked(app, 2);
    await expectNothingWrong(app.databaseUrl);
  });

  test('a worker that is cut off after it took one gives it back', async () => {
    const prepared = (await stocked(app, 2)).map(({ oid }) => oid);
    const take = WarmDatabases.prototype.take;
    jest.spyOn(WarmDatabases.prototype, 'take').mockImplementationOnce(async function (
      this: WarmDatabases,
      em,
      ...rest
    ) {
      const taken = await take.call(this, em, ...rest);
      const [{ pid }] = (await em.execute('select pg_backend_pid() as pid')) as [{ pid: number }];
      await onServer(`select pg_terminate_backend(${pid}), '' as name, 0 as oid`);
      return taken;
    });
    const slug = 'cut-off';
    const { body } = await admin.rest('POST', '/api/super-admin/tenants', { name: 'Cut off', slug });
    await active(admin, body.id);
    expect(prepared).toContain(await oidOf(app, body));
    await expectNothingWrong(app.databaseUrl);
  });

  describe('a failure in the transaction that claims the run', () => {
    const post = async (slug: string) =>
      (await admin.rest('POST', '/api/super-admin/tenants', { name: 'Failing', slug })).body.id as string;
    const runOf = async (id: string) => {
      const { data } = await admin.graphql(
        'query ($id: UUID!) { tenant(id: $id) { provisioning { state attempt steps { name state attempt error } } } }',
        { id },
      );
      return data.tenant.provisioning;
    };

    test('is shown with its attempt and its step, and gives the prepared database back', async () => {
      const before = await stocked(app, 2);
      await sql(
        app.databaseUrl,
        `create function refuse() returns trigger language plpgsql as $$ begin raise 'a test refuses it'; end $$;
         create trigger refuse before update on organizations for each row when (new.status = 'active')
           execute function refuse()`,
      );
      const id = await post('refused');
      const first = await eventually(
        () => runOf(id),
        ({ state }) => state === 'RETRYING',
      );
      expect(first).toMatchObject({ attempt: 1 });
      expect(first.steps[0]).toEqual({
        name: 'reserve_names',
        state: 'FAILED',
        attempt: 1,
        error: 'An unexpected error; the log of the gateway names it.',
      });
      expect(await stockOf(app)).toEqual(before);
      await eventually(
        () => runOf(id),
        ({ state, attempt }) => state === 'RETRYING' && attempt === 2,
      );
      await sql(app.databaseUrl, 'drop trigger refuse on organizations; drop function refuse()');
      await active(admin, id);
      expect(before.map(({ oid }) => oid)).toContain(await oidOf(app, { id }));
      await expectNothingWrong(app.databaseUrl);
    });

    test('is not recorded over a worker that has claimed the run meanwhile', async () => {
      await stocked(app, 2);
      jest.spyOn(WarmDatabases.prototype, 'take').mockImplementationOnce(async (em) => {
        const [{ pid }] = (await em.execute('select pg_backend_pid() as pid')) as [{ pid: number }];
        await onServer(`select pg_terminate_backend(${pid}, 5000), '' as name, 0 as oid`);
        await sql(app.databaseUrl, `update provisioning_runs set attempt = attempt + 1 where state <> 'succeeded'`);
        throw new Error('a test stops it here');
      });
      const id = await post('claimed-by-another');
      await active(admin, id);
      const { attempt, steps } = await runOf(id);
      expect(attempt).toBe(2);
      expect(new Set(steps.map((step: { attempt: number }) => step.attempt))).toEqual(new Set([1]));
      await expectNothingWrong(app.databaseUrl);
    });
  });

  test('calling a run off removes the one that it has taken', async () => {
    await stocked(app, 2);
    jest.spyOn(app.services.servers.home, 'asOwner').mockImplementationOnce(async () => {
      throw new Error('a test stops it here');
    });
    const wanted = { name: 'Called off', slug: 'called-off', admin_email: 'a@b.test', admin_password: 'a password' };
    const { body } = await admin.rest('POST', '/api/super-admin/tenants', wanted);
    await eventually(
      () => sql(app.databaseUrl, `select from provisioning_runs where org_id = '${body.id}' and state = 'retrying'`),
      (rows) => rows.length === 1,
    );
    expect(await oidOf(app, body)).toBeDefined();
    await admin.graphql(`mutation { cancelProvisioning(tenantId: "${body.id}") { status } }`);
    await eventually(
      () => admin.rest('GET', `/api/super-admin/tenants/${body.id}`),
      ({ status }) => status === 404,
    );
    await stocked(app, 2);
    await expectNothingWrong(app.databaseUrl);
  });
});

describe('what is of no use', () => {
  let databaseUrl: string;
  beforeAll(async () => {
    databaseUrl = await createControlDatabase();
  });
  afterAll(() => dropControlDatabase(databaseUrl));

  test('is removed: half prepared, broken, of other seeds, and what is too many; with 0 there are none', async () => {
    const first = await startApp({ WARM_DATABASES: '3' }, databaseUrl);
    const [ready] = await stocked(first, 3);
    const { code } = first.services.servers.home;
    await first.close();

    await onServer(`update pg_database set datconnlimit = -2 where datname = '${ready!.name}'`);
    const draft = preparingName(code, '0badcafe');
    await onServer(`create database "${draft}" allow_connections false`);
    await onServer(`revoke all on database "${draft}" from public`);
    const found = async () => (await examination(databaseUrl)).findings.map(({ problem }) => problem);
    expect(await found()).toEqual([
      expect.stringContaining(`${ready!.name} is what a cut-off DROP left`),
      expect.stringContaining(`${draft} was being prepared`),
    ]);

    const second = await startApp({ WARM_DATABASES: '1', DEFAULT_TIMEZONE: 'Asia/Tokyo' }, databaseUrl);
    const [only] = await eventually(
      () => stockOf(second),
      (all) => all.length === 1 && all[0]!.name.includes(warmSeeds('Asia/Tokyo').digest),
      30_000,
    );
    expect(only!.name).not.toContain(warmSeeds('UTC').digest);
    await expectNothingWrong(databaseUrl);
    await second.close();

    const third = await startApp({ WARM_DATABASES: '0' }, databaseUrl);
    await stocked(third, 0);
    const tenant = await provision(await superAdmin(third));
    await agent(third, tenant.adminEmail, tenant.adminPassword);
    await expectNothingWrong(databaseUrl);
    await third.close();
  });
});
