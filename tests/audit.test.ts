import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Actor, anonymous, provision, superAdmin, type Tenant } from './support/actors.ts';
import { SUPER_ADMIN, startApp, type TestApp } from './support/app.ts';
import { sql } from './support/database.ts';
import { addUser } from './support/tenants.ts';
import { decode } from './support/tokens.ts';

const TENANTS = '/api/super-admin/tenants';
const ADMINS = '/api/super-admin/admins';

let app: TestApp;
let root: Actor;
let rootId: string;
let tenant: Tenant;
let user: { id: string };

beforeAll(async () => {
  app = await startApp();
  root = await superAdmin(app);
  rootId = decode(root.token!).claims.sub;
  tenant = await provision(root, { name: 'Acme', slug: 'acme' });
  user = await addUser(app, tenant.id, { email: 'mira@acme.test' });
});
afterAll(() => app?.stop());

interface Entry {
  action: string;
  [column: string]: unknown;
}

let requests = 0;
/** Sends a request under an id of its own. @returns the answer's status and the entries that the request left. */
async function left(
  method: string,
  path: string,
  body?: object,
  by = root,
): Promise<{ status: number; id: string; entries: Entry[] }> {
  const requestId = `audited-${++requests}`;
  const { status, body: answer } = await by.rest(method, path, body, { 'x-request-id': requestId });
  const entries = await sql<Entry>(app.databaseUrl, 'select * from audit_entries where request_id = $1 order by id', [
    requestId,
  ]);
  return { status, id: answer?.id, entries };
}

const bySuperAdmin = () => ({
  actor_kind: 'super_admin',
  actor_id: rootId,
  actor_email: SUPER_ADMIN.email,
  on_behalf_of: null,
  address: '127.0.0.1',
});

test('each change leaves one entry: who, what, on what, before, after, when and from where', async () => {
  const users = `/api/super-admin/users/${user.id}`;
  const query = `tenant_id=${tenant.id}`;
  const onTenant = { org_id: tenant.id, target_type: 'tenant', target_id: tenant.id };
  const onUser = { org_id: tenant.id, target_type: 'user', target_id: user.id };
  const changes: [method: string, path: string, body: object | undefined, entry: object][] = [
    [
      'PATCH',
      `${TENANTS}/${tenant.id}`,
      { name: 'New', limits: { max_agents: 9 } },
      {
        action: 'tenant.update',
        ...onTenant,
        before: { name: 'Acme', status: 'active', limits: {} },
        after: { name: 'New', status: 'active', limits: { maxAgents: 9 } },
      },
    ],
    [
      'DELETE',
      `${TENANTS}/${tenant.id}`,
      undefined,
      {
        action: 'tenant.suspend',
        ...onTenant,
        before: { name: 'New', status: 'active', limits: { maxAgents: 9 } },
        after: { name: 'New', status: 'suspended', limits: { maxAgents: 9 } },
      },
    ],
    [
      'PATCH',
      `${TENANTS}/${tenant.id}`,
      { status: 'active' },
      { action: 'tenant.update', ...onTenant, after: { name: 'New', status: 'active', limits: { maxAgents: 9 } } },
    ],
    ['POST', `${TENANTS}/${tenant.id}/impersonate`, undefined, { action: 'tenant.impersonate', org_id: tenant.id }],
    ['POST', `${users}/impersonate?${query}`, undefined, { action: 'user.impersonate', ...onUser }],
    [
      'POST',
      `${users}/suspend?${query}`,
      undefined,
      { action: 'user.suspend', ...onUser, before: { suspended: false }, after: { suspended: true } },
    ],
    [
      'POST',
      `${users}/activate?${query}`,
      undefined,
      { action: 'user.activate', ...onUser, before: { suspended: true }, after: { suspended: false } },
    ],
    [
      'POST',
      `${users}/reset-password?${query}`,
      { new_password: 'a new password' },
      { action: 'user.reset_password', ...onUser },
    ],
  ];
  for (const [method, path, body, entry] of changes) {
    const { status, entries } = await left(method, path, body);
    expect([status, entries]).toEqual([200, [expect.objectContaining({ ...bySuperAdmin(), ...entry })]]);
    expect(Date.now() - (entries[0]!.created_at as Date).getTime()).toBeLessThan(10_000);
  }
});

test('so do the making of a tenant, and of a super admin, and what becomes of them', async () => {
  const made = await left('POST', TENANTS, {
    name: 'Zenith',
    slug: 'zenith',
    country: 'ID',
    admin_email: 'a@zenith.test',
    admin_password: 'a telling password',
  });
  expect(made.entries).toEqual([
    expect.objectContaining({
      ...bySuperAdmin(),
      action: 'tenant.provision',
      target_id: made.id,
      after: {
        name: 'Zenith',
        slug: 'zenith',
        status: 'provisioning',
        country: 'ID',
        limits: {},
        adminEmail: 'a@zenith.test',
      },
    }),
  ]);
  const admin = await left('POST', ADMINS, { email: 'ada@platform.test', name: 'Ada', password: 'a telling password' });
  const who = { target_type: 'super_admin', target_id: admin.id, org_id: null };
  expect(admin.entries).toEqual([
    expect.objectContaining({
      action: 'super_admin.create',
      ...who,
      after: { email: 'ada@platform.test', name: 'Ada' },
    }),
  ]);
  const reset = await left('POST', `${ADMINS}/${admin.id}/reset-password`, {
    new_password: 'another telling password',
  });
  expect(reset.entries).toEqual([expect.objectContaining({ action: 'super_admin.reset_password', ...who })]);
  const gone = await left('DELETE', `${ADMINS}/${admin.id}`);
  expect(gone.entries).toEqual([
    expect.objectContaining({
      action: 'super_admin.delete',
      ...who,
      before: { email: 'ada@platform.test', name: 'Ada' },
    }),
  ]);
  const all = JSON.stringify(await sql(app.databaseUrl, 'select * from audit_entries'));
  expect(all).not.toMatch(/telling|argon2|eyJ/);
});

test('what the platform does by itself is in its own name', async () => {
  const rows = await sql(
    app.databaseUrl,
    `select actor_kind, actor_id, before, after from audit_entries where action = 'tenant.activate' and org_id = $1`,
    [tenant.id],
  );
  expect(rows).toEqual([
    { actor_kind: 'system', actor_id: null, before: { status: 'provisioning' }, after: { status: 'active' } },
  ]);
});

test('what is refused, or only read, leaves none', async () => {
  const stranger = anonymous(app);
  const nobody = '00000000-0000-7000-8000-000000000000';
  for (const [method, path, body, by] of [
    ['POST', TENANTS, { name: 'Taken', slug: 'acme' }, root],
    ['POST', TENANTS, { name: '', slug: 'x' }, root],
    ['PATCH', `${TENANTS}/${nobody}`, { name: 'X' }, root],
    ['DELETE', `${ADMINS}/${rootId}`, undefined, root],
    ['POST', ADMINS, { email: SUPER_ADMIN.email, name: 'X', password: 'a password' }, root],
    ['POST', TENANTS, { name: 'Strange', slug: 'strange' }, stranger],
    ['GET', TENANTS, undefined, root],
  ] as const) {
    const { status, entries } = await left(method, path, body, by);
    expect([method === 'GET' ? 200 : Math.floor(status / 100), entries]).toEqual([method === 'GET' ? 200 : 4, []]);
  }
});
