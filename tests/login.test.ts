import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Actor, agent, anonymous, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { sql } from './support/database.ts';
import { expectError } from './support/errors.ts';
import { decode } from './support/tokens.ts';

let app: TestApp;
let admin: Actor;
let acme: Tenant;
let zenith: Tenant;

beforeAll(async () => {
  app = await startApp();
  admin = await superAdmin(app);
  [acme, zenith] = await Promise.all([provision(admin), provision(admin)]);
});
afterAll(() => app?.stop());

const login = (email: string, password: string, more: object = {}, headers?: Record<string, string>) =>
  anonymous(app).rest('POST', '/api/auth/login', { email, password, ...more }, headers);
const right = (tenant = acme) => login(tenant.adminEmail, tenant.adminPassword);
const wrong = (tenant = acme) => login(tenant.adminEmail, 'not the password');

describe("a tenant's user who signs in", () => {
  test('gets a token for a day, their profile and their tenant', async () => {
    const { status, body } = await right();
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        token: expect.any(String),
        agent: {
          id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          email: acme.adminEmail,
          full_name: 'Admin',
          role: 'admin',
          is_online: false,
          created_at: expect.stringMatching(/Z$/),
        },
        tenant: { id: acme.id, name: expect.any(String), slug: acme.slug },
      },
    });
    const { header, claims } = decode(body.token);
    expect(header.alg).toBe('HS256');
    expect(claims).toMatchObject({
      iss: 'omnistream',
      aud: 'omnistream:tenant',
      sub: body.agent.id,
      org: acme.id,
      role: 'admin',
      exp: claims.iat + 24 * 3600,
      jti: expect.any(String),
    });
    expect(claims.act).toBeUndefined();
  });

  test('gets the token as a cookie that no script and no other site can use', async () => {
    const { headers, body } = await right();
    const [value, ...attributes] = headers.get('set-cookie')!.split('; ');
    expect(value).toBe(`access_token=${body.token}`);
    expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=86400', 'Path=/', 'SameSite=Lax']);
    expect((await wrong()).headers.get('set-cookie')).toBeNull();
  });

  test('may come with the cookie alone; a header beside it decides', async () => {
    const cookie = `access_token=${(await right()).body.token}`;
    const me = async (headers: Record<string, string>) =>
      (await anonymous(app).rest('POST', '/graphql', { query: '{ me { tenantSlug } }' }, headers)).body;
    expect((await me({ cookie })).data.me.tenantSlug).toBe(acme.slug);
    const other = await agent(app, zenith.adminEmail, zenith.adminPassword);
    expect((await me({ cookie, authorization: `Bearer ${other.token}` })).data.me.tenantSlug).toBe(zenith.slug);
    for (const authorization of ['Bearer nonsense', 'Basic eDp5', '']) {
      expect((await me({ cookie, authorization })).errors[0].extensions.code).toBe('UNAUTHENTICATED');
    }
  });

  test('leaves an audit entry, and so does one who fails', async () => {
    const entered = await login(acme.adminEmail, acme.adminPassword, {}, { 'x-request-id': 'entered' });
    await login(acme.adminEmail, 'not the password', {}, { 'x-request-id': 'failed' });
    const rows = await sql(
      app.databaseUrl,
      `select action, actor_kind, actor_id, actor_email, org_id, target_id from audit_entries
        where request_id in ('entered', 'failed') order by id`,
    );
    const both = { actor_email: acme.adminEmail, org_id: acme.id };
    const { id } = entered.body.agent;
    expect(rows).toEqual([
      { action: 'user.login', actor_kind: 'agent', actor_id: id, target_id: id, ...both },
      { action: 'user.login_failed', actor_kind: 'anonymous', actor_id: null, target_id: null, ...both },
    ]);
  });
});

describe('someone who is shut out', () => {
  test('is told so only with the right password', async () => {
    const tenant = await provision(admin);
    const { body } = await right(tenant);
    const path = `/api/super-admin/users/${body.agent.id}`;
    await admin.rest('POST', `${path}/suspend?tenant_id=${tenant.id}`);
    expectError(await right(tenant), 403, 'user_suspended');
    expectError(await wrong(tenant), 401, 'unauthenticated');
    await admin.rest('DELETE', `/api/super-admin/tenants/${tenant.id}`);
    expectError(await right(tenant), 403, 'tenant_suspended');
    expectError(await wrong(tenant), 401, 'unauthenticated');
    await admin.rest('PATCH', `/api/super-admin/tenants/${tenant.id}`, { status: 'active' });
    await admin.rest('POST', `${path}/activate?tenant_id=${tenant.id}`);
    expect((await right(tenant)).status).toBe(200);
  });

  test('because the tenant is not made yet is asked to come again', async () => {
    const tenant = await provision(admin);
    await sql(app.databaseUrl, `update organizations set status = 'provisioning' where id = $1`, [tenant.id]);
    const answer = await right(tenant);
    expectError(answer, 409, 'tenant_not_ready');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expectError(await wrong(tenant), 401, 'unauthenticated');
  });
});

describe('one address in two tenants', () => {
  const email = 'both@companies.test';
  let first: Tenant;
  let second: Tenant;
  beforeAll(async () => {
    [first, second] = await Promise.all([
      provision(admin, { admin_email: email }),
      provision(admin, { admin_email: email }),
    ]);
  });
  const password = 'a tenant admin password';

  test('has to say which one, and is asked that only with the right password', async () => {
    expectError(await login(email, password), 409, 'tenant_required');
    expectError(await login(email, 'not the password'), 401, 'unauthenticated');
    for (const tenant of [first, second]) {
      // As the hours' status takes them, and hosts are.
      for (const slug of [tenant.slug, tenant.slug.toUpperCase()]) {
        expect((await login(email, password, { tenant: slug })).body.tenant.slug).toBe(tenant.slug);
      }
    }
    expectError(await login(email, password, { tenant: acme.slug }), 401, 'unauthenticated');
    expectError(await login(email, password, { tenant: 'there-is-none' }), 401, 'unauthenticated');
  });

  test('needs not say it where the password does', async () => {
    const { body } = await login(email, password, { tenant: second.slug });
    await admin.rest('POST', `/api/super-admin/users/${body.agent.id}/reset-password?tenant_id=${second.id}`, {
      new_password: 'another password',
    });
    expect((await login(email, password)).body.tenant.slug).toBe(first.slug);
    expect((await login(email, 'another password')).body.tenant.slug).toBe(second.slug);
  });
});
