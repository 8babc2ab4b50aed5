/** What nobody can do to the people of a tenant, whatever they may otherwise. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Actor, agent, provision, superAdmin } from './support/actors.ts';
import { AGENTS, agentsOf, idOf } from './support/agents.ts';
import { startApp, type TestApp } from './support/app.ts';
import { sql } from './support/database.ts';
import { expectError, expectGraphqlError } from './support/errors.ts';

let here: TestApp;
let root: Actor;
let admin: Actor;

beforeAll(async () => {
  here = await startApp();
  root = await superAdmin(here);
  const { adminEmail, adminPassword } = await provision(root);
  admin = await agent(here, adminEmail, adminPassword);
});
afterAll(() => here?.stop());

const { create, created, login, patch } = agentsOf(() => ({ here, admin }));

describe('an admin is always left', () => {
  const withAdmins = async (count: number) => {
    const tenant = await provision(root);
    const first = await agent(here, tenant.adminEmail, tenant.adminPassword);
    const admins = [first];
    while (admins.length < count) admins.push(await login(await created({ role: 'admin' }, first)));
    const left = async () => (await first.rest('GET', `${AGENTS}?role=admin`)).body.length;
    return { tenant, admins, left };
  };

  test('the last one can be neither demoted, deactivated nor deleted', async () => {
    const { admins } = await withAdmins(1);
    const [only] = admins as [Actor];
    expectError(await patch(idOf(only), { role: 'agent' }, only), 409, 'last_admin');
    expectError(await patch(idOf(only), { is_active: false }, only), 409, 'last_admin');
    expect((await patch(idOf(only), { role: 'admin', full_name: 'Still here' }, only)).status).toBe(200);
  });

  test('one who is deactivated does not count', async () => {
    const { admins } = await withAdmins(2);
    const [first, second] = admins as [Actor, Actor];
    await patch(idOf(second), { is_active: false }, first);
    expectError(await patch(idOf(first), { role: 'agent' }, first), 409, 'last_admin');
  });

  test.each(['demoting', 'deleting', 'deactivating'])('two %s each other at once leave one', async (how) => {
    const { tenant, admins } = await withAdmins(2);
    const against = (by: Actor, whom: Actor) => {
      if (how === 'deleting') return by.rest('DELETE', `${AGENTS}/${idOf(whom)}`);
      return patch(idOf(whom), how === 'demoting' ? { role: 'agent' } : { is_active: false }, by);
    };
    const [first, second] = admins as [Actor, Actor];
    const answers = await Promise.all([against(first, second), against(second, first)]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const able = await sql<{ id: string }>(
      here.databaseUrl,
      'select id from identities where org_id = $1 and suspended_at is null',
      [tenant.id],
    );
    const live = await here.services.tenants.rows<{ id: string }>(tenant.id, {
      name: '',
      text: `select a.id from agents a join roles r on r.id = a.role_id where r.name = 'admin' and a.deleted_at is null`,
    });
    expect(live.filter(({ id }) => able.some((one) => one.id === id))).toHaveLength(1);
  });
});

describe('nobody reaches beyond their own rights', () => {
  let deputy: Actor;
  beforeAll(async () => {
    await admin.rest('POST', '/api/roles', { name: 'Deputy', permissions: ['agents.manage', 'divisions.view'] });
    deputy = await login(await created({ role: 'Deputy' }));
  });

  test('not in giving roles', async () => {
    for (const role of ['admin', 'supervisor']) expectError(await create({ role }, deputy), 403, 'forbidden');
    for (const role of ['agent', 'deputy']) expect((await create({ role }, deputy)).status).toBe(201);
    const { id } = await created();
    expectError(await patch(id, { role: 'admin' }, deputy), 403, 'forbidden');
    expectError(await patch(idOf(deputy), { role: 'admin' }, deputy), 403, 'forbidden');
  });

  test('not in touching those who may more', async () => {
    const boss = await created({ role: 'supervisor' });
    for (const change of [{ password: 'taken over' }, { email: 'mine@acme.test' }, { full_name: 'x' }]) {
      expectError(await patch(boss.id, change, deputy), 403, 'forbidden');
      expectError(await patch(idOf(admin), change, deputy), 403, 'forbidden');
    }
    expectError(await deputy.rest('DELETE', `${AGENTS}/${boss.id}`), 403, 'forbidden');
    await login(boss);
  });

  test("not in another tenant's", async () => {
    const stranger = await provision(root);
    const theirs = await agent(here, stranger.adminEmail, stranger.adminPassword);
    const { id } = await created();
    for (const answer of [
      await theirs.rest('GET', `${AGENTS}/${id}`),
      await patch(id, { full_name: 'x' }, theirs),
      await theirs.rest('DELETE', `${AGENTS}/${id}`),
      await theirs.rest('PATCH', `${AGENTS}/${id}/status`, { is_online: true }),
    ]) {
      expectError(answer, 404, 'not_found');
    }
    expectGraphqlError(await theirs.graphql('query ($id: UUID!) { agent(id: $id) { id } }', { id }), 'NOT_FOUND');
  });
});
