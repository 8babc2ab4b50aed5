import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { audit } from '../src/domain/audit.ts';
import { Actor, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { SUPER_ADMIN, startApp, type TestApp } from './support/app.ts';
import { sql } from './support/database.ts';
import { expectError, expectGraphqlError } from './support/errors.ts';
import { addUser } from './support/tenants.ts';
import { decode } from './support/tokens.ts';

const TENANTS = '/api/super-admin/tenants';
const USERS = '/api/super-admin/users';
const ADMINS = '/api/super-admin/admins';

let app: TestApp;
let root: Actor;
let rootId: string;
let acme: Tenant;
let user: { id: string; email: string };

beforeAll(async () => {
  app = await startApp();
  root = await superAdmin(app);
  rootId = decode(root.token!).claims.sub;
  acme = await provision(root);
  user = await addUser(app, acme.id, { email: 'mira@acme.test', fullName: 'Mira', role: 'supervisor' });
});
afterAll(() => app?.stop());

const asAdmin = (by = root, tenant = acme) => by.rest('POST', `${TENANTS}/${tenant.id}/impersonate`);
const asUser = (id = user.id, by = root, tenant = acme) =>
  by.rest('POST', `${USERS}/${id}/impersonate?tenant_id=${tenant.id}`);
const ME = '{ me { id email name role tenantId tenantSlug impersonatedBy { id email } } }';
const me = (token: string) => new Actor(app.url, token).graphql(ME);
const auditOf = (targetId: string, action: string) =>
  sql<Record<string, unknown>>(
    app.databaseUrl,
    'select * from audit_entries where target_id = $1 and action = $2 order by id',
    [targetId, action],
  );

let made = 0;
/** Another super admin, who may come to harm. */
async function another(): Promise<{ actor: Actor; id: string }> {
  const credentials = { email: `other${++made}@platform.test`, password: 'a password' };
  const { body } = await root.rest('POST', ADMINS, { ...credentials, name: 'Other' });
  return { actor: await superAdmin(app, credentials), id: body.id };
}

describe("impersonating a tenant's admin", () => {
  test('gives fifteen minutes with the rights of its oldest admin, as documented', async () => {
    const { status, body } = await asAdmin();
    expect({ status, body }).toEqual({
      status: 200,
      body: { token: expect.any(String), org_id: acme.id, org_slug: acme.slug, expires_in_seconds: 900 },
    });
    const { claims } = decode(body.token);
    expect(claims).toMatchObject({
      iss: 'omnistream',
      aud: 'omnistream:tenant',
      org: acme.id,
      role: 'admin',
      email: acme.adminEmail,
      exp: claims.iat + 900,
      act: { sub: rootId, email: SUPER_ADMIN.email },
    });
    expect((await me(body.token)).data.me).toEqual({
      id: claims.sub,
      email: acme.adminEmail,
      name: 'Admin',
      role: 'admin',
      tenantId: acme.id,
      tenantSlug: acme.slug,
      impersonatedBy: { id: rootId, email: SUPER_ADMIN.email },
    });
  });

  test('passes over an admin who is suspended', async () => {
    const tenant = await provision(root);
    const first = decode((await asAdmin(root, tenant)).body.token).claims.sub;
    const second = await addUser(app, tenant.id, { email: 'second@acme.test', role: 'admin' });
    await root.rest('POST', `${USERS}/${first}/suspend?tenant_id=${tenant.id}`);
    expect(decode((await asAdmin(root, tenant)).body.token).claims.sub).toBe(second.id);
  });

  test('speaks for the super admin alone where the tenant has no admin', async () => {
    const { body: tenant } = await root.rest('POST', TENANTS, { name: 'Nobody there', slug: 'nobody-there' });
    const { body } = await eventually(
      () => root.rest('POST', `${TENANTS}/${tenant.id}/impersonate`),
      ({ status }) => status === 200,
    );
    const { data } = await me(body.token);
    expect(data.me).toMatchObject({
      email: SUPER_ADMIN.email,
      role: 'admin',
      tenantId: tenant.id,
      impersonatedBy: { id: rootId },
    });
  });
});

describe('impersonating a user', () => {
  test('gives fifteen minutes as that user, as documented', async () => {
    const { status, body } = await asUser();
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        token: expect.any(String),
        agent_id: user.id,
        email: user.email,
        role: 'supervisor',
        expires_in_seconds: 900,
      },
    });
    const { claims } = decode(body.token);
    expect(claims).toMatchObject({ sub: user.id, role: 'supervisor', exp: claims.iat + 900, act: { sub: rootId } });
    expect((await me(body.token)).data.me).toMatchObject({
      id: user.id,
      name: 'Mira',
      role: 'supervisor',
      impersonatedBy: { id: rootId },
    });
  });

  test('is the same over GraphQL', async () => {
    const { data } = await root.graphql(
      `mutation ($t: UUID!, $id: UUID!) {
         impersonateTenantUser(tenantId: $t, id: $id) { token expiresInSeconds orgId orgSlug agentId email role }
         impersonateTenant(id: $t) { expiresInSeconds orgId }
       }`,
      { t: acme.id, id: user.id },
    );
    expect(data).toMatchObject({
      impersonateTenantUser: {
        expiresInSeconds: 900,
        orgId: acme.id,
        orgSlug: acme.slug,
        agentId: user.id,
        email: user.email,
        role: 'supervisor',
      },
      impersonateTenant: { expiresInSeconds: 900, orgId: acme.id },
    });
  });

  test('sets no cookie: the super admin stays who they are', async () => {
    expect((await asUser()).headers.get('set-cookie')).toBeNull();
    expect((await asAdmin()).headers.get('set-cookie')).toBeNull();
  });
});

