/** Keys that programs act with for the agent who made them. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { REVOCATION_KEPT_HOURS } from '../src/domain/revocations.ts';
import { publish } from '../src/live/event-log.ts';
import { Actor, agent, anonymous, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startTwoApps, type TestApp, type TwoApps } from './support/app.ts';
import { sql } from './support/database.ts';
import { expectError, expectGraphqlError } from './support/errors.ts';
import { addUser } from './support/tenants.ts';
import { decode } from './support/tokens.ts';

const KEYS = '/api/api-keys';
const WITHIN_MS = 1000;

let apps: TwoApps;
let here: TestApp;
let there: TestApp;
let root: Actor;
let acme: Tenant;
let admin: Actor;

beforeAll(async () => {
  apps = await startTwoApps();
  ({ here, there } = apps);
  root = await superAdmin(here);
  acme = await provision(root);
  admin = await agent(here, acme.adminEmail, acme.adminPassword);
});
afterAll(() => apps?.stop());

let made = 0;
async function supervisor(tenant = acme): Promise<Actor & { id: string; email: string }> {
  const { id, email } = await addUser(here, tenant.id, { email: `sup${++made}@acme.test`, role: 'supervisor' });
  return Object.assign(await agent(here, email, 'a password'), { id, email });
}
const create = (by: Actor, change: object = {}) =>
  by.rest('POST', KEYS, { name: 'CI', scopes: ['divisions.view', 'divisions.manage'], ...change });
const ask = (key: string, method = 'GET', path = '/api/auth/me', app = here, body?: object) =>
  anonymous(app).rest(method, path, body, { 'x-api-key': key });
const expectDead = async (key: string, status = 401, code = 'unauthenticated') => {
  const start = performance.now();
  for (const app of [here, there]) {
    const answer = await eventually(
      () => ask(key, 'GET', '/api/auth/me', app),
      (found) => found.status !== 200,
      WITHIN_MS,
    );
    expectError(answer, status, code);
  }
  expect(performance.now() - start).toBeLessThan(WITHIN_MS);
};
const expectAlive = async (key: string) => {
  for (const app of [here, there]) expect((await ask(key, 'GET', '/api/auth/me', app)).status).toBe(200);
};

let hoursAhead = 0;
/** Somebody's session ends, by the processes' clock so many hours after whatever was revoked before. */
async function signOutLater(hours: number): Promise<void> {
  const heard = async () => {
    const [{ newest }] = (await sql<{ newest: string }>(here.databaseUrl, 'select max(seq) as newest from events')) as [
      { newest: string },
    ];
    const behind = async () => [here, there].filter(({ services }) => services.bus.seq < Number(newest));
    await eventually(behind, ({ length }) => length === 0);
  };
  await heard();
  hoursAhead += hours;
  const { now } = Date;
  for (const { services } of [here, there]) services.clock.stop();
  const clock = jest.spyOn(Date, 'now').mockImplementation(() => now() + hoursAhead * 3_600_000);
  try {
    const signedOut = { subjectId: randomUUID(), version: 1, reason: 'signed_out' } as const;
    await here.services.control.orm.em.fork().transactional((em) => publish(em, 'revocation', signedOut));
    await heard();
  } finally {
    clock.mockRestore();
    for (const { services } of [here, there]) await services.clock.start();
  }
}

test('a key is shown once, stored hashed, and known by its beginning', async () => {
  const person = await supervisor();
  const { status, body } = await create(person);
  expect({ status, body }).toEqual({
    status: 201,
    body: {
      id: expect.any(String),
      name: 'CI',
      prefix: expect.stringMatching(/^osk_[0-9a-f]{8}$/),
      scopes: ['divisions.view', 'divisions.manage'],
      created_at: expect.any(String),
      key: expect.stringMatching(/^osk_[0-9a-f]{8}_[\w-]{43}$/),
    },
  });
  expect(body.key.startsWith(body.prefix)).toBe(true);
  const { key, ...rest } = body;
  expect((await person.rest('GET', KEYS)).body).toEqual([rest]);
  expect((await admin.rest('GET', KEYS)).body).toEqual([]);
  const everything = await sql<{ row: string }>(
    here.databaseUrl,
    'select k::text as row from api_keys k union all select e::text from audit_entries e',
  );
  expect(everything.filter(({ row }) => row.includes(key.slice(13)))).toEqual([]);
});

