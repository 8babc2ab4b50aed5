import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Actor, type Answer, active, agent, anonymous, provision, superAdmin, type Tenant } from './support/actors.ts';
import { ApiDescription } from './support/api-description.ts';
import { startApp, type TestApp } from './support/app.ts';
import { expectError } from './support/errors.ts';
import { departures } from './support/seed-operations.ts';
import { type TenantSideOperation, tenantSideOperations } from './support/seed-tenant-side.ts';
import { addUser, holdProvisioning } from './support/tenants.ts';

const NOBODY = '00000000-0000-7000-8000-000000000000';
const guarded = tenantSideOperations.filter(({ title }) => !/^(Login|Register)/.test(title));
const withId = guarded.filter(({ path }) => path.includes('{id}'));

let app: TestApp;
let description: ApiDescription;
let root: Actor;
let tenant: Tenant;
let admin: Actor;
/** May nothing in particular. */
let plain: Actor;
let supervisor: Actor;
/** By title: what each operation answered to a request that is in order. */
const answers = new Map<string, Answer<unknown>>();
/** Ids for errors: the tenant's own people and roles. */
const ids: Record<string, string> = {};

const find = (title: string) => tenantSideOperations.find((operation) => operation.title === title)!;

/** Sends the documented request as it is documented, but for what is given. @returns the answer's body. */
// biome-ignore lint/suspicious/noExplicitAny: answers of every shape
async function ask(title: string, by: Actor, id = NOBODY, given: object = {}): Promise<any> {
  const { method, path, body: documented } = find(title);
  const body = documented && { ...documented, ...given };
  if (body) expect(description.requestErrors(method, path, body)).toEqual([]);
  const answer = await by.rest(method, path.replace('{id}', id), body);
  answers.set(title, answer);
  return answer.body;
}

beforeAll(async () => {
  app = await startApp();
  root = await superAdmin(app);
  description = new ApiDescription((await root.rest('GET', '/api/openapi.json')).body);
  tenant = await provision(root, { limits: { max_agents: 5 } });
  const { adminEmail: email, adminPassword: password, slug } = tenant;
  admin = await agent(app, email, password);
  const signIn = async (role: string) => {
    const user = await addUser(app, tenant.id, { email: `${role}@contract.test`, role });
    ids[role] = user.id;
    return agent(app, user.email, 'a password');
  };
  [plain, supervisor] = [await signIn('agent'), await signIn('supervisor')];

  const { token } = await ask('Login with email and password', anonymous(app), NOBODY, {
    email,
    password,
    tenant: slug,
  });
  const session = new Actor(app.url, token);
  ids.admin = (await ask('Get current agent profile', session)).id;
  await ask('Issue a fresh JWT for the current session', session);
  await ask('Logout (clears cookie)', session);
  const { org_id } = await ask('Register a new tenant organization', anonymous(app));

  const { id: division } = (await admin.rest('POST', '/api/divisions', { name: 'Sales' })).body;
  const { id } = await ask('Create a new agent', admin, NOBODY, { division_ids: [division] });
  await ask('Get an agent by ID', plain, id);
  await ask('Toggle agent online/offline status', admin, id);
  await ask('Update an agent', admin, id);
  await ask('List all agents', plain);
  await ask('Delete an agent', admin, id);

  const { id: role } = await ask('Create a custom role', admin);
  await ask('Get a single role with permissions', admin, role);
  await ask('Update a role', admin, role);
  await ask('List all roles with permissions', admin);
  await ask('List all available permissions', admin);
  await ask('Delete a custom role', admin, role);

  const { id: key } = await ask('Create a new API key', supervisor);
  await ask("List caller's API keys", supervisor);
  await ask('Revoke an API key', supervisor, key);
  await ask('List activity logs', supervisor);

  for (const { id, name } of (await admin.rest('GET', '/api/roles')).body) ids[`role ${name}`] = id;
  await active(root, org_id);
});
afterAll(() => app?.stop());

