import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { toAppError } from '../src/errors.ts';
import { type Actor, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';

let app: TestApp;
let admin: Actor;

beforeAll(async () => {
  app = await startApp();
  admin = await superAdmin(app);
});
afterAll(() => app.stop());

/** A connection to the tenant's database as its own role, as whatever writes there has it. */
async function connect({ id }: Tenant): Promise<pg.Client> {
  const client = new pg.Client(await app.services.tenants.connection(id));
  await client.connect();
  return client;
}

async function writing(tenant: Tenant, text: string, values: unknown[] = []): Promise<void> {
  const client = await connect(tenant);
  await client.query(text, values).finally(() => client.end());
}

interface UsageBody {
  agent_count: number;
  contact_count: number;
  messages_this_month: number;
  active_integrations: number;
  usage_month: string;
}

async function usageOf({ id }: Tenant): Promise<UsageBody> {
  const { body } = await admin.rest<{ id: string; usage: UsageBody }[]>('GET', '/api/super-admin/usage');
  return body.find((tenant) => tenant.id === id)!.usage;
}

const usageBecomes = (tenant: Tenant, wished: Partial<UsageBody>) =>
  eventually(
    () => usageOf(tenant),
    (usage) => Object.entries(wished).every(([key, value]) => usage[key as keyof UsageBody] === value),
    5000,
  );

const CONTACTS = `insert into contacts (id, name) select gen_random_uuid(), 'Contact ' || n from generate_series(1, $1) n`;
const MESSAGE = `insert into messages (id, contact_id, channel, body, created_at) values ($1, $1, 'whatsapp', 'Hello', $2)`;

describe('usage', () => {
  test('counts agents, contacts, messages and active integrations within five seconds, whoever wrote them', async () => {
    const tenant = await provision(admin);
    await writing(tenant, CONTACTS, [7]);
    await writing(tenant, MESSAGE, [uuidv7(), new Date()]);
    await writing(
      tenant,
      `insert into integrations (id, channel) values (gen_random_uuid(), 'whatsapp'), (gen_random_uuid(), 'email')`,
    );
    const usage = await usageBecomes(tenant, { contact_count: 7, messages_this_month: 1, active_integrations: 2 });
    expect(usage.agent_count).toBe(1);
  });

  test('follows deletions and changes, also from a connection that stays open and idle', async () => {
    const tenant = await provision(admin);
    const client = await connect(tenant);
    try {
      await client.query(CONTACTS, [5]);
      await usageBecomes(tenant, { contact_count: 5 });
      await client.query('delete from contacts where name in ($1, $2)', ['Contact 1', 'Contact 2']);
      await usageBecomes(tenant, { contact_count: 3 });
      await client.query(`insert into integrations (id, channel) values (gen_random_uuid(), 'email')`);
      await client.query('update integrations set is_active = false');
      await client.query(CONTACTS, [1]);
      await usageBecomes(tenant, { contact_count: 4, active_integrations: 0 });
    } finally {
      await client.end();
    }
  });

  test('of a change that was rolled back counts nothing', async () => {
    const tenant = await provision(admin);
    const client = await connect(tenant);
    await client.query('begin');
    await client.query(CONTACTS, [9]);
    await client.query('rollback');
    await client.query(CONTACTS, [2]);
    await client.end();
    await usageBecomes(tenant, { contact_count: 2 });
  });

  test("counts messages by the month of the tenant's own wall clock", async () => {
    const tenant = await provision(admin);
    await writing(tenant, `update settings set value = 'Pacific/Kiritimati' where key = 'timezone'`);
    const here = new Intl.DateTimeFormat('en-CA', {
      timeZone: 'Pacific/Kiritimati',
      year: 'numeric',
      month: '2-digit',
    });
    const month = here.format(new Date()).slice(0, 7);
    // Kiritimati is 14 hours ahead: its month begins at 10:00 UTC of the day before.
    const begins = Date.parse(`${month}-01T00:00:00Z`) - 14 * 3_600_000;
    await writing(tenant, MESSAGE, [uuidv7(), new Date(begins - 1000)]);
    await writing(tenant, MESSAGE, [uuidv7(), new Date(begins)]);
    await writing(tenant, MESSAGE, [uuidv7(), new Date(begins + 1000)]);
    await usageBecomes(tenant, { messages_this_month: 2, usage_month: `${month}-01` });
  });

  test('of a month that is over is not taken for the new one', async () => {
    const tenant = await provision(admin);
    await usageBecomes(tenant, { agent_count: 1 });
    const { rows } = await app.services.control.pool.query(
      `update usage set messages_this_month = 99, usage_month = '2020-01-01' where org_id = $1 returning 1`,
      [tenant.id],
    );
    expect(rows).toHaveLength(1);
    expect((await usageOf(tenant)).messages_this_month).toBe(0);
  });
});

describe('limits', () => {
  test('cannot be overshot by parallel writers', async () => {
    const tenant = await provision(admin, { limits: { max_contacts: 10 } });
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect(tenant)));
    const results: PromiseSettledResult<unknown>[] = [];
    // Each sends what it has to send one after the other.
    const writer = async (client: pg.Client, times: number) => {
      for (let n = 0; n < times; n++) results.push(...(await Promise.allSettled([client.query(CONTACTS, [1])])));
    };
    await Promise.all(clients.map((client, n) => writer(client, n < 10 ? 3 : 2)));
    const { rows } = await clients[0]!.query('select count(*)::int as contacts from contacts');
    await Promise.all(clients.map((client) => client.end()));
    expect(rows[0].contacts).toBe(10);
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(40);
    expect(toAppError(refused[0]!.reason)).toMatchObject({
      code: 'limit_reached',
      status: 409,
      message: 'The limit of 10 contacts is reached.',
    });
  });

  test('that are changed reach the tenant, and lowering one removes nothing', async () => {
    const tenant = await provision(admin, { limits: { max_contacts: 3 } });
    await writing(tenant, CONTACTS, [3]);
    await expect(writing(tenant, CONTACTS, [1])).rejects.toThrow('limit');
    const change = (max_contacts: number | null) =>
      admin.rest('PATCH', `/api/super-admin/tenants/${tenant.id}`, { limits: { max_contacts } });
    const accepts = () =>
      writing(tenant, CONTACTS, [1]).then(
        () => true,
        () => false,
      );

    await change(5);
    await eventually(accepts, Boolean, 3000);
    await change(2);
    await eventually(accepts, (accepted) => !accepted, 3000);
    const { contact_count } = await eventually(
      () => usageOf(tenant),
      (usage) => usage.contact_count >= 4,
      5000,
    );
    expect(contact_count).toBeLessThanOrEqual(5);
    await change(null);
    await eventually(accepts, Boolean, 3000);
  });

  test('leave room for the first admin, and for nobody after', async () => {
    const tenant = await provision(admin, { limits: { max_agents: 0 } });
    await usageBecomes(tenant, { agent_count: 1 });
    const another = `insert into agents (id, email, full_name, role_id, created_at, updated_at)
                     select $1, 'b@x.test', 'B', id, now(), now() from roles where name = 'agent'`;
    await expect(writing(tenant, another, [uuidv7()])).rejects.toThrow('The limit of 0 agents is reached.');
  });
});