test('it does what its scopes and the role of its maker both allow, over REST and GraphQL', async () => {
  const person = await supervisor();
  const { key } = (await create(person, { scopes: ['divisions.view'] })).body;
  await expectAlive(key);
  expect((await ask(key)).body).toMatchObject({
    id: person.id,
    permissions: ['divisions.view'],
    api_key: { name: 'CI' },
  });
  expect((await ask(key, 'GET', '/api/divisions')).status).toBe(200);
  expectError(await ask(key, 'POST', '/api/divisions', here, { name: 'x' }), 403, 'forbidden');
  const { body } = await ask(key, 'POST', '/graphql', here, { query: '{ divisions { id } apiKeys { id } }' });
  expectGraphqlError(body, 'FORBIDDEN');
  await admin.rest('PATCH', `/api/agents/${person.id}`, { role: 'agent' });
  const answers = () => Promise.all([here, there].map((app) => ask(key, 'GET', '/api/divisions', app)));
  await eventually(answers, (found) => found.every(({ status }) => status === 403), WITHIN_MS);
});

test('what it does is told of the key, on behalf of its maker', async () => {
  const person = await supervisor();
  const { id, key } = (await create(person)).body;
  const { body } = await ask(key, 'POST', '/api/divisions', here, { name: 'Made by a program' });
  const [entry] = await here.services.tenants.rows<object>(
    acme.id,
    { name: '', text: 'select actor_kind, actor_id, on_behalf_of from activity_log where target_id = $1' },
    [body.id],
  );
  expect(entry).toEqual({ actor_kind: 'api_key', actor_id: id, on_behalf_of: person.id });
});

test('a tenant whose row says that it is shut is shut, though nothing was told of it; and open as soon as it says so', async () => {
  const tenant = await provision(root);
  const { token } = await agent(here, tenant.adminEmail, tenant.adminPassword);
  const status = async (wished: string) => {
    await sql(here.databaseUrl, 'update organizations set status = $2 where id = $1', [tenant.id, wished]);
    return new Actor(there.url, token).rest('GET', '/api/divisions');
  };
  expectError(await status('suspended'), 403, 'tenant_suspended');
  expect((await status('active')).status).toBe(200);
});

