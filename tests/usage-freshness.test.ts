import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { usageMonthAt } from '../src/domain/usage.ts';
import { type Actor, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { sql } from './support/database.ts';
import { took } from './support/many-tenants.ts';

let app: TestApp;
let admin: Actor;
const open: pg.Client[] = [];

beforeAll(async () => {
  app = await startApp();
  admin = await superAdmin(app);
});
afterEach(async () => {
  for (const client of open.splice(0)) await client.end();
});
afterAll(() => app.stop());

/** A connection as the tenant's own role that stays open and idle until the test ends. */
async function connect({ id }: Tenant): Promise<pg.Client> {
  const client = new pg.Client(await app.services.tenants.connection(id));
  await client.connect();
  open.push(client);
  return client;
}

test('a new tenant\u2019s database is not visited to count what its provisioning wrote', async () => {
  for (const more of [{}, { admin_email: undefined, admin_password: undefined }]) {
    const { id } = await provision(admin, more);
    const [row] = await sql(
      app.databaseUrl,
      `select gathered_mark as gathered, (tup_inserted + tup_updated + tup_deleted)::text as written, tup_inserted > 10 as seeded
         from usage join tenant_databases using (org_id) join pg_stat_database on datname = database_name where org_id = $1`,
      [id],
    );
    expect(row).toEqual({ gathered: row!.written, written: row!.gathered, seeded: true });
  }
});

interface Usage {
  agentCount: number;
  contactCount: number;
  messagesThisMonth: number;
  activeIntegrations: number;
  usageMonth: string;
}

const FIELDS = 'agentCount contactCount messagesThisMonth activeIntegrations usageMonth';

/** Over GraphQL. */
async function usageOf({ id }: Tenant): Promise<Usage> {
  const { data } = await admin.graphql(`query ($id: UUID!) { tenant(id: $id) { usage { ${FIELDS} } } }`, { id });
  return data.tenant.usage;
}

/** Waits for at most five seconds. @returns how many milliseconds it took. */
async function becomes(tenant: Tenant, wished: Partial<Usage>): Promise<number> {
  const start = performance.now();
  await eventually(
    () => usageOf(tenant),
    (usage) => Object.entries(wished).every(([key, value]) => usage[key as keyof Usage] === value),
    5000,
  );
  return performance.now() - start;
}

const CONTACTS = `insert into contacts (id, name) select gen_random_uuid(), 'Contact ' || n from generate_series(1, $1) n`;
const MESSAGE = `insert into messages (id, contact_id, channel, body, created_at) values ($1, $1, 'email', 'Hello', $2)`;
const INTEGRATION = `insert into integrations (id, channel) values (gen_random_uuid(), $1)`;

test('of many tenants that change at once is true of all within five seconds, over REST and over GraphQL', async () => {
  const tenants = await Promise.all(Array.from({ length: 6 }, () => provision(admin)));
  const clients = await Promise.all(tenants.map(connect));
  await Promise.all(
    clients.map(async (client, index) => {
      await client.query(CONTACTS, [index + 1]);
      await client.query(MESSAGE, [uuidv7(), new Date()]);
      await client.query(INTEGRATION, ['email']);
    }),
  );
  const wished = { agentCount: 1, messagesThisMonth: 1, activeIntegrations: 1 };
  const times = await Promise.all(
    tenants.map((tenant, index) => becomes(tenant, { ...wished, contactCount: index + 1 })),
  );
  took('usage of six tenants, from the change until it shows', Math.max(...times));
  const { body } = await admin.rest('GET', '/api/super-admin/usage');
  for (const [index, { id }] of tenants.entries()) {
    expect(body.find((tenant: { id: string }) => tenant.id === id).usage).toMatchObject({
      org_id: id,
      agent_count: 1,
      contact_count: index + 1,
      messages_this_month: 1,
      active_integrations: 1,
    });
  }
});

test('follows every way of changing a row', async () => {
  const tenant = await provision(admin);
  const client = await connect(tenant);
  await client.query(CONTACTS, [4]);
  await client.query(INTEGRATION, ['email']);
  await client.query(INTEGRATION, ['whatsapp']);
  await client.query(`insert into agents (id, email, full_name, role_id, created_at, updated_at)
    select gen_random_uuid(), n || '@x.test', 'X', roles.id, now(), now() from generate_series(1, 3) n, roles where name = 'agent'`);
  await becomes(tenant, { agentCount: 4, contactCount: 4, activeIntegrations: 2 });
  await client.query(`update agents set deleted_at = now() where email in ('1@x.test', '2@x.test')`);
  await client.query(`update agents set deleted_at = null where email = '2@x.test'`);
  await client.query(`update integrations set is_active = false where channel = 'email'`);
  await client.query(`insert into contacts (id, name) select id, name from contacts on conflict (id) do nothing`);
  await client.query(`delete from contacts where name = 'Contact 1'`);
  await becomes(tenant, { agentCount: 3, contactCount: 3, activeIntegrations: 1 });
  await client.query(MESSAGE, [uuidv7(), new Date()]);
  await client.query('delete from messages');
  await client.query('delete from integrations');
  await client.query(`delete from agents where email like '_@x.test'`);
  // A message that was sent stays counted.
  await becomes(tenant, { agentCount: 1, messagesThisMonth: 1, activeIntegrations: 0 });
});

test('shows a change of time zone, and of a channel, though it moves no counter', async () => {
  const tenant = await provision(admin);
  const client = await connect(tenant);
  const now = new Date();
  // In one of these two zones it is another day, and for a part of each month's first and last day another month.
  for (const zone of ['Pacific/Kiritimati', 'Pacific/Pago_Pago']) {
    await client.query(`update settings set value = $1 where key = 'timezone'`, [zone]);
    await client.query(MESSAGE, [uuidv7(), now]);
    await becomes(tenant, { usageMonth: usageMonthAt(now, zone) });
  }
  const zoneOf = async () => {
    const { rows } = await app.services.control.pool.query(
      'select timezone, active_channels from usage where org_id = $1',
      [tenant.id],
    );
    return rows[0] as { timezone: string; active_channels: string[] };
  };
  await client.query(INTEGRATION, ['email']);
  await becomes(tenant, { activeIntegrations: 1 });
  await client.query(`update settings set value = 'Asia/Jakarta' where key = 'timezone'`);
  await eventually(zoneOf, ({ timezone }) => timezone === 'Asia/Jakarta', 5000);
  await client.query(`update integrations set channel = 'instagram'`);
  await eventually(zoneOf, (row) => row.active_channels.join() === 'instagram', 5000);
});

test('is true of a tenant within five seconds also while all turns of another one are taken, which is written to', async () => {
  const [busy, idle] = await Promise.all([provision(admin), provision(admin)]);
  const [writer, client] = await Promise.all([connect(busy), connect(idle)]);
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  const { tenants } = app.services;
  const taken = [1, 2, 3, 4].map(() => tenants.work(busy.id, () => over));
  try {
    await writer.query(CONTACTS, [1]);
    for (const contactCount of [1, 2, 3, 4]) {
      await client.query(CONTACTS, [1]);
      await becomes(idle, { contactCount });
    }
  } finally {
    end();
    await Promise.all(taken);
  }
  await becomes(busy, { contactCount: 1 });
});
