/** Two schema versions side by side: what a tenant is served with before its turn in an upgrade has come. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TENANT_SCHEMA_VERSION as newest, SERVED_FROM_VERSION } from '../src/db/migrations/tenant/index.ts';
import { type Actor, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { serverUrl, sql } from './support/database.ts';
import { makeOneOlder } from './support/older-version.ts';

let app: TestApp;
let root: Actor;
let tenant: Tenant;
let admin: Actor;

beforeAll(async () => {
  app = await startApp({ UPGRADE_TENANTS: 'manual' });
  root = await superAdmin(app);
  tenant = await provision(root);
  admin = await agent(app, tenant.adminEmail, tenant.adminPassword);
  await makeOneOlder(app.databaseUrl, [tenant.id]);
});
afterAll(() => app?.stop());

const PASSWORD = 'a password of somebody';
const inTenant = (text: string) => sql(serverUrl(app.services.servers.home.nameFor(tenant.id)), text);

test('the version before the newest is served with everything that a company does', async () => {
  expect(SERVED_FROM_VERSION).toBe(newest - 1);
  const done: string[] = [];
  /** @returns the body of an answer that is a success. */
  const ask = async (by: Actor, method: string, path: string, body?: unknown) => {
    const answer = await by.rest(method, path, body);
    done.push(`${method} ${path.replaceAll(/[0-9a-f-]{36}/g, '{id}')} ${answer.status}`);
    return answer.body;
  };
  const division = await ask(admin, 'POST', '/api/divisions', { name: 'Sales', timezone: 'Asia/Jakarta' });
  const role = await ask(admin, 'POST', '/api/roles', { name: 'Auditor', permissions: ['logs.view'] });
  const hired = await ask(admin, 'POST', '/api/agents', {
    email: 'budi@older.test',
    full_name: 'Budi',
    password: PASSWORD,
    role: 'auditor',
  });
  const budi = await agent(app, 'budi@older.test', PASSWORD);
  await ask(budi, 'GET', '/api/auth/me');
  await ask(budi, 'GET', '/api/activity-logs');
  await ask(admin, 'POST', `/api/divisions/${division.id}/agents`, { agent_ids: [hired.id] });
  await ask(admin, 'PATCH', `/api/agents/${hired.id}`, { role: 'supervisor' });
  await ask(admin, 'GET', '/api/agents');
  await ask(admin, 'GET', '/api/roles');
  await ask(admin, 'PATCH', `/api/roles/${role.id}`, { description: 'Looks' });
  await ask(admin, 'DELETE', `/api/roles/${role.id}`);
  await ask(admin, 'GET', '/api/divisions');
  await ask(admin, 'PUT', '/api/settings/timezone', { timezone: 'Asia/Jakarta' });
  await ask(admin, 'PUT', '/api/working-hours', { days: [{ day_of_week: 1, start_time: '08:00', end_time: '12:00' }] });
  await ask(admin, 'PUT', `/api/working-hours/divisions/${division.id}`, {
    days: [{ day_of_week: 2, start_time: '08:00', end_time: '12:00' }],
  });
  await ask(admin, 'POST', '/api/working-hours/exceptions', { name: 'New Year', start_date: '2030-01-01' });
  await ask(admin, 'GET', '/api/working-hours');
  await ask(admin, 'GET', `/api/working-hours/status?tenant=${tenant.slug}`);
  const key = await ask(admin, 'POST', '/api/api-keys', { name: 'Export', scopes: ['logs.view'] });
  await ask(admin, 'DELETE', `/api/api-keys/${key.id}`);
  await ask(admin, 'GET', '/api/auth/sessions');
  await ask(root, 'GET', `/api/super-admin/users?tenant_id=${tenant.id}`);
  await ask(root, 'POST', `/api/super-admin/tenants/${tenant.id}/impersonate`, {});
  await ask(root, 'PATCH', `/api/super-admin/tenants/${tenant.id}`, { limits: { max_agents: 5 } });
  await ask(admin, 'DELETE', `/api/agents/${hired.id}`);
  expect(done.filter((line) => !/ 20\d$/.test(line))).toEqual([]);
  expect(done.length).toBeGreaterThanOrEqual(25);
  expect((await root.rest('GET', `/api/super-admin/tenants/${tenant.id}`)).body.schema_version).toBe(newest - 1);
});

test('its usage is gathered, its limits hold, and its log is linked as ever', async () => {
  await inTenant(`insert into contacts (id, name) select gen_random_uuid(), 'Contact' from generate_series(1, 3)`);
  await eventually(
    () => root.rest('GET', '/api/super-admin/usage'),
    ({ body }) => body[0].usage.contact_count === 3,
  );
  await eventually(
    () =>
      inTenant(
        'select (select count(*) from activity_unlinked)::int as waiting, (select count(*) from activity_chain)::int as linked',
      ),
    ([log]) => log?.waiting === 0 && log.linked > 5,
  );
  await eventually(
    () => inTenant("select value from usage_limits where metric = 'agents'"),
    ([limit]) => limit?.value === 5,
  );
});

test('tenants that are made meanwhile are at the newest version', async () => {
  const { id } = await provision(root);
  expect((await root.rest('GET', `/api/super-admin/tenants/${id}`)).body.schema_version).toBe(newest);
});
