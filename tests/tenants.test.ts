import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Actor, eventually, provision, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { expectError, expectGraphqlError } from './support/errors.ts';
import { holdProvisioning } from './support/tenants.ts';

const TENANTS = '/api/super-admin/tenants';

/** A gateway whose tenants stay in provisioning, and one that makes them. */
let stuck: TestApp;
let app: TestApp;
let stuckAdmin: Actor;
let admin: Actor;

beforeAll(async () => {
  [stuck, app] = await Promise.all([startApp(), startApp()]);
  holdProvisioning(stuck);
  [stuckAdmin, admin] = await Promise.all([superAdmin(stuck), superAdmin(app)]);
});
afterAll(() => Promise.all([stuck?.stop(), app?.stop()]));

let made = 0;
const newSlug = () => `made-${++made}`;
const create = (input: object, by = stuckAdmin) =>
  by.rest('POST', TENANTS, { name: 'Some Company', slug: newSlug(), ...input });
const patch = (id: string, changes: object, by = stuckAdmin) => by.rest('PATCH', `${TENANTS}/${id}`, changes);
const viaGraphql = (input: object, by = stuckAdmin) =>
  by.graphql(
    `mutation ($input: ProvisionTenantInput!) {
       provisionTenant(input: $input) { id name slug country status limits { maxAgents maxContacts maxMessagesMonth } }
     }`,
    { input: { name: 'Some Company', slug: newSlug(), ...input } },
  );

describe('a new tenant', () => {
  test.each([
    ['a name of one character', { name: 'X' }],
    ['a name of 200 characters', { name: 'é'.repeat(200) }],
    ['a name of 200 characters outside the basic plane', { name: '🌱'.repeat(200) }],
    ['a name with quotes, percent signs and backslashes', { name: `O'Neill "100%" \\ ; -- $1` }],
    ['a slug of 3 characters', { slug: 'a-1' }],
    ['a slug of 63 characters', { slug: `a${'b'.repeat(62)}` }],
    ['a slug that only begins like a reserved word', { slug: 'admins' }],
    ['a country', { country: 'ID' }],
    ['no limits at all', { limits: {} }],
    ['the smallest limits', { limits: { max_agents: 0, max_contacts: 0, max_messages_month: 0 } }],
    ['the largest limit', { limits: { max_messages_month: 2147483647 } }],
  ])('may have %s', async (_, input) => {
    const { status, body } = await create(input);
    expect({ status, body }).toMatchObject({
      status: 201,
      body: { ...input, status: 'provisioning', schema_version: 0 },
    });
    const { body: read } = await stuckAdmin.rest('GET', `${TENANTS}/${body.id}`);
    expect(read).toEqual(body);
  });

  test('has a name without the blanks around it', async () => {
    expect((await create({ name: ' \t Acme  Corp \n' })).body.name).toBe('Acme  Corp');
    expect((await viaGraphql({ name: ' \u00a0Acme ' })).data.provisionTenant.name).toBe('Acme');
  });

  test('shows what it lacks by leaving it out, and in GraphQL as null', async () => {
    const { body } = await create({});
    expect(Object.keys(body).sort()).toEqual(
      ['created_at', 'id', 'limits', 'mongo_database', 'name', 'schema_version', 'slug', 'status', 'updated_at'].sort(),
    );
    expect(body.limits).toEqual({});
    const { data } = await viaGraphql({ country: null, limits: { maxAgents: 3, maxContacts: null } });
    expect(data.provisionTenant).toMatchObject({
      country: null,
      limits: { maxAgents: 3, maxContacts: null, maxMessagesMonth: null },
    });
  });

  test.each<[field: string, value: string]>([
    ['name', ''],
    ['name', ' \n '],
    ['name', 'x'.repeat(201)],
    ['name', 'broken \ud800 surrogate'],
    ...['ab', 'a'.repeat(64), '1abc', '-abc', 'abc-', 'Abc', 'a_b', 'a b', 'été', 'abc\n', '', '../x', 'a%00b'].map(
      (slug): [string, string] => ['slug', slug],
    ),
    ...['www', 'api', 'admin', 'postgres', 'template0', 'template1'].map((slug): [string, string] => ['slug', slug]),
    ['country', 'id'],
    ['country', 'XX'],
    ['country', 'IDN'],
    ['country', ''],
    ['admin_email', 'nobody'],
    ['admin_email', `${'a'.repeat(250)}@x.test`],
    ['admin_password', '7 chars'],
    ['admin_password', 'x'.repeat(1025)],
  ])('is refused with the %s %j', async (field, value) => {
    const complete = field.startsWith('admin') ? { admin_email: 'a@b.test', admin_password: 'long enough' } : {};
    expectError(await create({ ...complete, [field]: value }), 400, 'validation_failed', [field]);
    const camel = field.replace(/_e/, 'E').replace(/_p/, 'P');
    const spelt = field.startsWith('admin') ? { adminEmail: 'a@b.test', adminPassword: 'long enough' } : {};
    expectGraphqlError(await viaGraphql({ ...spelt, [camel]: value }), 'VALIDATION_FAILED', [camel]);
  });

  test.each([
    ['limits.max_agents', { max_agents: -1 }],
    ['limits.max_agents', { max_agents: 2147483648 }],
    ['limits.max_contacts', { max_contacts: 1.5 }],
    ['limits.max_contacts', { max_contacts: '10' }],
    ['limits.max_messages_month', { max_messages_month: null }],
    ['limits.max_users', { max_users: 1 }],
    ['limits', []],
    ['limits', 5],
    ['limits', null],
  ])('is refused where %s is wrong in %j', async (field, limits) => {
    expectError(await create({ limits }), 400, 'validation_failed', [field]);
  });

  test("takes its first admin's e-mail address and password together or not at all", async () => {
    expectError(await create({ admin_email: 'a@b.test' }), 400, 'validation_failed', ['admin_password']);
    expectError(await create({ admin_password: 'long enough' }), 400, 'validation_failed', ['admin_email']);
    expectGraphqlError(await viaGraphql({ adminEmail: 'a@b.test', adminPassword: null }), 'VALIDATION_FAILED', [
      'adminPassword',
    ]);
  });

  test('has a slug that nobody else has: of twenty at once one gets it', async () => {
    const slug = newSlug();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => create({ slug, name: `Racer ${n}` })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused).toHaveLength(19);
    for (const answer of refused) expectError(answer, 409, 'slug_taken');
    expectGraphqlError(await viaGraphql({ slug }), 'SLUG_TAKEN');
  });

  test('has a document database named after its slug, of at most 63 bytes, unlike any other', async () => {
    const stem = `a${'b'.repeat(58)}`;
    const slugs = ['short-slug', stem, `${stem}c`, `${stem}cc`, `${stem}ccc`, `${stem}ccd`];
    const names: string[] = [];
    for (const slug of slugs) names.push((await create({ slug })).body.mongo_database);
    expect(names.slice(0, 2)).toEqual(['crm_short-slug', `crm_${stem}`]);
    expect(new Set(names).size).toBe(slugs.length);
    for (const name of names) expect(name).toMatch(/^crm_[a-z0-9_-]{1,59}$/);
  });
});

