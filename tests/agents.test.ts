/** The people of a tenant, as its own admins look after them. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type Actor,
  agent,
  anonymous,
  eventually,
  pagesOf,
  provision,
  superAdmin,
  type Tenant,
} from './support/actors.ts';
import { AGENTS, agentsOf, idOf, PASSWORD } from './support/agents.ts';
import { startTwoApps, type TestApp, type TwoApps } from './support/app.ts';
import { sql } from './support/database.ts';
import { expectError } from './support/errors.ts';

const NOBODY = '00000000-0000-7000-8000-000000000000';
const WITHIN_MS = 1000;

let apps: TwoApps;
let here: TestApp;
let there: TestApp;
let root: Actor;
let acme: Tenant;
let stranger: Tenant;
let admin: Actor;

beforeAll(async () => {
  apps = await startTwoApps();
  ({ here, there } = apps);
  root = await superAdmin(here);
  [acme, stranger] = [await provision(root), await provision(root)];
  admin = await agent(here, acme.adminEmail, acme.adminPassword);
});
afterAll(() => apps?.stop());

const { wanted, create, created, login, patch, log } = agentsOf(() => ({ here, admin }));

describe('creating', () => {
  test('makes somebody who may sign in at once, with a role and divisions', async () => {
    const { body: sales } = await admin.rest('POST', '/api/divisions', { name: 'Sales' });
    const given = { email: 'first@acme.test', full_name: 'The First' };
    const { status, body, headers } = await create({
      ...given,
      role: 'Supervisor',
      division_ids: [sales.id, sales.id],
    });
    expect({ status, body }).toEqual({
      status: 201,
      body: {
        id: expect.any(String),
        ...given,
        role: 'supervisor',
        role_id: expect.any(String),
        is_online: false,
        is_active: true,
        divisions: [{ id: sales.id, name: 'Sales' }],
        created_at: expect.any(String),
        updated_at: expect.any(String),
      },
    });
    expect(headers.get('location')).toBe(`${AGENTS}/${body.id}`);
    expect((await admin.rest('GET', `${AGENTS}/${body.id}`)).body).toEqual(body);
    expect((await (await login(body, there)).rest('GET', '/api/divisions')).status).toBe(200);
    expect(await log(acme, body.id)).toEqual([
      {
        action: 'agent.create',
        before: null,
        after: { email: body.email, fullName: body.full_name, role: 'supervisor', divisionIds: [sales.id] },
      },
    ]);
  });

  test('of an address that is taken, whatever its capitals, is 409; another tenant may have it', async () => {
    const { email } = await created();
    expectError(await create({ email: email.toUpperCase() }), 409, 'email_taken');
    const theirs = await agent(here, stranger.adminEmail, stranger.adminPassword);
    expect((await create({ email }, theirs)).status).toBe(201);
  });

  test('ten at once of one address make one', async () => {
    const email = 'ten@acme.test';
    const answers = await Promise.all(Array.from({ length: 10 }, () => create({ email })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(409)]);
    expect((await admin.rest('GET', `${AGENTS}?search=${email}`)).body).toHaveLength(1);
  });

  test('fifty at once against a limit of ten leave exactly ten', async () => {
    const tenant = await provision(root, { limits: { max_agents: 10 } });
    const by = await agent(here, tenant.adminEmail, tenant.adminPassword);
    const answers = await Promise.all(Array.from({ length: 50 }, () => create({}, by)));
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused).toHaveLength(41);
    for (const answer of refused) expectError(answer, 409, 'limit_reached');
    expect((await by.rest('GET', AGENTS)).body).toHaveLength(10);
    // Nobody has an account without being an agent.
    expect(await sql(here.databaseUrl, 'select id from identities where org_id = $1', [tenant.id])).toHaveLength(10);
  });

  test('many at once of one address with Idempotency-Keys make one, soon, and nothing besides', async () => {
    const email = 'keyed@acme.test';
    const ask = (_: unknown, n: number) =>
      admin.rest('POST', AGENTS, wanted({ email }), { 'idempotency-key': `keyed-${n}` });
    const answers = await Promise.all(Array.from({ length: 20 }, ask));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)]);
    const [{ id }] = (await admin.rest('GET', `${AGENTS}?search=${email}`)).body;
    expect(await log(acme, id)).toHaveLength(1);
    const rows = await here.services.tenants.rows(acme.id, { name: '', text: 'select from agents where email = $1' }, [
      email,
    ]);
    expect(rows).toHaveLength(1);
  });

  test('never takes the place of somebody whose account has another address', async () => {
    const { id } = await created();
    const email = 'torn@acme.test';
    // As a crash in the middle of a change of address leaves it.
    await here.services.tenants.rows(acme.id, { name: '', text: 'update agents set email = $2 where id = $1' }, [
      id,
      email,
    ]);
    expectError(await create({ email }), 409, 'email_taken');
    expect((await admin.rest('GET', `${AGENTS}/${id}`)).status).toBe(200);
  });

  test('completes what a crash left: an agent whose account was never made', async () => {
    const { id, email } = await created();
    await sql(here.databaseUrl, 'delete from identities where id = $1', [id]);
    const again = await create({ email });
    expect(again.status).toBe(201);
    expect((await admin.rest('GET', `${AGENTS}?search=${email}`)).body.map((one: { id: string }) => one.id)).toEqual([
      again.body.id,
    ]);
    await login({ email });
  });

  test.each([
    ['no address', { email: 'nobody' }, ['email']],
    ['no name', { full_name: '' }, ['full_name']],
    ['a short password', { password: 'short' }, ['password']],
    ['an endless password', { password: 'x'.repeat(2000) }, ['password']],
    ['an unknown role', { role: 'king' }, ['role']],
    ['an unknown division', { division_ids: [NOBODY] }, ['division_ids[0]']],
    ['no list of divisions', { division_ids: 'all' }, ['division_ids']],
    ['something else', { is_admin: true }, ['is_admin']],
  ])('with %s is 400 and makes nobody', async (_, change, fields) => {
    const count = async () => (await admin.rest('GET', AGENTS)).body.length;
    const before = await count();
    expectError(await create(change), 400, 'validation_failed', fields);
    expect(await count()).toBe(before);
  });
});

describe('the list', () => {
  test('is narrowed by text, role, division and being online, and comes in pages', async () => {
    const { body: night } = await admin.rest('POST', '/api/divisions', { name: 'Night' });
    const wilma = await created({ full_name: 'Wilma 100%', division_ids: [night.id] });
    const fred = await created({ full_name: 'Fred', role: 'supervisor', division_ids: [night.id] });
    await (await login(fred)).rest('PATCH', `${AGENTS}/${fred.id}/status`, { is_online: true });
    const ids = async (query: string) =>
      (await admin.rest('GET', `${AGENTS}?${query}`)).body.map((one: { id: string }) => one.id);
    expect(await ids('search=100%25')).toEqual([wilma.id]);
    expect(await ids(`search=${fred.email.toUpperCase()}`)).toEqual([fred.id]);
    expect(await ids(`division_id=${night.id}`)).toEqual([wilma.id, fred.id]);
    expect(await ids(`division_id=${night.id}&role=SUPERVISOR`)).toEqual([fred.id]);
    expect(await ids(`division_id=${night.id}&online=true`)).toEqual([fred.id]);
    expect(await ids(`division_id=${night.id}&online=false`)).toEqual([wilma.id]);
    expect(await ids(`division_id=${NOBODY}`)).toEqual([]);
    const whole = (await admin.rest('GET', AGENTS)).body;
    expect((await pagesOf(admin, `${AGENTS}?limit=2`)).flat()).toEqual(whole);
    for (const [query, field] of [
      ['online=yes', 'online'],
      ['division_id=x', 'division_id'],
      ['limit=0', 'limit'],
    ] as const) {
      expectError(await admin.rest('GET', `${AGENTS}?${query}`), 400, 'validation_failed', [field]);
    }
  });

  test('asks once for all divisions and once for all accounts', async () => {
    const { data } = await admin.graphql('{ agents { id isActive divisions { name } } }');
    expect(data.agents.length).toBeGreaterThan(5);
    const seen: string[] = [];
    const { rows } = here.services.tenants;
    here.services.tenants.rows = ((...args: Parameters<typeof rows>) => {
      seen.push(args[1].name);
      return rows.apply(here.services.tenants, args);
    }) as typeof rows;
    await admin.graphql('{ agents { id isActive divisions { name } } }');
    here.services.tenants.rows = rows;
    expect(seen.filter((name) => name !== 'usage_counters')).toEqual(['agents', 'divisions_of_agents']);
  });
});

describe('updating', () => {
  test('changes what is named and nothing else', async () => {
    const { id } = await created();
    const before = (await admin.rest('GET', `${AGENTS}/${id}`)).body;
    const { body } = await patch(id, { full_name: 'New Name' });
    expect(body).toEqual({ ...before, full_name: 'New Name', updated_at: expect.any(String) });
    const [, entry] = await log(acme, id);
    expect(entry).toMatchObject({
      action: 'agent.update',
      before: { fullName: before.full_name },
      after: { fullName: 'New Name' },
    });
    await patch(id, {});
    await patch(id, { full_name: 'New Name' });
    expect(await log(acme, id)).toHaveLength(2);
  });

  test('a role holds on every process within a second, for the token that there is', async () => {
    const someone = await created({ role: 'supervisor' });
    const { token } = await login(someone);
    const asks = () =>
      Promise.all(
        [here, there].map((app) =>
          anonymous(app).rest('GET', '/api/divisions', undefined, { authorization: `Bearer ${token}` }),
        ),
      );
    expect((await asks()).map(({ status }) => status)).toEqual([200, 200]);
    await patch(someone.id, { role: 'agent' });
    await eventually(asks, (answers) => answers.every(({ status }) => status === 403), WITHIN_MS);
    await patch(someone.id, { role: 'supervisor' });
    await eventually(asks, (answers) => answers.every(({ status }) => status === 200), WITHIN_MS);
  });

  test('a role is lost on every process although nobody could be told of it at that moment', async () => {
    const someone = await created({ role: 'supervisor' });
    const { token } = await login(someone);
    const asks = () =>
      Promise.all(
        [here, there].map((app) =>
          anonymous(app).rest('GET', '/api/divisions', undefined, { authorization: `Bearer ${token}` }),
        ),
      );
    expect((await asks()).map(({ status }) => status)).toEqual([200, 200]);
    const { rows } = here.services.tenants;
    // As by a process that died between its two commits.
    await rows.call(here.services.tenants, acme.id, {
      name: '',
      text: `update agents set role_id = (select id from roles where name = 'agent'), updated_at = now() where id = '${someone.id}'`,
    });
    await eventually(asks, (answers) => answers.every(({ status }) => status === 403), 5000);
  });

  test('a new password ends their sessions; being deactivated keeps them out', async () => {
    const someone = await created();
    const first = await login(someone);
    const answer = () => first.rest('GET', '/api/auth/me');
    await patch(someone.id, { password: 'another password' });
    await eventually(answer, ({ status }) => status === 401, WITHIN_MS);
    const second = await agent(here, someone.email, 'another password');
    await second.rest('PATCH', `${AGENTS}/${someone.id}/status`, { is_online: true });
    expect((await patch(someone.id, { is_active: false })).body).toMatchObject({ is_active: false, is_online: false });
    await eventually(
      () => second.rest('GET', '/api/auth/me'),
      ({ status }) => status === 403,
      WITHIN_MS,
    );
    const credentials = { email: someone.email, password: 'another password' };
    expectError(await anonymous(here).rest('POST', '/api/auth/login', credentials), 403, 'user_suspended');
    expect((await patch(someone.id, { is_active: true })).body.is_active).toBe(true);
    await agent(here, someone.email, 'another password');
  });

  test('what the control plane did not commit of it is in no log, and what it did is told among the activities', async () => {
    const someone = await created();
    const told = async () => {
      const { body } = await admin.rest('GET', `/api/activity-logs?target_id=${someone.id}&action=agent.update`);
      return body.map(({ before, after }: { before: object; after: object }) => ({ before, after }));
    };
    const control = (text: string) => sql(here.databaseUrl, text);
    await control(
      `create function refuse() returns trigger language plpgsql as $$ begin raise 'no room'; end $$;
       create constraint trigger refuse after update on identities deferrable initially deferred
         for each row when (new.id = '${someone.id}') execute function refuse()`,
    );
    try {
      expect((await patch(someone.id, { is_active: false })).status).toBe(500);
    } finally {
      await control('drop trigger refuse on identities; drop function refuse()');
    }
    await login(someone);
    expect(await told()).toEqual([]);
    await patch(someone.id, { is_active: false, password: 'another password' });
    expect(await told()).toEqual([{ before: { is_active: true }, after: { is_active: false, password: 'changed' } }]);
  });

  test('an address goes to both places, and is 409 where it is taken', async () => {
    const [one, other] = [await created(), await created()];
    expectError(await patch(one.id, { email: other.email }), 409, 'email_taken');
    expect((await admin.rest('GET', `${AGENTS}/${one.id}`)).body.email).toBe(one.email);
    const email = 'moved@acme.test';
    expect((await patch(one.id, { email })).body.email).toBe(email);
    await login({ email });
  });

  test.each([
    ['an unknown role', { role: 'king' }, ['role']],
    ['no name', { full_name: ' ' }, ['full_name']],
    ['a null name', { full_name: null }, ['full_name']],
    ['yes for true', { is_active: 'yes' }, ['is_active']],
  ])('%s is 400', async (_, change, fields) => {
    const { id } = await created();
    expectError(await patch(id, change), 400, 'validation_failed', fields);
  });
});

describe('deleting', () => {
  test('ends everything but the name', async () => {
    const someone = await created({ role: 'supervisor' });
    const person = await login(someone);
    expect((await admin.rest('DELETE', `${AGENTS}/${someone.id}`)).status).toBe(200);
    await eventually(
      () => person.rest('GET', '/api/auth/me'),
      ({ status }) => status === 401,
      WITHIN_MS,
    );
    expectError(await admin.rest('GET', `${AGENTS}/${someone.id}`), 404, 'not_found');
    expectError(await admin.rest('DELETE', `${AGENTS}/${someone.id}`), 404, 'not_found');
    const credentials = { email: someone.email, password: PASSWORD };
    expectError(await anonymous(here).rest('POST', '/api/auth/login', credentials), 401, 'unauthenticated');
    // The address is free again.
    expect((await create({ email: someone.email })).status).toBe(201);
  });

  test('completes what a crash left: an account whose agent is gone', async () => {
    const someone = await created();
    await here.services.tenants.rows(
      acme.id,
      { name: '', text: 'update agents set deleted_at = now() where id = $1' },
      [someone.id],
    );
    expect((await admin.rest('DELETE', `${AGENTS}/${someone.id}`)).status).toBe(200);
    expect((await create({ email: someone.email })).status).toBe(201);
  });

  test('is not for oneself', async () => {
    expectError(await admin.rest('DELETE', `${AGENTS}/${idOf(admin)}`), 409, 'cannot_delete_self');
  });
});

describe('being online', () => {
  test('is said by oneself, or by who manages agents, and kept with the time', async () => {
    const someone = await created();
    const person = await login(someone);
    const set = (by: Actor, is_online: unknown, id = someone.id) =>
      by.rest('PATCH', `${AGENTS}/${id}/status`, { is_online });
    const { body } = await set(person, true);
    expect(body).toMatchObject({ is_online: true, last_seen_at: expect.any(String) });
    expect((await set(admin, false)).body).toMatchObject({ is_online: false, updated_at: body.updated_at });
    expectError(await set(person, true, idOf(admin)), 403, 'forbidden');
    expectError(await set(person, true, NOBODY), 404, 'not_found');
    expectError(await set(person, 'yes'), 400, 'validation_failed', ['is_online']);
    expect((await log(acme, someone.id)).map(({ action }) => action)).toEqual([
      'agent.create',
      'agent.status',
      'agent.status',
    ]);
  });
});
