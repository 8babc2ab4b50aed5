import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Actor, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { sql } from './support/database.ts';
import { expectError, expectGraphqlError } from './support/errors.ts';
import { contentOfTenant } from './support/tenant-content.ts';

const USERS = '/api/super-admin/users';
const TENANTS = '/api/super-admin/tenants';
const NOBODY = '00000000-0000-7000-8000-000000000000';
const PASSWORD = 'a telling password';

let app: TestApp;
let root: Actor;
let acme: Tenant;

beforeAll(async () => {
  app = await startApp();
  root = await superAdmin(app);
  acme = await provision(root);
});
afterAll(() => app?.stop());

let made = 0;
const wanted = (input: object = {}) => ({ email: `added${++made}@acme.test`, password: PASSWORD, ...input });
const add = (tenant: { id: string }, body: object, headers = {}) =>
  root.rest('POST', `${USERS}?tenant_id=${tenant.id}`, body, headers);
const list = async ({ id }: Tenant) => (await root.rest('GET', `${USERS}?tenant_id=${id}`)).body;
const empty = () => provision(root, { admin_email: undefined, admin_password: undefined });
const entries = () => sql(app.databaseUrl, `select from audit_entries where action = 'user.create'`);

describe('an admin whom a super admin adds', () => {
  test('to a tenant that was made without one signs in, and makes everybody else', async () => {
    const tenant = await empty();
    expect(await list(tenant)).toEqual([]);
    const input = wanted({ full_name: 'Ayu Lestari' });
    const { status, body } = await add(tenant, input);
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.any(String),
      email: input.email,
      full_name: 'Ayu Lestari',
      role: 'admin',
      is_online: false,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(await list(tenant)).toEqual([body]);
    const ayu = await agent(app, input.email, PASSWORD);
    expect((await ayu.rest('POST', '/api/agents', { ...wanted(), full_name: 'Made by Ayu' })).status).toBe(201);
    const query = `{ tenant(id: "${tenant.id}") { usage { agentCount } } }`;
    const usage = async () => (await root.graphql(query)).data.tenant.usage.agentCount;
    expect(await eventually(usage, (count) => count === 2)).toBe(2);
  });

  test('over GraphQL, and beside others, is called Admin unless said', async () => {
    const input = wanted();
    const { data } = await root.graphql(
      `mutation ($tenantId: UUID!, $input: CreateTenantAdminInput!) {
         createTenantAdmin(tenantId: $tenantId, input: $input) { email fullName role isActive }
       }`,
      { tenantId: acme.id, input },
    );
    expect(data.createTenantAdmin).toEqual({ email: input.email, fullName: 'Admin', role: 'admin', isActive: true });
    expect((await agent(app, input.email, PASSWORD)).token).toBeDefined();
  });

  test('is in the log of the platform and in that of the tenant, without the password', async () => {
    const { email } = wanted();
    const { body } = await add(acme, { email, password: PASSWORD, full_name: 'Logged' }, { 'x-request-id': 'added' });
    const inBoth = await Promise.all([
      sql(app.databaseUrl, `select * from audit_entries where request_id = 'added'`),
      app.services.tenants.rows(acme.id, { name: '', text: `select * from activity_log where request_id = 'added'` }),
    ]);
    const by = { actor_kind: 'super_admin', actor_email: 'root@platform.test', on_behalf_of: null, target_id: body.id };
    expect(inBoth).toEqual([
      [
        expect.objectContaining({
          ...by,
          action: 'user.create',
          org_id: acme.id,
          target_type: 'user',
          after: { email, fullName: 'Logged', role: 'admin' },
        }),
      ],
      [
        expect.objectContaining({
          ...by,
          action: 'agent.create',
          target_type: 'agent',
          after: { email, fullName: 'Logged', role: 'admin', divisionIds: [] },
        }),
      ],
    ]);
    expect(JSON.stringify(inBoth)).not.toMatch(/telling|argon/);
  });

  test('is made once, however often it is asked for with one Idempotency-Key', async () => {
    const before = (await entries()).length;
    const body = wanted();
    const answers = await Promise.all([1, 2, 3].map(() => add(acme, body, { 'idempotency-key': 'added-once' })));
    expect(answers.map(({ status, body }) => [status, body])).toEqual(Array(3).fill([201, answers[0]!.body]));
    expect(await entries()).toHaveLength(before + 1);
  });

  test('waits while the tenant is between two servers', async () => {
    app.services.tenants.hold(acme.id);
    const answer = add(acme, wanted());
    try {
      expect(await Promise.race([answer, new Promise((tell) => setTimeout(tell, 300, 'waits'))])).toBe('waits');
    } finally {
      app.services.tenants.release(acme.id);
    }
    expect((await answer).status).toBe(201);
  });
});