describe('a tenant that is being provisioned', () => {
  test('may change its name and limits, but not its status', async () => {
    const { body: tenant } = await create({});
    const changed = await patch(tenant.id, { name: ' New name ', limits: { max_agents: 5 } });
    expect(changed).toMatchObject({
      status: 200,
      body: { name: 'New name', limits: { max_agents: 5 }, status: 'provisioning' },
    });
    for (const status of ['active', 'suspended']) {
      expectError(await patch(tenant.id, { status, name: 'Not this' }), 409, 'tenant_not_ready');
    }
    expectError(await stuckAdmin.rest('DELETE', `${TENANTS}/${tenant.id}`), 409, 'tenant_not_ready');
    expect((await stuckAdmin.rest('GET', `${TENANTS}/${tenant.id}`)).body).toEqual(changed.body);
  });
});

describe('changing a tenant', () => {
  let id: string;
  beforeAll(async () => {
    ({ id } = await provision(admin, { limits: { max_agents: 5, max_contacts: 10 } }));
  });

  test('merges limits: a key given is set, one that is null goes, another stays', async () => {
    const limits = async (value: object | null) => (await patch(id, { limits: value }, admin)).body.limits;
    expect(await limits({ max_agents: 7, max_contacts: null })).toEqual({ max_agents: 7 });
    expect(await limits({ max_messages_month: 0 })).toEqual({ max_agents: 7, max_messages_month: 0 });
    expect(await limits({})).toEqual({ max_agents: 7, max_messages_month: 0 });
    expect(await limits(null)).toEqual({});
    const { data } = await admin.graphql(
      'mutation ($id: UUID!) { updateTenant(id: $id, input: { name: null, status: null, limits: { maxAgents: 2 } }) { limits { maxAgents maxContacts } } }',
      { id },
    );
    expect(data.updateTenant.limits).toEqual({ maxAgents: 2, maxContacts: null });
  });

  test('keeps what several change at the same moment', async () => {
    const keys = ['max_agents', 'max_contacts', 'max_messages_month'];
    await patch(id, { limits: null }, admin);
    await Promise.all(keys.map((key, n) => patch(id, { limits: { [key]: n + 1 } }, admin)));
    const { body } = await admin.rest('GET', `${TENANTS}/${id}`);
    expect(body.limits).toEqual({ max_agents: 1, max_contacts: 2, max_messages_month: 3 });
  });

  test('moves updated_at and nothing that was not named', async () => {
    const before = (await admin.rest('GET', `${TENANTS}/${id}`)).body;
    const { body } = await patch(id, { name: 'Renamed' }, admin);
    expect(body).toEqual({ ...before, name: 'Renamed', updated_at: body.updated_at });
    expect(Date.parse(body.updated_at)).toBeGreaterThan(Date.parse(before.updated_at));
  });

  test('with an empty object changes nothing', async () => {
    const before = (await admin.rest('GET', `${TENANTS}/${id}`)).body;
    expect(await patch(id, {}, admin)).toMatchObject({ status: 200, body: before });
  });

  test.each<[string, object]>([
    ['slug', { slug: 'another' }],
    ['country', { country: 'ID' }],
    ['mongo_database', { mongo_database: 'crm_x' }],
    ['status', { status: 'provisioning' }],
    ['status', { status: 'ACTIVE' }],
    ['name', { name: null }],
    ['limits.max_agents', { limits: { max_agents: -1 } }],
  ])('refuses %s as in %j', async (field, changes) => {
    expectError(await patch(id, changes, admin), 400, 'validation_failed', [field]);
  });

  test('answers 404 for a tenant that is not there', async () => {
    const nobody = `${TENANTS}/00000000-0000-7000-8000-000000000000`;
    expectError(await admin.rest('GET', nobody), 404, 'not_found');
    expectError(await admin.rest('PATCH', nobody, { name: 'X' }), 404, 'not_found');
    expectError(await admin.rest('DELETE', nobody), 404, 'not_found');
    expectError(await admin.rest('POST', `${nobody}/impersonate`), 404, 'not_found');
    expectGraphqlError(
      await admin.graphql('{ tenant(id: "00000000-0000-7000-8000-000000000000") { id } }'),
      'NOT_FOUND',
    );
  });
});

