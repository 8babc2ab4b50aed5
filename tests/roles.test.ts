/** What agents may do: three fixed roles, and those that a tenant makes. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Actor, agent, eventually, pagesOf, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startTwoApps, type TestApp, type TwoApps } from './support/app.ts';
import { expectError } from './support/errors.ts';
import { addUser } from './support/tenants.ts';

const ROLES = '/api/roles';
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

interface Role {
  id: string;
  name: string;
  is_system: boolean;
  permissions: string[];
  agent_count: number;
}
let made = 0;
const create = (change: object = {}, by = admin) =>
  by.rest('POST', ROLES, { name: `Role ${++made}`, permissions: ['logs.view'], ...change });
const created = async (permissions: string[] = ['logs.view']): Promise<Role> => (await create({ permissions })).body;
const patch = (id: string, change: object, by = admin) => by.rest('PATCH', `${ROLES}/${id}`, change);
async function holder(role: Role): Promise<Actor & { id: string }> {
  const email = `holder${++made}@acme.test`;
  const { body } = await admin.rest('POST', '/api/agents', {
    email,
    full_name: 'Holder',
    password: 'a password',
    role: role.name,
  });
  return Object.assign(await agent(here, email, 'a password'), { id: body.id });
}
const system = async (name: string): Promise<Role> =>
  (await admin.rest('GET', ROLES)).body.find((role: Role) => role.name === name);

test('every tenant has three, with fixed rights', async () => {
  const { body } = await admin.rest('GET', ROLES);
  const rights = Object.fromEntries(body.map(({ name, permissions }: Role) => [name, permissions]));
  const { body: all } = await admin.rest('GET', `${ROLES}/permissions`);
  expect(rights).toEqual({
    admin: all.map(({ code }: { code: string }) => code),
    supervisor: ['analytics.view', 'developer.access', 'divisions.manage', 'divisions.view', 'logs.view'],
    agent: [],
  });
  for (const { code, description } of all) {
    expect([code, description]).toEqual([
      expect.stringMatching(/^[a-z]+\.[a-z]+$/),
      expect.stringMatching(/^[A-Z].+\.$/),
    ]);
  }
  for (const { id } of body) {
    expectError(await patch(id, { permissions: [] }), 409, 'conflict');
    expectError(await admin.rest('DELETE', `${ROLES}/${id}`), 409, 'conflict');
  }
});

test('a role is made, read, changed and deleted', async () => {
  const { status, body, headers } = await create({
    name: ' Auditor ',
    description: 'Looks on',
    permissions: ['logs.view', 'logs.view', 'analytics.view'],
  });
  expect({ status, body }).toEqual({
    status: 201,
    body: {
      id: expect.any(String),
      name: 'Auditor',
      description: 'Looks on',
      is_system: false,
      permissions: ['analytics.view', 'logs.view'],
      agent_count: 0,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    },
  });
  expect(headers.get('location')).toBe(`${ROLES}/${body.id}`);
  expect((await admin.rest('GET', `${ROLES}/${body.id}`)).body).toEqual(body);
  expect((await patch(body.id, { description: null, permissions: ['logs.view'] })).body).toMatchObject({
    name: 'Auditor',
    permissions: ['logs.view'],
  });
  expect((await admin.rest('GET', `${ROLES}/${body.id}`)).body.description).toBeUndefined();
  expect((await admin.rest('DELETE', `${ROLES}/${body.id}`)).status).toBe(200);
  expectError(await admin.rest('GET', `${ROLES}/${body.id}`), 404, 'not_found');
});

test('the list comes in pages where that is asked for', async () => {
  await created();
  const whole = (await admin.rest('GET', ROLES)).body;
  expect((await pagesOf(admin, `${ROLES}?limit=1`)).flat()).toEqual(whole);
});

test.each([
  ['a name that a system role has', { name: 'ADMIN' }, 409, 'conflict', undefined],
  ['no name', { name: '' }, 400, 'validation_failed', ['name']],
  ['an unknown permission', { permissions: ['logs.view', 'everything'] }, 400, 'validation_failed', ['permissions[1]']],
  ['no list', { permissions: 'logs.view' }, 400, 'validation_failed', ['permissions']],
  ['nothing of permissions', { permissions: undefined }, 400, 'validation_failed', ['permissions']],
  ['to be a system role', { is_system: true }, 400, 'validation_failed', ['is_system']],
])('%s is refused and makes nothing', async (_, change, status, code, fields) => {
  const count = async () => (await admin.rest('GET', ROLES)).body.length;
  const before = await count();
  expectError(await create(change), status, code, fields);
  expect(await count()).toBe(before);
});

test('what a role allows holds on every process within a second, for tokens that there are', async () => {
  const role = await created([]);
  const person = await holder(role);
  const asks = () =>
    Promise.all([here, there].map((app) => new Actor(app.url, person.token).rest('GET', '/api/divisions')));
  expect((await asks()).map(({ status }) => status)).toEqual([403, 403]);
  await patch(role.id, { permissions: ['divisions.view'] });
  await eventually(asks, (found) => found.every(({ status }) => status === 200), WITHIN_MS);
  await patch(role.id, { permissions: [] });
  await eventually(asks, (found) => found.every(({ status }) => status === 403), WITHIN_MS);
});

describe('a role in use', () => {
  test('cannot be deleted, and says how many hold it', async () => {
    const role = await created();
    const holders = [await holder(role), await holder(role)];
    const answer = await admin.rest('DELETE', `${ROLES}/${role.id}`);
    expectError(answer, 409, 'conflict');
    expect(answer.body.error).toContain('held by 2 agents');
    expect((await admin.rest('GET', `${ROLES}/${role.id}`)).body.agent_count).toBe(2);
    for (const { id } of holders) await admin.rest('DELETE', `/api/agents/${id}`);
    expect((await admin.rest('DELETE', `${ROLES}/${role.id}`)).status).toBe(200);
  });

  test('or given at the same moment, is either given or deleted', async () => {
    const roles = await Promise.all(Array.from({ length: 10 }, () => created()));
    const people = await Promise.all(roles.map((_, n) => addUser(here, acme.id, { email: `race${n}@acme.test` })));
    for (const [n, role] of roles.entries()) {
      const [given, deleted] = await Promise.all([
        admin.rest('PATCH', `/api/agents/${people[n]!.id}`, { role: role.name }),
        admin.rest('DELETE', `${ROLES}/${role.id}`),
      ]);
      expect([
        [200, 409],
        [400, 200],
      ]).toContainEqual([given.status, deleted.status]);
    }
  });
});

describe('nobody grants what they do not have', () => {
  test('neither with a new role nor with a changed one', async () => {
    const person = await holder(await created(['roles.manage', 'logs.view']));
    expectError(await create({ permissions: ['settings.manage'] }, person), 403, 'forbidden');
    const own = (await create({ permissions: ['logs.view'] }, person)).body;
    expectError(await patch(own.id, { permissions: ['logs.view', 'settings.manage'] }, person), 403, 'forbidden');
    expect((await admin.rest('GET', `${ROLES}/${own.id}`)).body.permissions).toEqual(['logs.view']);
    // Nor is it theirs to take away.
    const bigger = await created(['settings.manage', 'logs.view']);
    expectError(await patch(bigger.id, { name: 'Smaller', permissions: [] }, person), 403, 'forbidden');
    expectError(await person.rest('DELETE', `${ROLES}/${bigger.id}`), 403, 'forbidden');
    expect((await admin.rest('GET', `${ROLES}/${bigger.id}`)).body).toEqual(bigger);
  });

  test('nor with an API key of fewer scopes', async () => {
    const { body } = await admin.rest('POST', '/api/api-keys', { name: 'k', scopes: ['roles.manage'] });
    const program = new Actor(here.url);
    const headers = { 'x-api-key': body.key };
    const asked = { name: 'From a key', permissions: ['logs.view'] };
    expectError(await program.rest('POST', ROLES, asked, headers), 403, 'forbidden');
    expect((await program.rest('POST', ROLES, { ...asked, permissions: [] }, headers)).status).toBe(201);
  });
});

test("another tenant's roles are not there", async () => {
  const stranger = await provision(root);
  const theirs = await agent(here, stranger.adminEmail, stranger.adminPassword);
  const { id } = await created();
  for (const answer of [
    await theirs.rest('GET', `${ROLES}/${id}`),
    await patch(id, { name: 'x' }, theirs),
    await theirs.rest('DELETE', `${ROLES}/${id}`),
  ]) {
    expectError(answer, 404, 'not_found');
  }
  const { body } = await theirs.rest('GET', ROLES);
  expect(body.map(({ name }: Role) => name)).toEqual(['admin', 'supervisor', 'agent']);
  expect((await system('agent')).id).not.toBe(body[2].id);
});