describe('admins who are added at once', () => {
  test('of one address are one; of another tenant they are others', async () => {
    const body = wanted();
    const answers = await Promise.all([1, 2, 3].map(() => add(acme, body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    for (const answer of answers) if (answer.status !== 201) expectError(answer, 409, 'email_taken');
    expect((await list(acme)).filter(({ email }: { email: string }) => email === body.email)).toHaveLength(1);
    expect((await add(await empty(), body)).status).toBe(201);
  });

  test('for the last place under a limit are one, and nothing is left of the others', async () => {
    const tenant = await provision(root, { limits: { max_agents: 2 } });
    const before = (await entries()).length;
    const answers = await Promise.all([1, 2, 3].map(() => add(tenant, wanted())));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    for (const answer of answers) if (answer.status !== 201) expectError(answer, 409, 'limit_reached');
    expect(await list(tenant)).toHaveLength(2);
    expect(await sql(app.databaseUrl, 'select from identities where org_id = $1', [tenant.id])).toHaveLength(2);
    expect(await entries()).toHaveLength(before + 1);
  });
});

describe('adding an admin changes nothing', () => {
  /** Answered so, and everything is as it was. */
  async function refused(tenant: Tenant, ask: () => Promise<unknown>): Promise<void> {
    const before = [await contentOfTenant(app, tenant.id), await entries()];
    await ask();
    expect([await contentOfTenant(app, tenant.id), await entries()]).toEqual(before);
  }

  test('where the input is wrong', () =>
    refused(acme, async () => {
      const wrong: [body: object, field: string][] = [
        [wanted({ email: 'nobody' }), 'email'],
        [wanted({ password: '1234567' }), 'password'],
        [wanted({ full_name: '' }), 'full_name'],
        [wanted({ role: 'agent' }), 'role'],
        [{ email: 'a@acme.test' }, 'password'],
        [{ password: PASSWORD }, 'email'],
      ];
      for (const [body, field] of wrong) expectError(await add(acme, body), 400, 'validation_failed', [field]);
      expectError(await root.rest('POST', USERS, wanted()), 400, 'validation_failed', ['tenant_id']);
      expectError(await add({ id: 'acme' }, wanted()), 400, 'validation_failed', ['tenant_id']);
    }));

  test('where there is no such tenant', () =>
    refused(acme, async () => {
      expectError(await add({ id: NOBODY }, wanted()), 404, 'not_found');
      const query = `mutation { createTenantAdmin(tenantId: "${NOBODY}", input: { email: "a@b.test", password: "${PASSWORD}" }) { id } }`;
      expectGraphqlError(await root.graphql(query), 'NOT_FOUND');
    }));

  test('where the address is taken, whatever its capitals', () =>
    refused(acme, async () =>
      expectError(await add(acme, wanted({ email: acme.adminEmail.toUpperCase() })), 409, 'email_taken'),
    ));

  test('where the limit of agents is reached', async () => {
    const full = await provision(root, { limits: { max_agents: 1 } });
    await refused(full, async () => expectError(await add(full, wanted()), 409, 'limit_reached'));
  });

  test('where the tenant is suspended', async () => {
    const tenant = await empty();
    await root.rest('DELETE', `${TENANTS}/${tenant.id}`);
    await refused(tenant, async () => expectError(await add(tenant, wanted()), 409, 'tenant_not_ready'));
    await root.rest('PATCH', `${TENANTS}/${tenant.id}`, { status: 'active' });
    expect((await add(tenant, wanted())).status).toBe(201);
  });

  describe('where meanwhile', () => {
    /** What is asked for waits for the tenant until that was done. */
    async function meanwhile(tenant: Tenant, asking: Promise<unknown>, done: () => Promise<unknown>): Promise<void> {
      try {
        expect(await Promise.race([asking, new Promise((tell) => setTimeout(tell, 500, 'waits'))])).toBe('waits');
        await done();
      } finally {
        app.services.tenants.release(tenant.id);
      }
    }

    test('the tenant was suspended', async () => {
      const tenant = await empty();
      const before = await entries();
      app.services.tenants.hold(tenant.id);
      const answer = add(tenant, wanted());
      await meanwhile(tenant, answer, () => root.rest('DELETE', `${TENANTS}/${tenant.id}`));
      expectError(await answer, 409, 'tenant_not_ready');
      expect([await list(tenant), await entries()]).toEqual([[], before]);
    });

    test('whoever asks was deleted', async () => {
      const other = { email: 'leaving@platform.test', name: 'Leaving', password: PASSWORD };
      const { body } = await root.rest('POST', '/api/super-admin/admins', other);
      const leaving = await superAdmin(app, { email: other.email, password: PASSWORD });
      await refused(acme, async () => {
        app.services.tenants.hold(acme.id);
        const answer = leaving.rest('POST', `${USERS}?tenant_id=${acme.id}`, wanted());
        await meanwhile(acme, answer, () => root.rest('DELETE', `/api/super-admin/admins/${body.id}`));
        expectError(await answer, 401, 'unauthenticated');
      });
    });
  });
});