describe('suspending a tenant', () => {
  test('answers the same however often it is done, and PATCH takes it back', async () => {
    const { id } = await provision(admin);
    const status = async () => (await admin.rest('GET', `${TENANTS}/${id}`)).body.status;
    for (let time = 0; time < 3; time++) {
      expect(await admin.rest('DELETE', `${TENANTS}/${id}`)).toMatchObject({
        status: 200,
        body: { status: 'suspended' },
      });
      expect(await status()).toBe('suspended');
    }
    for (let time = 0; time < 2; time++) {
      expect(await patch(id, { status: 'active' }, admin)).toMatchObject({ status: 200, body: { status: 'active' } });
    }
    const { data } = await admin.graphql('mutation ($id: UUID!) { suspendTenant(id: $id) { status } }', { id });
    expect(data.suspendTenant.status).toBe('SUSPENDED');
    expect((await patch(id, { status: 'suspended' }, admin)).body.status).toBe('suspended');
    const restored = await admin.graphql(
      'mutation ($id: UUID!) { updateTenant(id: $id, input: { status: ACTIVE }) { status } }',
      { id },
    );
    expect(restored.data.updateTenant.status).toBe('ACTIVE');
  });

  test('leaves its data where it was', async () => {
    const tenant = await provision(admin);
    await admin.rest('DELETE', `${TENANTS}/${tenant.id}`);
    const users = await admin.rest('GET', `/api/super-admin/users?tenant_id=${tenant.id}`);
    expect(users.body).toEqual([expect.objectContaining({ email: tenant.adminEmail, role: 'admin' })]);
    const usage = await eventually(
      () => admin.graphql('query ($id: UUID!) { tenant(id: $id) { usage { agentCount } } }', { id: tenant.id }),
      ({ data }) => data.tenant.usage.agentCount === 1,
    );
    expect(usage.errors).toBeUndefined();
  });
});
