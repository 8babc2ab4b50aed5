import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Actor, agent, anonymous, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { sql } from './support/database.ts';
import { expectError, expectGraphqlError } from './support/errors.ts';
import { freePort } from './support/redis-server.ts';
import { addUser } from './support/tenants.ts';

const USERS = '/api/super-admin/users';
const NOBODY = '00000000-0000-7000-8000-000000000000';
const PASSWORD = "a user's password";

let app: TestApp;
let admin: Actor;
let acme: Tenant;
let other: Tenant;

beforeAll(async () => {
  app = await startApp();
  admin = await superAdmin(app);
  [acme, other] = await Promise.all([provision(admin), provision(admin)]);
});
afterAll(() => app?.stop());

const list = (query: string, tenant = acme) => admin.rest('GET', `${USERS}?tenant_id=${tenant.id}${query}`);
const act = (action: string, id: string, body?: object, tenant = acme) =>
  admin.rest('POST', `${USERS}/${id}/${action}?tenant_id=${tenant.id}`, body);

let made = 0;
const newUser = (fullName = 'Some User', role = 'agent', tenant = acme) =>
  addUser(app, tenant.id, { email: `user${++made}@acme.test`, fullName, role, password: PASSWORD });

describe("a tenant's users", () => {
  test('are listed in the order in which they were made, without anything secret', async () => {
    const mira = await newUser('Mira', 'supervisor');
    const { status, body } = await list('');
    expect(status).toBe(200);
    expect(body[0]).toEqual({
      id: expect.any(String),
      email: acme.adminEmail,
      full_name: 'Admin',
      role: 'admin',
      is_online: false,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(body.at(-1)).toMatchObject({ id: mira.id, email: mira.email, full_name: 'Mira', role: 'supervisor' });
  });

  test('show when they were last seen, once they were', async () => {
    const { id } = await newUser('Seen');
    await app.services.tenants.rows(
      acme.id,
      {
        name: 'see',
        text: `update agents set is_online = true, last_seen_at = '2026-02-03 04:05:06.007+07' where id = $1`,
      },
      [id],
    );
    const seen = { is_online: true, last_seen_at: '2026-02-02T21:05:06.007Z' };
    expect((await list('&search=Seen')).body).toEqual([expect.objectContaining(seen)]);
    const { data } = await admin.graphql(
      'query ($id: UUID!) { tenantUsers(tenantId: $id, search: "seen") { isOnline lastSeenAt } }',
      { id: acme.id },
    );
    expect(data.tenantUsers).toEqual([{ isOnline: true, lastSeenAt: seen.last_seen_at }]);
  });

  test('are found by any part of their name or address, without case and taken literally', async () => {
    const people = ['100% Sure', 'Under_score', 'Back\\slash', 'Ünïcödé Straße', "O'Brien", 'Plain Person', '.*regex+'];
    const ids = new Map<string, string>();
    for (const name of people) ids.set(name, (await newUser(name)).id);
    const find = async (text: string) =>
      (await list(`&search=${encodeURIComponent(text)}`)).body.map(({ full_name }: { full_name: string }) => full_name);
    expect(await find('%')).toEqual(['100% Sure']);
    expect(await find('0%')).toEqual(['100% Sure']);
    expect(await find('_')).toEqual(['Under_score']);
    expect(await find('r_s')).toEqual(['Under_score']);
    expect(await find('\\')).toEqual(['Back\\slash']);
    expect(await find('ünÏCÖ')).toEqual(['Ünïcödé Straße']);
    expect(await find("o'b")).toEqual(["O'Brien"]);
    expect(await find('PLAIN per')).toEqual(['Plain Person']);
    expect(await find('.*')).toEqual(['.*regex+']);
    expect(await find("' or 1=1 --")).toEqual([]);
    expect(await find(acme.adminEmail.toUpperCase())).toEqual(['Admin']);
    expect((await list('&search=')).body).toHaveLength((await list('')).body.length);
  });

  test('belong to their tenant alone', async () => {
    const { id } = await newUser();
    expect((await list('', other)).body.map(({ email }: { email: string }) => email)).toEqual([other.adminEmail]);
    for (const action of ['suspend', 'activate', 'impersonate'])
      expectError(await act(action, id, undefined, other), 404, 'not_found');
    expectError(await act('reset-password', id, { new_password: PASSWORD }, other), 404, 'not_found');
    expectError(await act('suspend', NOBODY), 404, 'not_found');
    expect((await agent(app, `user${made}@acme.test`, PASSWORD)).token).toBeDefined();
  });
});

describe('asking for users', () => {
  test('takes the id of a tenant that there is', async () => {
    expectError(await admin.rest('GET', USERS), 400, 'validation_failed', ['tenant_id']);
    expectError(await admin.rest('GET', `${USERS}?tenant_id=acme`), 400, 'validation_failed', ['tenant_id']);
    expectError(await admin.rest('GET', `${USERS}?tenant_id=${NOBODY}`), 404, 'not_found');
    expectError(await admin.rest('POST', `${USERS}/${NOBODY}/suspend`), 400, 'validation_failed', ['tenant_id']);
    expectError(await admin.rest('POST', `${USERS}/${NOBODY}/suspend?tenant_id=${NOBODY}`), 404, 'not_found');
    const answer = await admin.graphql('query ($id: UUID!) { tenantUsers(tenantId: $id) { id } }', { id: NOBODY });
    expectGraphqlError(answer, 'NOT_FOUND');
  });

  test('of a tenant that is still being made is too early', async () => {
    const stuck = await startApp({ MINIO_URL: `http://key:secret@127.0.0.1:${await freePort()}` });
    try {
      const root = await superAdmin(stuck);
      const { body } = await root.rest('POST', '/api/super-admin/tenants', { name: 'Slow', slug: 'slow' });
      const query = `tenant_id=${body.id}`;
      const early = [
        await root.rest('GET', `${USERS}?${query}`),
        await root.rest('POST', `${USERS}?${query}`, { email: 'early@slow.test', password: PASSWORD }),
        await root.rest('POST', `${USERS}/${NOBODY}/suspend?${query}`),
        await root.rest('POST', `${USERS}/${NOBODY}/reset-password?${query}`, { new_password: PASSWORD }),
        await root.rest('POST', `${USERS}/${NOBODY}/impersonate?${query}`),
      ];
      for (const answer of early) expectError(answer, 409, 'tenant_not_ready');
      expect(Number(early[0]!.headers.get('retry-after'))).toBeGreaterThan(0);
      const failed = await eventually(
        () =>
          root.graphql(
            'query ($id: UUID!) { tenant(id: $id) { status provisioning { state steps { name state error } } } }',
            { id: body.id },
          ),
        ({ data }) => data.tenant.provisioning.state === 'RETRYING',
      );
      expect(
        failed.data.tenant.provisioning.steps.find(({ name }: { name: string }) => name === 'create_stores'),
      ).toEqual({
        name: 'create_stores',
        state: 'FAILED',
        error: 'The object store could not be made: connection refused.',
      });
    } finally {
      await stuck.stop();
    }
  });

  test('of a suspended tenant is still possible: its data stays', async () => {
    await admin.rest('DELETE', `/api/super-admin/tenants/${other.id}`);
    expect((await list('', other)).body).toHaveLength(1);
    await admin.rest('PATCH', `/api/super-admin/tenants/${other.id}`, { status: 'active' });
  });
});

describe('looking after a user', () => {
  test('by a new password lets that one in and the old one not', async () => {
    const user = await newUser();
    const answer = await act('reset-password', user.id, { new_password: 'another password' });
    expect(answer).toMatchObject({ status: 200, body: { status: 'password_reset' } });
    const login = (password: string) => anonymous(app).rest('POST', '/api/auth/login', { email: user.email, password });
    expectError(await login(PASSWORD), 401, 'unauthenticated');
    expect((await login('another password')).status).toBe(200);
    for (const short of ['', '1234567', '🔑🔑🔑🔑🔑🔑🔑']) {
      expectError(await act('reset-password', user.id, { new_password: short }), 400, 'validation_failed', [
        'new_password',
      ]);
    }
  });

  test('by suspending keeps them out and by activating lets them in, however often it is said', async () => {
    const user = await newUser();
    const login = () => anonymous(app).rest('POST', '/api/auth/login', { email: user.email, password: PASSWORD });
    for (let time = 0; time < 2; time++) {
      expect(await act('suspend', user.id)).toMatchObject({ status: 200, body: { status: 'suspended' } });
      expectError(await login(), 403, 'user_suspended');
    }
    for (let time = 0; time < 2; time++) {
      expect(await act('activate', user.id)).toMatchObject({ status: 200, body: { status: 'activated' } });
      expect((await login()).status).toBe(200);
    }
  });

  test('works the same over GraphQL, naming whom it was done to', async () => {
    const { id, email } = await newUser();
    const mutation = (name: string, args = '') =>
      admin.graphql(`mutation ($t: UUID!, $id: UUID!) { ${name}(tenantId: $t, id: $id${args}) { id } }`, {
        t: acme.id,
        id,
      });
    for (const name of ['suspendTenantUser', 'activateTenantUser'])
      expect((await mutation(name)).data).toEqual({ [name]: { id } });
    expect(
      (await mutation('resetTenantUserPassword', ', newPassword: "another password"')).data.resetTenantUserPassword.id,
    ).toBe(id);
    expect((await agent(app, email, 'another password')).token).toBeDefined();
  });

  test('leaves who did what to whom, without the password', async () => {
    const user = await newUser();
    await act('suspend', user.id);
    await act('activate', user.id);
    await act('reset-password', user.id, { new_password: 'a telling password' });
    const rows = await sql<{ action: string }>(
      app.databaseUrl,
      'select * from audit_entries where target_id = $1 order by id',
      [user.id],
    );
    expect(rows.map(({ action }) => action)).toEqual(['user.suspend', 'user.activate', 'user.reset_password']);
    for (const row of rows)
      expect(row).toMatchObject({
        actor_kind: 'super_admin',
        actor_email: 'root@platform.test',
        org_id: acme.id,
        address: '127.0.0.1',
        request_id: expect.any(String),
      });
    expect(JSON.stringify(rows)).not.toMatch(/telling|argon/);
  });
});