/** The names of all fields, at any depth, and whether a value is null. What changed is told as it is kept. */
function fieldsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(fieldsOf);
  if (value === null || typeof value !== 'object') return [];
  return Object.entries({ ...value, before: undefined, after: undefined }).flatMap(([name, member]) => [
    name,
    ...(member === null ? [`${name} is null`] : fieldsOf(member)),
  ]);
}

describe('an answer', () => {
  test.each(tenantSideOperations)('is as described and as is usual: $title', (operation) => {
    const { title, method, path, answer, located } = operation;
    const { status, headers, body } = answers.get(title)!;
    expect(body).not.toHaveProperty('error');
    const wanted = /^(Create|Register) a/.test(title) ? 201 : 200;
    expect([status, headers.get('content-type')]).toEqual([wanted, 'application/json; charset=utf-8']);
    expect(description.answerErrors(method, path, status, body)).toEqual([]);
    expect(departures(body, answer)).toEqual([]);
    expect(headers.get('location')).toBe(located ? `${path}/${(body as { id: string }).id}` : null);
  });

  test.each(tenantSideOperations)('has all that is required, in snake case and without null: $title', (operation) => {
    const { title, requiredInAnswer = [] } = operation;
    const { body } = answers.get(title)!;
    for (const item of [body].flat())
      expect(Object.keys(item as object)).toEqual(expect.arrayContaining(requiredInAnswer));
    for (const name of fieldsOf(body)) expect(name).toMatch(/^[a-z][a-z_]*$/);
  });

  test.each(tenantSideOperations.filter(({ located }) => located))('says where it is: $title', async ({ title }) => {
    const { headers } = answers.get(title)!;
    // What was made there has been deleted since.
    expectError(await admin.rest('GET', headers.get('location')!), 404, 'not_found');
  });

  test('to signing in and registering sets the cookie, and to signing out clears it', () => {
    const cookie = (title: string) => answers.get(title)!.headers.get('set-cookie');
    for (const title of ['Login with email and password', 'Register a new tenant organization']) {
      const { token } = answers.get(title)!.body as { token: string };
      expect(cookie(title)).toMatch(
        new RegExp(`^access_token=${token}; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax$`),
      );
    }
    expect(cookie('Logout (clears cookie)')).toMatch(/^access_token=; Max-Age=0; Path=\/; HttpOnly/);
  });

  test('leaves out what has no value', async () => {
    const [first] = answers.get('List all agents')!.body as object[];
    expect(first).not.toHaveProperty('last_seen_at');
    expect(answers.get('Update a role')!.body).not.toHaveProperty('description');
    const { body: key } = await supervisor.rest('POST', '/api/api-keys', { name: 'For ever', scopes: [] });
    expect(Object.keys(key).sort()).toEqual(['created_at', 'id', 'key', 'name', 'prefix', 'scopes']);
    expect(Object.keys((await supervisor.rest('GET', '/api/api-keys')).body[0])).toEqual(
      Object.keys(key).filter((name) => name !== 'key'),
    );
  });
});