describe('an impersonation', () => {
  test("cannot reach the platform's operations, over either surface", async () => {
    for (const { body } of [await asAdmin(), await asUser()]) {
      const actor = new Actor(app.url, body.token);
      for (const path of [
        TENANTS,
        `${TENANTS}/${acme.id}`,
        ADMINS,
        '/api/super-admin/usage',
        '/api/super-admin/health',
        `${USERS}?tenant_id=${acme.id}`,
      ]) {
        expectError(await actor.rest('GET', path), 403, 'forbidden');
      }
      expectError(await asAdmin(actor), 403, 'forbidden');
      expectError(await asUser(user.id, actor), 403, 'forbidden');
      expectError(
        await actor.rest('POST', `${ADMINS}/${rootId}/reset-password`, { new_password: 'a password' }),
        403,
        'forbidden',
      );
      expectError(
        await actor.rest('POST', `${USERS}/${user.id}/reset-password?tenant_id=${acme.id}`, {
          new_password: 'a password',
        }),
        403,
        'forbidden',
      );
      expectError(
        await actor.rest('POST', `${USERS}?tenant_id=${acme.id}`, { email: 'x@acme.test', password: 'a password' }),
        403,
        'forbidden',
      );
      expectGraphqlError(await actor.graphql('{ superAdmins { id } }'), 'FORBIDDEN');
      expectGraphqlError(await actor.graphql(`mutation { suspendTenant(id: "${acme.id}") { id } }`), 'FORBIDDEN');
    }
  });

  test('is refused in a suspended tenant, one that is still being made, and for a suspended user', async () => {
    const tenant = await provision(root);
    const person = await addUser(app, tenant.id, { email: 'person@acme.test' });
    await root.rest('POST', `${USERS}/${person.id}/suspend?tenant_id=${tenant.id}`);
    expectError(await asUser(person.id, root, tenant), 409, 'conflict');
    await root.rest('DELETE', `${TENANTS}/${tenant.id}`);
    expectError(await asAdmin(root, tenant), 409, 'tenant_not_ready');
    expectError(await asUser(person.id, root, tenant), 409, 'tenant_not_ready');
    await sql(app.databaseUrl, `update organizations set status = 'provisioning' where id = $1`, [tenant.id]);
    expectError(await asAdmin(root, tenant), 409, 'tenant_not_ready');
  });

  test('gives no live token to a tenant or an admin suspended at the same moment', async () => {
    const { rows } = app.services.tenants;
    const during = async (tenant: Tenant, happens: () => Promise<unknown>) => {
      app.services.tenants.rows = async (...args) => {
        app.services.tenants.rows = rows;
        const found = await rows.apply(app.services.tenants, args);
        await happens();
        return found as never;
      };
      return asAdmin(root, tenant);
    };
    const shut = await provision(root);
    expectError(await during(shut, () => root.rest('DELETE', `${TENANTS}/${shut.id}`)), 409, 'tenant_not_ready');
    const open = await provision(root);
    const { sub } = decode((await asAdmin(root, open)).body.token).claims;
    const { body } = await during(open, () => root.rest('POST', `${USERS}/${sub}/suspend?tenant_id=${open.id}`));
    expect(decode(body.token).claims.sub).not.toBe(sub);
  });

  test('leaves who was behind it and whom they stood for', async () => {
    const { actor, id } = await another();
    const before = (await auditOf(user.id, 'user.impersonate')).length;
    await asUser(user.id, actor);
    const entries = await auditOf(user.id, 'user.impersonate');
    expect(entries).toHaveLength(before + 1);
    expect(entries.at(-1)).toMatchObject({
      actor_kind: 'super_admin',
      actor_id: id,
      org_id: acme.id,
      target_type: 'user',
      target_id: user.id,
      request_id: expect.any(String),
      address: '127.0.0.1',
    });
    const { sub } = decode((await asAdmin(actor)).body.token).claims;
    expect((await auditOf(sub, 'tenant.impersonate')).at(-1)).toMatchObject({ actor_id: id, org_id: acme.id });
    const all = JSON.stringify(await sql(app.databaseUrl, 'select * from audit_entries'));
    expect(all).not.toMatch(/eyJ/);
  });

  test('writes as both: the one who acts and the one they stand for', async () => {
    const caller = app.services.tokens.judgeOf((await asUser()).body.token)();
    await app.services.control.orm.em
      .fork()
      .transactional(async (em) =>
        audit(
          em,
          { actor: caller, requestId: 'a-write' },
          { action: 'tenant.update', target: { type: 'test', id: '1' } },
        ),
      );
    expect(await auditOf('1', 'tenant.update')).toMatchObject([
      {
        actor_kind: 'super_admin',
        actor_id: rootId,
        actor_email: SUPER_ADMIN.email,
        on_behalf_of: user.id,
        org_id: acme.id,
      },
    ]);
  });
});

