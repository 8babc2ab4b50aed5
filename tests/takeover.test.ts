import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Context } from '../src/context.ts';
import { provisionTenant } from '../src/domain/organizations.ts';
import { type Actor, active, eventually, superAdmin } from './support/actors.ts';
import { JWT_SECRET, startApp, type TestApp } from './support/app.ts';
import { ensureBuilt } from './support/built.ts';
import { expectNothingWrong } from './support/checker.ts';
import { createControlDatabase, dropControlDatabase, sql } from './support/database.ts';
import { cleanUp, runDoctor, startGateway } from './support/gateway-process.ts';
import { allActive, provisionMany, took } from './support/many-tenants.ts';

beforeAll(ensureBuilt);

/** Seconds on a busy machine of two cores say little; what was measured is printed. */
const BOUND_MS = 30_000;

describe('two gateways on one database', () => {
  let databaseUrl: string;
  beforeAll(async () => {
    databaseUrl = await createControlDatabase();
  });
  afterEach(() => cleanUp());
  afterAll(() => dropControlDatabase(databaseUrl));

  const running = (session: number) =>
    sql<{ id: string }>(databaseUrl, 'select org_id as id from provisioning_runs where worker_session = $1', [session]);

  test('when one is killed, the other takes over what it was at', async () => {
    const env = { DATABASE_URL: databaseUrl, JWT_SECRET };
    const doomed = await startGateway(env);
    const [row] = await sql<{ session: number }>(
      databaseUrl,
      `select objid::int as session from pg_locks
        where locktype = 'advisory' and classid = x'6f6d0004'::int and granted
          -- Other tests' gateways hold theirs on the same server.
          and database = (select oid from pg_database where datname = current_database())`,
    );
    const survivor = await startGateway(env);
    const admin = await superAdmin(survivor);
    const { done } = provisionMany(admin, 20);
    // While they come in: on a busy machine the other one may have made them all by the time the last is accepted.
    const taken = await eventually(
      () => running(row!.session),
      (runs) => runs.length > 0,
    );
    await doomed.end('SIGKILL');
    await done;
    const start = performance.now();
    // What it had begun since it was looked at is the other's as well.
    const left = await running(row!.session);
    for (const { id } of [...taken, ...left]) await active(admin, id, BOUND_MS);
    took(`takeover of ${left.length} running, from the kill until they are active`, performance.now() - start);
    await allActive(admin);
    expect(await expectNothingWrong(databaseUrl)).toMatchObject({ tenants: 20, databases: 20, roles: 20 });
    expect(await runDoctor(env)).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^nothing wrong: 20 tenants/m),
    });
  });
});

describe('a job', () => {
  let app: TestApp;
  let admin: Actor;
  beforeAll(async () => {
    app = await startApp();
    admin = await superAdmin(app);
  });
  afterAll(() => app.stop());

  test('that a worker took and died before it began is taken over', async () => {
    const ctx = new Context(app.services, { requestId: 'test', address: '127.0.0.1' });
    const { id } = await ctx.em.transactional(async (em) => {
      const tenant = await provisionTenant(ctx.within(em), { name: 'Left', slug: 'left-behind' });
      await em.execute(
        `update pgboss.job set state = 'active', started_on = now(), heartbeat_on = now() where singleton_key = '${tenant.id}'`,
      );
      return tenant;
    });
    const start = performance.now();
    await active(admin, id, BOUND_MS);
    took('takeover of a job that was never begun', performance.now() - start);
  });
});