describe('it is dead everywhere within a second', () => {
  test('when it is revoked', async () => {
    const person = await supervisor();
    const { id, key } = (await create(person)).body;
    await expectAlive(key);
    expect((await person.rest('DELETE', `${KEYS}/${id}`)).status).toBe(200);
    await expectDead(key);
    expectError(await person.rest('DELETE', `${KEYS}/${id}`), 404, 'not_found');
  });

  test('when its maker is deleted', async () => {
    const person = await supervisor();
    const { key } = (await create(person)).body;
    await expectAlive(key);
    await admin.rest('DELETE', `/api/agents/${person.id}`);
    await expectDead(key);
    expect(await sql(here.databaseUrl, 'select from api_keys where maker_id = $1', [person.id])).toEqual([]);
  });

  test('while its maker or its tenant is suspended, and lives on after it', async () => {
    const tenant = await provision(root);
    const person = await supervisor(tenant);
    const { key } = (await create(person)).body;
    const user = (action: string) =>
      root.rest('POST', `/api/super-admin/users/${person.id}/${action}?tenant_id=${tenant.id}`);
    await expectAlive(key);
    await user('suspend');
    await expectDead(key, 403, 'user_suspended');
    await user('activate');
    await expectAlive(key);
    await root.rest('DELETE', `/api/super-admin/tenants/${tenant.id}`);
    await expectDead(key, 403, 'tenant_suspended');
    await root.rest('PATCH', `/api/super-admin/tenants/${tenant.id}`, { status: 'active' });
    await expectAlive(key);
    await root.rest('POST', `/api/super-admin/users/${person.id}/reset-password?tenant_id=${tenant.id}`, {
      new_password: 'another password',
    });
    await expectAlive(key);
  });

  test.each(['user_suspended', 'tenant_suspended'])(
    'and stays so by %s, though nobody asked until the revocation itself was long forgotten',
    async (code) => {
      const tenant = await provision(root);
      const person = await supervisor(tenant);
      const { key } = (await create(person)).body;
      await expectAlive(key);
      await (code === 'user_suspended'
        ? root.rest('POST', `/api/super-admin/users/${person.id}/suspend?tenant_id=${tenant.id}`)
        : root.rest('DELETE', `/api/super-admin/tenants/${tenant.id}`));
      await signOutLater(REVOCATION_KEPT_HOURS + 1);
      await expectDead(key, 403, code);
    },
  );

  test('when it expires', async () => {
    const person = await supervisor();
    const { key } = (await create(person, { expires_at: new Date(Date.now() + 1500).toISOString() })).body;
    await expectAlive(key);
    await eventually(
      () => ask(key),
      ({ status }) => status === 401,
      3000,
    );
  });

  test('also where the connection that tells of it was cut', async () => {
    const person = await supervisor();
    const { id, key } = (await create(person)).body;
    await expectAlive(key);
    await sql(
      here.databaseUrl,
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'omnistream events' and datname = current_database()`,
    );
    await person.rest('DELETE', `${KEYS}/${id}`);
    await expectDead(key);
  });
});

test.each([
  ['nothing', ''],
  ['no key', 'nonsense'],
  ['one that was made up', `osk_00000000_${'x'.repeat(43)}`],
  ['one with a blank in it', `osk_00000000_ ${'x'.repeat(42)}`],
  ['one that is too long', `osk_00000000_${'x'.repeat(4000)}`],
])('%s as a key is refused, whatever cookie comes along', async (_, key) => {
  const headers = { 'x-api-key': key, cookie: `access_token=${admin.token}` };
  expectError(await anonymous(here).rest('GET', '/api/auth/me', undefined, headers), 401, 'unauthenticated');
});

test('a bearer token beside it decides', async () => {
  const { key } = (await create(await supervisor())).body;
  const { body } = await admin.rest('GET', '/api/auth/me', undefined, { 'x-api-key': key });
  expect(body.id).toBe(decode(admin.token!).claims.sub);
});

test.each([
  ['a scope that the maker lacks', { scopes: ['settings.manage'] }, 403, 'forbidden', undefined],
  ['an unknown scope', { scopes: ['divisions.view', 'everything'] }, 400, 'validation_failed', ['scopes[1]']],
  ['no name', { name: '' }, 400, 'validation_failed', ['name']],
  ['an end that was', { expires_at: '2020-01-01T00:00:00Z' }, 400, 'validation_failed', ['expires_at']],
  ['an end that is none', { expires_at: 'tomorrow' }, 400, 'validation_failed', ['expires_at']],
])('%s is refused and makes nothing', async (_, change, status, code, fields) => {
  const person = await supervisor();
  expectError(await create(person, change), status, code, fields);
  expect((await person.rest('GET', KEYS)).body).toEqual([]);
});

test("a key makes no keys, and nobody's but its maker's is seen or revoked, unless by who manages agents", async () => {
  const [person, other] = [await supervisor(), await supervisor()];
  const { id, key } = (await create(person, { scopes: ['developer.access'] })).body;
  expect((await ask(key, 'GET', KEYS)).body).toHaveLength(1);
  expectError(await ask(key, 'POST', KEYS, here, { name: 'x', scopes: [] }), 403, 'forbidden');
  expectError(await ask(key, 'DELETE', `${KEYS}/${id}`), 403, 'forbidden');
  expectError(await other.rest('DELETE', `${KEYS}/${id}`), 404, 'not_found');
  const stranger = await provision(root);
  const theirs = await agent(here, stranger.adminEmail, stranger.adminPassword);
  expectError(await theirs.rest('DELETE', `${KEYS}/${id}`), 404, 'not_found');
  await expectAlive(key);
  expect((await admin.rest('DELETE', `${KEYS}/${id}`)).status).toBe(200);
});

test('who impersonates sees the keys, and makes none that would outlive it', async () => {
  const { body } = await root.rest('POST', `/api/super-admin/tenants/${acme.id}/impersonate`);
  const headers = { authorization: `Bearer ${body.token}` };
  expect((await anonymous(here).rest('GET', KEYS, undefined, headers)).status).toBe(200);
  expectError(await anonymous(here).rest('POST', KEYS, { name: 'x', scopes: [] }, headers), 403, 'forbidden');
});

test('an agent has at most 100', async () => {
  const person = await supervisor();
  const answers = await Promise.all(Array.from({ length: 105 }, () => create(person, { scopes: [] })));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(100);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(5);
});

test('tells when it was used last', async () => {
  const person = await supervisor();
  const { key } = (await create(person)).body;
  await ask(key);
  await here.services.lastUse.flush();
  const [row] = (await person.rest('GET', KEYS)).body;
  expect(Date.now() - Date.parse(row.last_used_at)).toBeLessThan(60_000);
});

test('a key with every scope gives its maker no password', async () => {
  const scopes = (await admin.rest('GET', '/api/auth/me')).body.permissions;
  const { key } = (await create(admin, { scopes })).body;
  const path = `/api/agents/${decode(admin.token!).claims.sub}`;
  expectError(await ask(key, 'PATCH', path, here, { password: 'a way around' }), 403, 'forbidden');
  expect((await ask(key, 'PATCH', path, here, { full_name: 'Still the admin' })).status).toBe(200);
  await agent(here, acme.adminEmail, acme.adminPassword);
});
