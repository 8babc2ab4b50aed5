import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import type { TenantStore } from '../src/components/tenant-store.ts';
import { LOCKS } from '../src/db/locks.ts';
import { TenantCluster } from '../src/db/tenant-cluster.ts';
import { type Outside, PROVISIONING_STEPS, type StepContext } from '../src/domain/provisioning-steps.ts';
import { seedTenant } from '../src/domain/tenant-seeds.ts';
import { type Actor, active, eventually, provision, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { expectNothingWrong } from './support/checker.ts';
import { serverUrl, sql } from './support/database.ts';

let app: TestApp;
let other: TestApp;
let admin: Actor;
beforeAll(async () => {
  app = await startApp();
  other = await startApp({}, app.databaseUrl);
  admin = await superAdmin(app);
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(async () => {
  await other.stop();
  await app.stop();
});

const stepNamed = (name: string) => PROVISIONING_STEPS.find((step) => step.name === name)!;
/** Steps with work outside of the control database; the others are part of a transaction as a whole. */
const OUTSIDE = ['create_database', 'apply_schema', 'seed_defaults', 'create_stores', 'create_admin'];

type Body = (context: StepContext, really: Outside) => Promise<unknown>;

/** Puts something around a step's work outside of the control database, for the tenants that it is meant for. */
function around(name: string, body: Body): void {
  const step = stepNamed(name);
  const begin = step.begin.bind(step);
  jest.spyOn(step, 'begin').mockImplementation(async (em, context) => {
    // Without an object store there is nothing outside to be done for one.
    const outside = (await begin(em, context)) ?? (async () => undefined);
    return () => body(context, outside) as never;
  });
}

let made = 0;
async function post(input: object = {}): Promise<string> {
  const slug = `raced-${++made}`;
  const tenant = { name: 'Raced', slug, admin_email: `a@${slug}.test`, admin_password: 'a tenant password', ...input };
  const { status, body } = await admin.rest('POST', '/api/super-admin/tenants', tenant);
  expect(status).toBe(201);
  return body.id;
}

const cancel = (id: string) =>
  admin.graphql('mutation ($id: UUID!) { cancelProvisioning(tenantId: $id) { status } }', { id });
const gone = (id: string) =>
  eventually(
    () => admin.rest('GET', `/api/super-admin/tenants/${id}`),
    ({ status }) => status === 404,
  );

describe('calling a run off', () => {
  test.each(OUTSIDE)('while it is at %s leaves nothing behind', async (name) => {
    around(name, async ({ orgId }, really) => {
      await cancel(orgId);
      return really();
    });
    await gone(await post());
    await expectNothingWrong(app.databaseUrl);
  });

  test('while a step is failing takes effect at once, not at the next attempt', async () => {
    around('create_stores', async ({ orgId }) => {
      await cancel(orgId);
      throw new Error('the store is away');
    });
    const id = await post();
    await gone(id);
    const [entry] = await sql<{ action: string }>(
      app.databaseUrl,
      `select action from audit_entries where org_id = '${id}' order by id desc limit 1`,
    );
    expect(entry).toEqual({ action: 'tenant.remove' });
    // A later attempt would have begun with the run's first job being tried again.
    const [job] = await sql<{ retries: number }>(
      app.databaseUrl,
      `select retry_count as retries from pgboss.job where singleton_key = '${id}'`,
    );
    expect(job).toEqual({ retries: 0 });
  });
});

test('whoever sees a failed run sees its job waiting, so that a retry always finds it', async () => {
  around('create_stores', async () => {
    throw new Error('the store is away');
  });
  const id = await post();
  const [job] = await eventually(
    () =>
      sql<{ state: string }>(
        app.databaseUrl,
        `select job.state from provisioning_runs run join pgboss.job on singleton_key = org_id::text
          where org_id = '${id}' and run.state = 'retrying'`,
      ),
    (rows) => rows.length > 0,
  );
  expect(job).toEqual({ state: 'retry' });
  jest.restoreAllMocks();
  await admin.graphql('mutation ($id: UUID!) { retryProvisioning(tenantId: $id) { status } }', { id });
  await active(admin, id);
});

describe('a worker that is cut off', () => {
  /** Ends the sessions by which others see that the workers are alive; each worker opens another. */
  const cutOff = () =>
    sql(
      app.databaseUrl,
      `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and classid = ${LOCKS.worker} and granted
         and database = (select oid from pg_database where datname = current_database())`,
    );
  const moments = OUTSIDE.flatMap((name) => [`before ${name}`, `after ${name}`]);
  /** Four at a time, as many as one worker takes. */
  const batches = Array.from({ length: Math.ceil(moments.length / 4) }, (_, index) => {
    const batch = moments.slice(4 * index, 4 * index + 4);
    return [batch.join(', '), batch] as const;
  });

  test.each(batches)('%s is replaced, and changes nothing when it comes back', async (_, names) => {
    const stopped = new Map<string, () => void>();
    const waiting = [...names];
    for (const step of OUTSIDE) {
      around(step, async ({ orgId }, really) => {
        const hang = async (moment: string) => {
          const index = waiting.indexOf(moment);
          if (index < 0 || stopped.has(orgId)) return;
          waiting.splice(index, 1);
          const { promise, resolve } = Promise.withResolvers<void>();
          stopped.set(orgId, resolve);
          await promise;
        };
        await hang(`before ${step}`);
        const result = await really();
        await hang(`after ${step}`);
        return result;
      });
    }
    const ids = await Promise.all(names.map(() => post()));
    await eventually(
      async () => stopped.size,
      (size) => size === names.length,
    );
    await cutOff();
    for (const id of ids) await active(admin, id);
    const state = () =>
      sql(
        app.databaseUrl,
        `select org_id, attempt, state, finished_at, (select json_agg(s order by position) from provisioning_steps s
           where s.org_id = run.org_id) as steps from provisioning_runs run where org_id = any ($1) order by org_id`,
        [ids],
      );
    const before = await state();
    for (const goOn of stopped.values()) goOn();
    // Its jobs are settled when it has found out that they are another's.
    await eventually(
      () => sql(app.databaseUrl, `select from pgboss.job where state = 'active'`),
      (jobs) => jobs.length === 0,
    );
    expect(await state()).toEqual(before);
    const activations = await sql(
      app.databaseUrl,
      `select org_id from audit_entries where action = 'tenant.activate' and org_id = any ($1)`,
      [ids],
    );
    expect(activations).toHaveLength(ids.length);
    await expectNothingWrong(app.databaseUrl);
  });
  /** Cuts the worker off that is about to call this. @returns the tenant, and what lets the worker go on and says how it ended. */
  async function cutOffBefore(method: 'createRole' | 'createDatabase') {
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
    const { promise: late, resolve: came } = Promise.withResolvers<unknown>();
    const original = TenantCluster.prototype[method] as (...args: unknown[]) => Promise<void>;
    jest.spyOn(TenantCluster.prototype, method).mockImplementationOnce(async function (this: TenantCluster, ...args) {
      stop();
      await held;
      const made = original.apply(this, args);
      came(made.then(() => 'made', String));
      await made;
    });
    const id = await post();
    await stopped;
    await cutOff();
    const goOn = () => {
      release();
      return late;
    };
    return { id, goOn };
  }

  test('while it removes what was made for a tenant that was called off removes nothing of one that has its slug since', async () => {
    let isHeld = false;
    const { promise: held, resolve: goOn } = Promise.withResolvers<void>();
    const removed: string[] = [];
    const first = async () => {
      if (isHeld) return;
      isHeld = true;
      await held;
    };
    const store = (drop: TenantStore['drop']) => ({
      label: 'store',
      create: async () => {},
      drop,
      close: async () => {},
    });
    const stores = [store(first), store(async ({ mongoDatabase }) => void removed.push(mongoDatabase))];
    const gateways = [app, other].map(({ services }) => services.components.stores as TenantStore[]);
    for (const one of gateways) one.push(...stores);
    try {
      around('create_admin', async ({ orgId }, really) => {
        await cancel(orgId);
        return really();
      });
      const id = await post();
      await eventually(
        async () => isHeld,
        (yes) => yes,
      );
      await cutOff();
      await gone(id);
      // By one worker, or by several whose sessions were found dead one after the other.
      const before = removed.length;
      expect(before).toBeGreaterThan(0);
      goOn();
      await eventually(
        () => sql(app.databaseUrl, `select from pgboss.job where state = 'active'`),
        (jobs) => jobs.length === 0,
      );
      expect(removed).toHaveLength(before);
    } finally {
      for (const one of gateways) one.length = 0;
    }
  });

  test.each(['createRole', 'createDatabase'] as const)(
    'just before %s makes nothing when the tenant was called off meanwhile',
    async (method) => {
      const { id, goOn } = await cutOffBefore(method);
      await cancel(id);
      await gone(id);
      expect(await goOn()).toMatch(/called off/);
      await expectNothingWrong(app.databaseUrl);
    },
  );

  test.each(['createRole', 'createDatabase'] as const)(
    'just before %s leaves role and database as they are when another has made the tenant',
    async (method) => {
      const { id, goOn } = await cutOffBefore(method);
      await active(admin, id);
      const made = () =>
        sql(
          app.databaseUrl,
          `select rolpassword, datacl::text, datconnlimit from pg_authid join pg_database on datname = rolname
            where rolname = '${app.services.servers.home.nameFor(id)}'`,
        );
      const before = await made();
      expect(await goOn()).toMatch(/made by another worker/);
      expect(await made()).toEqual(before);
      await expectNothingWrong(app.databaseUrl);
    },
  );
});

describe('seeds', () => {
  test('hold the newest limits, however they are changed while they are written', async () => {
    let seeding: string | undefined;
    around('seed_defaults', async ({ orgId }, really) => {
      seeding = orgId;
      return really();
    });
    let patched: Promise<unknown> | undefined;
    const asOwner = TenantCluster.prototype.asOwner;
    jest.spyOn(TenantCluster.prototype, 'asOwner').mockImplementation(async function (this: TenantCluster, name, body) {
      if (seeding && !patched) {
        patched = admin.rest('PATCH', `/api/super-admin/tenants/${seeding}`, { limits: { max_contacts: 2 } });
        // Either it goes through, up to the tenant's database, or it is made to wait.
        await eventually(
          () =>
            sql(
              app.databaseUrl,
              `select from pgboss.job where name = 'tenant.apply-limits' and state = 'completed'
               union all select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
            ),
          (rows) => rows.length > 0,
        );
      }
      return asOwner.call(this, name, body) as never;
    });
    const id = await post({ limits: { max_contacts: 1 } });
    await active(admin, id);
    await patched;
    const limits = () =>
      sql(serverUrl(app.services.servers.home.nameFor(id)), 'select metric, value from usage_limits');
    await eventually(
      () => sql(app.databaseUrl, `select from pgboss.job where name = 'tenant.apply-limits' and state < 'completed'`),
      (jobs) => jobs.length === 0,
    );
    expect(await limits()).toEqual([{ metric: 'contacts', value: 2 }]);
  });

  test('that several workers write at once are there once', async () => {
    const { id } = await provision(admin);
    const url = serverUrl(app.services.servers.home.nameFor(id));
    await sql(url, 'delete from working_hours; delete from schedule_versions');
    const gate = new pg.Client({ connectionString: url });
    await gate.connect();
    await gate.query('begin; lock table working_hours in access exclusive mode');
    const seeded = Array.from({ length: 6 }, async () => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await seedTenant(client, 'UTC').finally(() => client.end());
    });
    await eventually(
      () =>
        sql(url, 'select from pg_stat_activity where datname = current_database() and wait_event_type = $1', ['Lock']),
      (waiting) => waiting.length === 6,
    );
    await gate.query('commit');
    await gate.end();
    await Promise.all(seeded);
    const [hours] = await sql<{ entries: number }>(url, 'select count(*)::int as entries from working_hours');
    expect(hours).toEqual({ entries: 7 });
  });
});