describe('an impersonation as a session', () => {
  const live = async (by = root) => (await by.rest('GET', '/api/super-admin/impersonations')).body;
  const isLive = async (token: string) =>
    (await live()).some(({ id }: { id: string }) => id === decode(token).claims.sid);
  const start = async (body: object, tenant = acme) =>
    (await root.rest('POST', `${TENANTS}/${tenant.id}/impersonate`, body)).body.token as string;

  test('is listed with its reason while it lives, and ended at once', async () => {
    const token = await start({ reason: ' Ticket 4711 ' });
    const { claims } = decode(token);
    expect((await live()).find(({ id }: { id: string }) => id === claims.sid)).toEqual({
      id: claims.sid,
      org_id: acme.id,
      agent_id: claims.sub,
      email: acme.adminEmail,
      impersonator_id: rootId,
      impersonator_email: SUPER_ADMIN.email,
      reason: 'Ticket 4711',
      read_only: false,
      created_at: expect.any(String),
      expires_at: expect.any(String),
    });
    const path = `/api/super-admin/impersonations/${claims.sid}`;
    const { actor } = await another();
    expect((await actor.rest('DELETE', path)).status).toBe(200);
    const refused = await eventually(
      () => me(token),
      ({ errors }) => errors !== undefined,
      1000,
    );
    expectGraphqlError(refused, 'UNAUTHENTICATED');
    expect(await isLive(token)).toBe(false);
    expectError(await root.rest('DELETE', path), 404, 'not_found');
    expect(await auditOf(claims.sid, 'impersonation.end')).toMatchObject([{ org_id: acme.id }]);
  });

  test('that is read-only looks at everything and changes nothing', async () => {
    const actor = new Actor(app.url, await start({ read_only: true, reason: 'To look' }));
    for (const path of ['/api/agents', '/api/roles', '/api/divisions', '/api/working-hours', '/api/api-keys']) {
      expect([path, (await actor.rest('GET', path)).status]).toEqual([path, 200]);
    }
    const { data } = await actor.graphql('{ me { readOnly } }');
    expect(data.me.readOnly).toBe(true);
    const changes: [string, string, object?][] = [
      ['POST', '/api/divisions', { name: 'x' }],
      ['PUT', '/api/settings/timezone', { timezone: 'UTC' }],
      ['DELETE', `/api/agents/${user.id}`],
      ['PATCH', `/api/agents/${user.id}/status`, { is_online: true }],
    ];
    for (const [method, path, body] of changes) expectError(await actor.rest(method, path, body), 403, 'forbidden');
    const [entry] = (await auditOf(decode(actor.token!).claims.sub, 'tenant.impersonate')).slice(-1);
    expect(entry).toMatchObject({ after: { readOnly: true, reason: 'To look' } });
  });

  test('ends with the super admin who began it, with the user, and with the tenant', async () => {
    const tenant = await provision(root);
    const { id } = await addUser(app, tenant.id, { email: 'ended@acme.test' });
    const { actor, id: adminId } = await another();
    const begin = async (by: Actor) =>
      (await by.rest('POST', `${USERS}/${id}/impersonate?tenant_id=${tenant.id}`)).body.token as string;
    const byOther = await begin(actor);
    const ofUser = await begin(root);
    await root.rest('DELETE', `${ADMINS}/${adminId}`);
    expect([await isLive(byOther), await isLive(ofUser)]).toEqual([false, true]);
    await root.rest('POST', `${USERS}/${id}/suspend?tenant_id=${tenant.id}`);
    expect(await isLive(ofUser)).toBe(false);
    const ofTenant = await start({}, tenant);
    await root.rest('DELETE', `${TENANTS}/${tenant.id}`);
    expect(await isLive(ofTenant)).toBe(false);
  });

  test.each([
    ['a reason without end', { reason: 'x'.repeat(501) }, 'reason'],
    ['maybe', { read_only: 'maybe' }, 'read_only'],
    ['more time', { expires_in_seconds: 3600 }, 'expires_in_seconds'],
  ])('with %s is refused and begins nothing', async (_, body, field) => {
    const before = await live();
    expectError(await root.rest('POST', `${TENANTS}/${acme.id}/impersonate`, body), 400, 'validation_failed', [field]);
    expect(await live()).toEqual(before);
  });
});
