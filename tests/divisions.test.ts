import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Actor, pagesOf, type Tenant } from './support/actors.ts';
import type { TestApp } from './support/app.ts';
import { ALL, type Companies, divisionsOf, INSTANT, NOBODY, ONE, startCompanies, UUID } from './support/divisions.ts';
import { expectError, expectGraphqlError } from './support/errors.ts';

let companies: Companies;
let app: TestApp;
let acme: Tenant;
let other: Tenant;
let admin: Actor;
let supervisor: Actor;
let stranger: Actor;
/** Agents of acme in the order in which they were made, the admin first. */
let people: string[];

beforeAll(async () => {
  companies = await startCompanies();
  ({ app, acme, other, admin, supervisor, stranger, people } = companies);
});
afterAll(() => companies?.app.stop());

/** A name of each test's own. */
let name: string;
let made = 0;
beforeEach(() => {
  name = `Division ${++made}`;
});

const { ask, create, createdId, get, update, remove, assign, unassign, members, rows, logged, clockZone } = divisionsOf(
  () => ({ ...companies, name }),
);

describe('a division', () => {
  test('is made with a name alone, and found at its address', async () => {
    const { status, headers, body } = await create();
    expect([status, headers.get('location')]).toEqual([201, `${ALL}/${body.id}`]);
    expect(body).toEqual({ id: UUID, name, agent_count: 0, created_at: INSTANT, updated_at: body.created_at });
    expect((await admin.rest('GET', headers.get('location')!)).body).toEqual({ ...body, agents: [] });
  });

  test('is made with a description and a timezone, each as it is spelt properly', async () => {
    const input = { name: `  ${name}\n`, description: ' Who sells. ', timezone: 'asia/JAKARTA' };
    const { body } = await create(input);
    expect(body).toMatchObject({ name, description: 'Who sells.', timezone: 'Asia/Jakarta' });
    expect((await get(body.id)).body).toEqual({ ...body, agents: [] });
    expect((await create({ name: `${name} b`, timezone: 'Asia/Calcutta' })).body.timezone).toBe('Asia/Calcutta');
    expect((await create({ name: `${name} c`, description: '  ' })).body).not.toHaveProperty('description');
  });

  test('keeps the hours of the organization, in its own timezone', async () => {
    const [here, there] = [await createdId(), await createdId({ name: `${name} b`, timezone: 'Asia/Jakarta' })];
    const monday = Date.parse('2026-03-02T01:00:00Z');
    const hours = await app.services.schedules.now(acme.id);
    expect([here, there].map((id) => hours.scope(id).clock.isOpen(monday))).toEqual([false, true]);
    expect(hours.scope(here).division).toEqual({ id: here, name });
  });

  test('leaves an entry in the activity log', async () => {
    const id = await createdId({ timezone: 'Asia/Jakarta' });
    expect(await logged(id)).toMatchObject([
      {
        action: 'division.create',
        target_type: 'division',
        actor_kind: 'agent',
        actor_id: people[0],
        actor_email: acme.adminEmail,
        before: null,
        after: { name, description: null, timezone: 'Asia/Jakarta' },
        address: '127.0.0.1',
      },
    ]);
  });

  test('has a name that no other one has, capitals or not', async () => {
    const id = await createdId({ name: `Ünïque ${name}` });
    for (const taken of [`Ünïque ${name}`, ` ünÏQUE ${name.toUpperCase()} `]) {
      const answer = await create({ name: taken });
      expectError(answer, 409, 'conflict');
      expect(answer.body.error).toBe('Another division already has this name.');
    }
    const document = 'mutation ($input: CreateDivisionInput!) { createDivision(input: $input) { id } }';
    expectGraphqlError(await admin.graphql(document, { input: { name: `ünïque ${name}` } }), 'CONFLICT');
    expect((await create({ name: `Ünïque ${name}` }, stranger)).status).toBe(201);
    await remove(id);
    expect((await create({ name: `Ünïque ${name}` })).status).toBe(201);
  });

  test('is made once, however many ask at the same moment', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) => create({ name: n % 2 ? name : name.toUpperCase() })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(409)]);
    const versions = `select from schedule_versions where lower(schedule->>'name') = lower($1)`;
    expect(await rows(versions, [name])).toHaveLength(1);
  });

  test.each([
    ['name', {}],
    ['name', { name: ' \t' }],
    ['name', { name: 'n'.repeat(201) }],
    ['name', { name: 'a\0b' }],
    ['name', { name: 7 }],
    ['description', { name: 'x', description: 'd'.repeat(1001) }],
    ['description', { name: 'x', description: null }],
    ['timezone', { name: 'x', timezone: 'Mars/Olympus' }],
    ['timezone', { name: 'x', timezone: '+07:00' }],
    ['timezone', { name: 'x', timezone: '' }],
    ['agent_count', { name: 'x', agent_count: 3 }],
  ])('is refused for its %s, case %#', async (field, body) => {
    expectError(await ask('POST', ALL, { body }), 400, 'validation_failed', [field]);
  });
});