describe('an error is as described', () => {
  const expectDescribed = (
    { method, path }: TenantSideOperation,
    answer: Answer<unknown>,
    status: number,
    code: string,
    fields?: string[],
  ) => {
    expectError(answer, status, code, fields);
    expect(description.answerErrors(method, path, status, answer.body)).toEqual([]);
  };
  const send = (by: Actor, { method, path, body }: TenantSideOperation, id = NOBODY) =>
    by.rest(method, path.replace('{id}', id), body);

  test.each(guarded)('without a token: $title', async (operation) => {
    expectDescribed(operation, await send(anonymous(app), operation), 401, 'unauthenticated');
  });

  test.each(guarded.filter(({ group }) => group !== 'Auth'))(
    "with a super admin's token: $title",
    async (operation) => {
      expectDescribed(operation, await send(root, operation), 403, 'forbidden');
    },
  );

  test.each(
    guarded.filter(({ group, title }) => /Roles|Keys|Logs/.test(group) || /^(Create|Delete|Update)/.test(title)),
  )('for an agent who may not: $title', async (operation) => {
    expectDescribed(operation, await send(plain, operation), 403, 'forbidden');
  });

  test.each(withId)('with an id that is none: $title', async (operation) => {
    expectDescribed(operation, await send(admin, operation, 'acme'), 400, 'validation_failed', ['id']);
  });

  test.each(withId)('with an id that nothing has: $title', async (operation) => {
    expectDescribed(operation, await send(admin, operation), 404, 'not_found');
  });

  test.each(tenantSideOperations.filter(({ body }) => body))(
    'with a field that it does not know: $title',
    async (operation) => {
      const answer = await send(admin, { ...operation, body: { ...operation.body, extra: 1 } });
      expectDescribed(operation, answer, 400, 'validation_failed', ['extra']);
    },
  );

  type Wrong = [title: string, given: object, field: string];
  test.each<Wrong>([
    ['Login with email and password', { email: 1 }, 'email'],
    ['Login with email and password', { password: 'x'.repeat(1025) }, 'password'],
    ['Register a new tenant organization', { org_name: ' ' }, 'org_name'],
    ['Register a new tenant organization', { admin_email: 'nobody' }, 'admin_email'],
    ['Register a new tenant organization', { admin_password: '12345' }, 'admin_password'],
    ['Create a new agent', { email: 'nobody' }, 'email'],
    ['Create a new agent', { full_name: '' }, 'full_name'],
    ['Create a new agent', { password: '1234567' }, 'password'],
    ['Create a new agent', { role: 'emperor' }, 'role'],
    ['Create a new agent', { division_ids: [NOBODY] }, 'division_ids[0]'],
    ['Update an agent', { email: 'nobody' }, 'email'],
    ['Update an agent', { role: 'emperor' }, 'role'],
    ['Update an agent', { is_active: 'yes' }, 'is_active'],
    ['Toggle agent online/offline status', { is_online: undefined }, 'is_online'],
    ['Create a custom role', { name: '' }, 'name'],
    ['Create a custom role', { permissions: ['divisions.view', 'world.rule'] }, 'permissions[1]'],
    ['Update a role', { permissions: ['world.rule'] }, 'permissions[0]'],
    ['Create a new API key', { name: '' }, 'name'],
    ['Create a new API key', { scopes: ['world.rule'] }, 'scopes[0]'],
    ['Create a new API key', { expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
    ['Create a new API key', { expires_at: 'tomorrow' }, 'expires_at'],
  ])('where a field is wrong: %s with %j', async (title, given, field) => {
    const operation = find(title);
    const answer = await send(admin, { ...operation, body: { ...operation.body, ...given } }, ids.agent);
    expectDescribed(operation, answer, 400, 'validation_failed', [field]);
  });

  test.each(['limit=0', 'limit=501', 'after=first', 'online=perhaps', 'division_id=sales'])(
    'where the list of agents is asked for with %s',
    async (query) => {
      const operation = find('List all agents');
      const answer = await admin.rest('GET', `${operation.path}?${query}`);
      expectDescribed(operation, answer, 400, 'validation_failed', [query.split('=')[0]!]);
    },
  );

  type Refused = [
    title: string,
    by: string,
    id: string | undefined,
    body: object | undefined,
    status: number,
    code: string,
  ];
  test.each<Refused>([
    ['Toggle agent online/offline status', 'plain', 'supervisor', undefined, 403, 'forbidden'],
    ['Create a new API key', 'supervisor', undefined, { name: 'Key', scopes: ['roles.manage'] }, 403, 'forbidden'],
    ['Create a new agent', 'admin', undefined, { email: 'AGENT@contract.test' }, 409, 'email_taken'],
    ['Update an agent', 'admin', 'agent', { email: 'Supervisor@contract.test' }, 409, 'email_taken'],
    ['Update an agent', 'admin', 'admin', { email: undefined, role: 'agent' }, 409, 'last_admin'],
    ['Delete an agent', 'admin', 'admin', undefined, 409, 'cannot_delete_self'],
    ['Create a custom role', 'admin', undefined, { name: 'SUPERVISOR' }, 409, 'conflict'],
    ['Update a role', 'admin', 'role agent', undefined, 409, 'conflict'],
    ['Delete a custom role', 'admin', 'role agent', undefined, 409, 'conflict'],
  ])('where it cannot be: %s by %s, of %s, with %j', async (title, by, id, given, status, code) => {
    const operation = find(title);
    const body = operation.body && { ...operation.body, ...given };
    const answer = await send({ plain, supervisor, admin }[by]!, { ...operation, body }, id && ids[id]);
    expectDescribed(operation, answer, status, code);
  });

  test('where a role is held: it says by how many', async () => {
    const { body: role } = await admin.rest('POST', '/api/roles', { name: 'Held', permissions: [] });
    const change = (name: string) => admin.rest('PATCH', `/api/agents/${ids.agent}`, { role: name });
    expect((await change('Held')).body.role).toBe('Held');
    const operation = find('Delete a custom role');
    const answer = await send(admin, operation, role.id);
    expectDescribed(operation, answer, 409, 'conflict');
    expect(answer.body.error).toMatch(/held by one agent/);
    expect((await change('agent')).status).toBe(200);
    expect((await send(admin, operation, role.id)).status).toBe(200);
  });

  test('where there are as many agents as there may be', async () => {
    const operation = find('Create a new agent');
    const statuses: number[] = [];
    for (const number of [1, 2, 3]) {
      const body = { ...operation.body, email: `${number}@contract.test` };
      const answer = await send(admin, { ...operation, body });
      statuses.push(answer.status);
      if (number === 3) expectDescribed(operation, answer, 409, 'limit_reached');
    }
    expect(statuses).toEqual([201, 201, 409]);
  });

  test('of signing in', async () => {
    const operation = find('Login with email and password');
    const login = (email: string, password: string) =>
      send(anonymous(app), { ...operation, body: { email, password } });
    expectDescribed(operation, await login(tenant.adminEmail, 'a wrong one'), 401, 'unauthenticated');
    const other = await provision(root);
    await addUser(app, other.id, { email: 'agent@contract.test' });
    expectDescribed(operation, await login('agent@contract.test', 'a password'), 409, 'tenant_required');
    const { id, email } = await addUser(app, other.id, { email: 'shut@contract.test' });
    const token = await agent(app, email, 'a password');
    await root.rest('POST', `/api/super-admin/users/${id}/suspend?tenant_id=${other.id}`);
    expectDescribed(operation, await login(email, 'a password'), 403, 'user_suspended');
    expectDescribed(
      find('Get current agent profile'),
      await send(token, find('Get current agent profile')),
      403,
      'user_suspended',
    );
    await root.rest('DELETE', `/api/super-admin/tenants/${other.id}`);
    expectDescribed(operation, await login(other.adminEmail, other.adminPassword), 403, 'tenant_suspended');
  });

  test.each(['Logout (clears cookie)', 'Issue a fresh JWT for the current session'])(
    'for an API key: %s',
    async (title) => {
      const { body } = await supervisor.rest('POST', '/api/api-keys', { name: title, scopes: [] });
      const { method, path } = find(title);
      const answer = await anonymous(app).rest(method, path, undefined, { 'x-api-key': body.key });
      expectDescribed(find(title), answer, 403, 'forbidden');
    },
  );

  test('while the organization is being set up, in every answer that needs its data', async () => {
    holdProvisioning(app);
    const register = find('Register a new tenant organization');
    const body = { ...register.body, org_name: 'Never ready', admin_email: 'never@contract.test' };
    const { token } = (await send(anonymous(app), { ...register, body })).body;
    const early = new Actor(app.url, token);
    for (const operation of guarded.filter(({ group }) => group !== 'Auth')) {
      const answer = await send(early, operation);
      expectDescribed(operation, answer, 409, 'tenant_not_ready');
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect((await send(early, find('Get current agent profile'))).body.org_status).toBe('provisioning');
  });
});
