import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TENANT_SCHEMA_VERSION } from '../src/db/migrations/tenant/index.ts';
import { type Actor, agent, eventually, provision, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { serverUrl, sql } from './support/database.ts';

let app: TestApp;
let admin: Actor;

beforeAll(async () => {
  app = await startApp();
  admin = await superAdmin(app);
});
afterAll(() => app.stop());

describe('provisioning a tenant', () => {
  test('answers at once and goes on in the background until the tenant is active', async () => {
    const { status, body, headers } = await admin.rest('POST', '/api/super-admin/tenants', {
      name: 'Acme',
      slug: 'acme',
    });
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/api/super-admin/tenants/${body.id}`);
    expect(body).toEqual({
      id: body.id,
      name: 'Acme',
      slug: 'acme',
      status: 'provisioning',
      mongo_database: 'crm_acme',
      limits: {},
      schema_version: 0,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      updated_at: expect.stringMatching(/Z$/),
    });
    const active = await eventually(
      () => admin.rest('GET', `/api/super-admin/tenants/${body.id}`),
      (answer) => answer.body.status === 'active',
    );
    expect(active.body.schema_version).toBe(TENANT_SCHEMA_VERSION);
  });

  test("copies little that can be left out: hardly a system table comes with a map of free space, as initdb's do", async () => {
    const { id } = await provision(admin);
    const mapped = async (database: string) => {
      const [found] = await sql<{ count: number }>(
        serverUrl(database),
        `select count(*)::int as count from pg_class
          where relkind in ('r', 't') and oid < 16384 and not relisshared and pg_relation_size(oid, 'fsm') > 0`,
      );
      return found!.count;
    };
    // Every table that is written anew is written down in a few others, which may get one meanwhile.
    expect(await mapped(app.services.servers.home.nameFor(id))).toBeLessThan((await mapped('postgres')) / 5);
  });

  test('records every step with its start, end and attempt', async () => {
    const { id } = await provision(admin);
    const { data } = await admin.graphql(
      `query ($id: UUID!) { tenant(id: $id) { provisioning { state attempt steps { name state attempt startedAt finishedAt error } } } }`,
      { id },
    );
    expect(data.tenant.provisioning.state).toBe('SUCCEEDED');
    expect(data.tenant.provisioning.steps.map((step: { name: string }) => step.name)).toEqual([
      'reserve_names',
      'create_database',
      'apply_schema',
      'seed_defaults',
      'create_stores',
      'create_admin',
      'activate',
    ]);
    for (const step of data.tenant.provisioning.steps) {
      expect(step).toMatchObject({ state: 'DONE', attempt: 1, error: null });
      expect(Date.parse(step.finishedAt)).toBeGreaterThanOrEqual(Date.parse(step.startedAt));
    }
  });

  test('lets the first admin come in', async () => {
    const tenant = await provision(admin);
    const user = await agent(app, tenant.adminEmail.toUpperCase(), tenant.adminPassword);
    const { data } = await user.graphql('{ me { email role tenantSlug impersonatedBy { email } } }');
    expect(data.me).toEqual({ email: tenant.adminEmail, role: 'admin', tenantSlug: tenant.slug, impersonatedBy: null });
  });
});