describe('the list of divisions', () => {
  test('holds all in the order in which they were made, each with the number of its agents', async () => {
    const first = await createdId();
    const second = await createdId({ name: `${name} b`, description: 'The second' });
    await assign(second, people[0], people[2]);
    const { status, headers, body } = await ask('GET', ALL, { by: supervisor });
    expect([status, headers.get('link')]).toEqual([200, null]);
    expect(body.slice(-2)).toEqual([
      { id: first, name, agent_count: 0, created_at: INSTANT, updated_at: INSTANT },
      expect.objectContaining({ id: second, description: 'The second', agent_count: 2 }),
    ]);
    const ids = body.map(({ id }: { id: string }) => id);
    expect(ids).toEqual([...ids].sort());
  });

  test('comes in pages where that is asked for', async () => {
    for (let n = 0; n < 3; n++) await create({ name: `${name} ${n}` }, stranger);
    const whole = (await ask('GET', ALL, { by: stranger })).body;
    const paged = await pagesOf(stranger, `${ALL}?limit=2`);
    expect(paged.flat()).toEqual(whole);
    for (const query of ['?limit=0', '?limit=501', '?limit=x']) {
      expectError(await ask('GET', ALL, { query }), 400, 'validation_failed', ['limit']);
    }
    expectError(await ask('GET', ALL, { query: '?after=x' }), 400, 'validation_failed', ['after']);
  });

  /** The names of the statements that the tenant's database is asked meanwhile. */
  async function statements(work: () => Promise<unknown>): Promise<string[]> {
    const { tenants } = app.services;
    const { rows: original } = tenants;
    const asked: string[] = [];
    tenants.rows = ((...args: Parameters<typeof original>) => {
      asked.push(args[1].name);
      return original.apply(tenants, args);
    }) as typeof original;
    await work().finally(() => {
      tenants.rows = original;
    });
    // Neither is the request's own: one is the gatherer's, one what a process asks anew while its event log lags.
    return asked.filter((statement) => !['usage_counters', 'role_of_agent'].includes(statement));
  }

  test('takes one statement, and one more for the agents of all of them', async () => {
    await assign(await createdId(), people[1], people[3]);
    expect(await statements(() => ask('GET', ALL))).toEqual(['divisions']);
    const document = (fields: string) => () => supervisor.graphql(`{ divisions { id agentCount ${fields} } }`);
    expect(await statements(document(''))).toEqual(['divisions']);
    expect(await statements(document('agents { id role }'))).toEqual(['divisions', 'agents_of_divisions']);
    const { data } = await document('agents { id role }')();
    expect(data.divisions.at(-1)).toMatchObject({
      agentCount: 2,
      agents: [
        { id: people[1], role: 'supervisor' },
        { id: people[3], role: 'agent' },
      ],
    });
    for (const { agentCount, agents } of data.divisions) expect(agents).toHaveLength(agentCount);
    expect(await statements(() => get(data.divisions.at(-1).id))).toEqual(['division', 'agents_of_divisions']);
    expect(await statements(() => members(data.divisions.at(-1).id))).toEqual(['division_agents']);
  });
});

