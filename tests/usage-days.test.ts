import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { recordUsage } from '../src/domain/usage-days.ts';
import { type Actor, eventually, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { createControlDatabase, dropControlDatabase, sql } from './support/database.ts';
import { insertTenants } from './support/many-tenants.ts';

let app: TestApp;
let admin: Actor;
const control = (text: string, values?: unknown[]) => sql(app.databaseUrl, text, values);

beforeAll(async () => {
  app = await startApp();
  admin = await superAdmin(app);
});
afterAll(() => app?.stop());

interface Made {
  name: string;
  agents?: number;
  contacts?: number;
  messages?: number;
  limits?: object;
  status?: string;
  timezone?: string;
  /** The month that its messages were counted in. */
  month?: string;
}

const monthIn = (timezone: string) => DateTime.now().setZone(timezone).toFormat('yyyy-MM-01');

/** @returns its id. */
async function tenant({ name, limits = {}, status = 'active', timezone = 'UTC', ...used }: Made): Promise<string> {
  const text = (value: unknown) => `'${typeof value === 'string' ? value : JSON.stringify(value)}'`;
  await insertTenants(app.databaseUrl, 1, {
    slug: text(name),
    status: text(status),
    limits: text(limits),
    timezone: text(timezone),
  });
  const [made] = await control('select id from organizations where slug = $1', [name]);
  const { agents = 0, contacts = 0, messages = 0, month = monthIn(timezone) } = used;
  await control(
    'update usage set agent_count = $2, contact_count = $3, messages_this_month = $4, usage_month = $5 where org_id = $1',
    [made!.id, agents, contacts, messages, month],
  );
  return made!.id;
}

const record = () => recordUsage(app.services);
const dayBefore = (days: number) => DateTime.utc().minus({ days }).toISODate();

async function history(tenantId: string, days?: number) {
  const query = `query ($tenantId: UUID!, $days: Int! = 30) {
    usageHistory(tenantId: $tenantId, days: $days) { day agents contacts messages } }`;
  const { data, errors } = await admin.graphql(query, { tenantId, ...(days && { days }) });
  expect(errors).toBeUndefined();
  return data.usageHistory as { day: string; agents: number; contacts: number; messages: number }[];
}

const remember = (tenantId: string, daysAgo: number, agents: number, contacts = 0) =>
  control(`insert into usage_days values ($1, (now() at time zone 'UTC')::date - $2::int, $3, $4, 0)`, [
    tenantId,
    daysAgo,
    agents,
    contacts,
  ]);

describe('the history of usage', () => {
  test('begins by itself as soon as a gateway leads', async () => {
    const url = await createControlDatabase();
    try {
      await (await startApp({}, url)).stop();
      await insertTenants(url, 3, { slug: "'before-' || n" });
      const next = await startApp({}, url);
      await eventually(
        () => sql(url, 'select org_id from usage_days'),
        (rows) => rows.length === 3,
      );
      await next.stop();
    } finally {
      await dropControlDatabase(url);
    }
  });

  test('holds a record of today for every tenant, brought up to date where something changed', async () => {
    const id = await tenant({ name: 'recorded', agents: 1, contacts: 2, messages: 3 });
    const idle = await tenant({ name: 'idle' });
    await record();
    const today = dayBefore(0);
    expect(await history(id)).toEqual([{ day: today, agents: 1, contacts: 2, messages: 3 }]);
    expect(await history(idle)).toEqual([{ day: today, agents: 0, contacts: 0, messages: 0 }]);
    const [before] = await control('select xmin::text from usage_days where org_id = $1', [idle]);
    await control('update usage set agent_count = 7 where org_id = $1', [id]);
    await record();
    expect(await history(id)).toEqual([{ day: today, agents: 7, contacts: 2, messages: 3 }]);
    expect(await control('select xmin::text from usage_days where org_id = $1', [idle])).toEqual([before]);
  });

  test('counts no messages of a month that is over in the tenant’s zone', async () => {
    const id = await tenant({ name: 'last-month', messages: 9, month: '2020-01-01', timezone: 'Pacific/Kiritimati' });
    await record();
    expect(await history(id)).toMatchObject([{ messages: 0 }]);
  });

  test('goes back as far as is asked, oldest first, and 400 days at most', async () => {
    const id = await tenant({ name: 'long-standing' });
    for (const days of [401, 400, 399, 30, 29, 2]) await remember(id, days, days);
    await record();
    expect((await history(id)).map(({ day }) => day)).toEqual([29, 2, 0].map(dayBefore));
    expect((await history(id, 400)).map(({ day }) => day)).toEqual([399, 30, 29, 2, 0].map(dayBefore));
    expect((await history(id, 1)).map(({ day }) => day)).toEqual([dayBefore(0)]);
    expect(await control('select 1 as one from usage_days where day <= $1', [dayBefore(400)])).toEqual([]);
  });

  test('of the platform is the sum of all tenants', async () => {
    await record();
    const [sum] = await control(
      'select sum(agent_count)::int as agents, sum(contact_count)::int as contacts from usage',
    );
    await control(`insert into platform_usage_days values ($1, 5, 3000000000, 7), ($2, 1, 1, 1)`, [
      dayBefore(3),
      dayBefore(40),
    ]);
    const { data } = await admin.graphql('{ platformUsage(days: 30) { day agents contacts messages } }');
    expect(data.platformUsage).toEqual([
      { day: dayBefore(3), agents: 5, contacts: 2_147_483_647, messages: 7 },
      { day: dayBefore(0), ...sum, messages: expect.any(Number) },
    ]);
  });

  test('is that of a tenant, and of so many days as there can be', async () => {
    const id = '0198c0de-7b7a-7000-8000-000000000000';
    const { errors } = await admin.graphql(`{ usageHistory(tenantId: "${id}") { day } }`);
    expect(errors![0]!.extensions.code).toBe('NOT_FOUND');
    for (const days of [0, -1, 401]) {
      for (const question of [`usageHistory(tenantId: "${id}", days: ${days})`, `platformUsage(days: ${days})`]) {
        const { errors } = await admin.graphql(`{ ${question} { day } }`);
        expect(errors![0]!.extensions).toMatchObject({ code: 'VALIDATION_FAILED', details: [{ field: 'days' }] });
      }
    }
  });
});

describe('the standings', () => {
  interface Standing {
    tenant: { name: string };
    metric: string;
    used: number;
    limit: number;
    ratio: number;
    forecastDate: string | null;
  }

  const standings = async (args = ''): Promise<Standing[]> => {
    const query = `{ usageStandings${args} { tenant { name } metric used limit ratio forecastDate } }`;
    const { data, errors } = await admin.graphql(query);
    expect(errors).toBeUndefined();
    return data.usageStandings;
  };
  const brief = (all: Standing[]) => all.map(({ tenant, metric, ratio }) => `${tenant.name} ${metric} ${ratio}`);

  beforeAll(async () => {
    await control('delete from organizations');
    await tenant({ name: 'over', agents: 15, limits: { maxAgents: 10 } });
    await tenant({ name: 'none-allowed', agents: 1, limits: { maxAgents: 0, maxContacts: 0 } });
    const steady = { maxAgents: 100, maxContacts: 1000, maxMessagesMonth: 100 };
    const id = await tenant({ name: 'steady', agents: 90, contacts: 500, messages: 5, limits: steady });
    for (let days = 1; days < 30; days += 1) await remember(id, days, 90 - 2 * days, 500);
    await tenant({ name: 'new', agents: 8, limits: { maxAgents: 10 } });
    await tenant({ name: 'unlimited', agents: 8, contacts: 8, messages: 8 });
    await tenant({ name: 'shut', agents: 10, limits: { maxAgents: 10 }, status: 'suspended' });
    await tenant({ name: 'in-the-making', limits: { maxAgents: 0 }, status: 'provisioning' });
    await tenant({ name: 'stale', messages: 99, limits: { maxMessagesMonth: 100 }, month: '2020-01-01' });
    await record();
  });

  test('put the active tenant that is nearest to a limit first, once for each of its limits', async () => {
    expect(brief(await standings())).toEqual([
      'none-allowed AGENTS 2',
      'over AGENTS 1.5',
      'none-allowed CONTACTS 1',
      'steady AGENTS 0.9',
      'new AGENTS 0.8',
      'steady CONTACTS 0.5',
      'steady MESSAGES 0.05',
      'stale MESSAGES 0',
    ]);
  });

  test('are as many as are asked for, from the ratio on that is asked for', async () => {
    const all = brief(await standings());
    for (let first = 1; first <= all.length; first += 1) {
      expect(brief(await standings(`(first: ${first})`))).toEqual(all.slice(0, first));
    }
    expect(brief(await standings('(minRatio: 0.8)'))).toEqual(all.slice(0, 5));
    expect(brief(await standings('(minRatio: 0.9, first: 2)'))).toEqual(all.slice(0, 2));
    // Those of one limit are not crowded out by others.
    expect(brief(await standings('(metric: CONTACTS, first: 2)'))).toEqual([all[2], all[5]]);
    expect(brief(await standings('(metric: MESSAGES, first: 1, minRatio: 0.01)'))).toEqual([all[6]]);
    for (const args of ['(first: 0)', '(first: 501)', '(minRatio: -0.1)']) {
      const { errors } = await admin.graphql(`{ usageStandings${args} { used } }`);
      expect(errors![0]!.extensions.code).toBe('VALIDATION_FAILED');
    }
  });

  test('foretell when a limit is reached, where it is to be foretold', async () => {
    const dates = Object.fromEntries(
      (await standings()).map(({ tenant, metric, forecastDate }) => [`${tenant.name} ${metric}`, forecastDate]),
    );
    expect(dates).toMatchObject({
      'none-allowed AGENTS': dayBefore(0),
      'over AGENTS': dayBefore(0),
      'none-allowed CONTACTS': dayBefore(0),
      // Ten are left, and two come each day.
      'steady AGENTS': dayBefore(-5),
      'steady CONTACTS': null,
      'new AGENTS': null,
      'stale MESSAGES': null,
    });
  });

  test('say a tenant’s today where its limit is reached', async () => {
    const timezone = 'Pacific/Kiritimati';
    await tenant({ name: 'far-east', messages: 10, limits: { maxMessagesMonth: 10 }, timezone });
    const found = (await standings('(minRatio: 1)')).find(({ tenant }) => tenant.name === 'far-east');
    expect(found).toMatchObject({ metric: 'MESSAGES', used: 10, limit: 10, ratio: 1 });
    expect(found!.forecastDate).toBe(DateTime.now().setZone(timezone).toISODate());
  });

  test('of many tenants are the same as those that are worked out one by one', async () => {
    await insertTenants(app.databaseUrl, 300, {
      slug: "'many-' || n",
      limits: `jsonb_strip_nulls(jsonb_build_object('maxAgents', nullif(n % 7, 3), 'maxContacts', nullif(n % 11, 5) * 10))`,
    });
    await control('update usage set agent_count = mod(hashtext(org_id::text), 9) + 9, contact_count = 20');
    const rows = await control(
      `select o.slug, u.agent_count as agents, u.contact_count as contacts, u.messages_this_month as messages, o.limits,
              u.usage_month::text as month, u.timezone
         from organizations o join usage u on u.org_id = o.id where o.status = 'active'`,
    );
    const ratio = (used: number, limit: number | undefined) =>
      limit === undefined ? [] : [limit === 0 ? used + 1 : used / limit];
    const wished = rows
      .flatMap(({ agents, contacts, messages, limits, month, timezone }) => [
        ...ratio(agents, limits.maxAgents),
        ...ratio(contacts, limits.maxContacts),
        ...ratio(month === monthIn(timezone) ? messages : 0, limits.maxMessagesMonth),
      ])
      .sort((a, b) => b - a);
    for (const first of [1, 10, 77, 500]) {
      expect((await standings(`(first: ${first})`)).map((one) => one.ratio)).toEqual(wished.slice(0, first));
    }
  });
});