describe('changing a division', () => {
  test('changes what is given and leaves the rest', async () => {
    const { body } = await create({ description: 'Who sells.', timezone: 'Asia/Jakarta' });
    await assign(body.id, people[0]);
    const renamed = await update(body.id, { name: ` ${name} x ` }, supervisor);
    expect(renamed.body).toEqual({ ...body, name: `${name} x`, agent_count: 1, updated_at: INSTANT });
    expect(renamed.body.updated_at > body.updated_at).toBe(true);
    expect((await get(body.id)).body).toEqual({
      ...renamed.body,
      agents: [expect.objectContaining({ id: people[0] })],
    });
    const without = (await update(body.id, { description: null, timezone: null })).body;
    expect([without.description, without.timezone]).toEqual([undefined, undefined]);
    expect((await logged(body.id)).slice(2)).toMatchObject([
      {
        action: 'division.update',
        actor_id: people[1],
        before: { name, description: 'Who sells.', timezone: 'Asia/Jakarta' },
        after: { name: `${name} x`, description: 'Who sells.', timezone: 'Asia/Jakarta' },
      },
      { action: 'division.update', after: { name: `${name} x`, description: null, timezone: null } },
    ]);
  });

  test('changes its wall clock at once', async () => {
    const id = await createdId();
    expect(await clockZone(id)).toBe('UTC');
    for (const timezone of ['Asia/Jakarta', 'America/New_York', null]) {
      await update(id, { timezone });
      expect(await clockZone(id)).toBe(timezone ?? 'UTC');
    }
    await update(id, { name: `${name} x` });
    expect((await app.services.schedules.now(acme.id)).scope(id).division?.name).toBe(`${name} x`);
    const versions = 'select from schedule_versions where division_id = $1';
    expect(await rows(versions, [id])).toHaveLength(5);
    await update(id, { description: 'Not about hours' });
    expect(await rows(versions, [id])).toHaveLength(5);
  });

  test('to what it is already changes nothing', async () => {
    const { body } = await create({ description: 'Same', timezone: 'Asia/Jakarta' });
    for (const same of [{}, { name }, { description: ' Same ', timezone: 'ASIA/jakarta' }]) {
      expect((await update(body.id, same)).body).toEqual(body);
    }
    expect(await logged(body.id)).toHaveLength(1);
    expect((await get(body.id)).body.updated_at).toBe(body.updated_at);
  });

  test('takes its own name in other capitals, and no name of another one', async () => {
    const id = await createdId();
    expect((await update(id, { name: name.toUpperCase() })).body.name).toBe(name.toUpperCase());
    const second = await createdId({ name: `${name} b` });
    expectError(await update(second, { name, description: 'lost' }), 409, 'conflict');
    expect((await get(second)).body).not.toHaveProperty('description');
    expect(await logged(second)).toHaveLength(1);
  });

  test('over GraphQL: null removes what may be absent, and means nothing for the name', async () => {
    const id = await createdId({ description: 'gone soon', timezone: 'Asia/Jakarta' });
    const document = `mutation ($id: UUID!, $input: UpdateDivisionInput!) {
      updateDivision(id: $id, input: $input) { name description timezone agentCount agents { id } } }`;
    const input = { name: null, description: null, timezone: 'europe/paris' };
    const { data } = await admin.graphql(document, { id: id.toUpperCase(), input });
    expect(data.updateDivision).toEqual({
      name,
      description: null,
      timezone: 'Europe/Paris',
      agentCount: 0,
      agents: [],
    });
    expectGraphqlError(await admin.graphql(document, { id, input: { timezone: 'x' } }), 'VALIDATION_FAILED', [
      'timezone',
    ]);
  });

  test.each([
    ['name', { name: null }],
    ['name', { name: '' }],
    ['description', { description: 5 }],
    ['timezone', { timezone: 'Asia/Nowhere' }],
    ['agents', { agents: [] }],
  ])('is refused for the %s, case %#', async (field, body) => {
    expectError(await ask('PATCH', ONE, { id: NOBODY, body }), 400, 'validation_failed', [field]);
  });
});

describe('deleting a division', () => {
  test('takes its places, hours and exceptions along, and leaves its history and its agents', async () => {
    const id = await createdId({ timezone: 'Asia/Jakarta' });
    await assign(id, people[1], people[2]);
    await rows(
      `insert into working_hours (id, division_id, day_of_week, start_time, end_time, created_at, updated_at)
       values (gen_random_uuid(), $1, 1, '08:00', '12:00', now(), now())`,
      [id],
    );
    await rows(
      `insert into working_hours_exceptions (id, division_id, name, start_date, end_date, created_at, updated_at)
       values (gen_random_uuid(), $1, 'Off', '2026-05-01', '2026-05-01', now(), now())`,
      [id],
    );
    await app.services.schedules.now(acme.id);
    const { status, body } = await remove(id, supervisor);
    expect([status, body]).toEqual([200, { message: 'Division deleted' }]);
    for (const table of ['division_agents', 'working_hours', 'working_hours_exceptions']) {
      expect(await rows(`select from ${table} where division_id = $1`, [id])).toEqual([]);
    }
    const versions = await rows<{ schedule: unknown }>(
      'select schedule from schedule_versions where division_id = $1 order by seq',
      [id],
    );
    expect(versions).toEqual([{ schedule: expect.objectContaining({ name }) }, { schedule: null }]);
    await expect(clockZone(id)).rejects.toThrow('There is no such division.');
    expect(await rows('select from agents where id = any($1)', [people])).toHaveLength(people.length);
    expect((await logged(id)).at(-1)).toMatchObject({
      action: 'division.delete',
      actor_id: people[1],
      before: { name, description: null, timezone: 'Asia/Jakarta', agentIds: [people[1], people[2]] },
      after: null,
    });
    for (const answer of [await remove(id), await get(id), await update(id, { name }), await assign(id, people[0])]) {
      expectError(answer, 404, 'not_found');
    }
  });

  test('while agents are brought in and it is renamed ends each request cleanly', async () => {
    for (let round = 0; round < 8; round++) {
      const id = await createdId({ name: `${name} ${round}` });
      const answers = await Promise.all([
        assign(id, people[0], people[1]),
        unassign(id, people[0], people[2]),
        remove(id),
        assign(id, people[2]),
        update(id, { name: `${name} renamed ${round}` }),
        get(id),
        remove(id),
      ]);
      for (const { status } of answers) expect([200, 404]).toContain(status);
      expect([answers[2]!.status, answers[6]!.status].sort()).toEqual([200, 404]);
      expect(await rows('select from division_agents where division_id = $1', [id])).toEqual([]);
    }
  });
});

test('a repeated create with its Idempotency-Key makes one division', async () => {
  const post = () => admin.rest('POST', ALL, { name }, { 'idempotency-key': name.replace(' ', '-') });
  const [first, second] = [await post(), await post()];
  expect([second.status, second.body]).toEqual([201, first.body]);
  expect(second.headers.get('idempotent-replayed')).toBe('true');
  expect(second.headers.get('location')).toBe(`${ALL}/${first.body.id}`);
});

test('are as many as the memory of all gateways allows, with their hours: more are refused, and fewer are always taken', async () => {
  const change = (text: string) => app.services.tenants.rows<{ id: string }>(other.id, { name: '', text });
  await change(
    `insert into divisions (id, name, created_at, updated_at) select gen_random_uuid(), 'Many ' || n, now(), now()
       from generate_series(1, 5000) n`,
  );
  await change(
    `insert into working_hours_exceptions (id, division_id, name, start_date, end_date, created_at, updated_at)
       select gen_random_uuid(), d.id, 'Day', date '2030-01-01' + n, date '2030-01-01' + n, now(), now()
         from (select id from divisions where name like 'Many %' limit 10) d, generate_series(1, 500) n`,
  );
  const refused = [
    await ask('POST', ALL, { body: { name }, by: stranger }),
    await stranger.rest('POST', '/api/working-hours/exceptions', { name: 'One more', start_date: '2027-05-03' }),
  ];
  for (const answer of refused) {
    expectError(answer, 409, 'limit_reached');
    expect(answer.body.error).toContain('at most 50000 entries in all');
  }
  const [one] = await change(`select id from divisions where name = 'Many 5000'`);
  expect((await ask('DELETE', ONE, { id: one!.id, by: stranger })).status).toBe(200);
  await change(`delete from divisions where name like 'Many %'`);
  expect((await ask('POST', ALL, { body: { name }, by: stranger })).status).toBe(201);
});
