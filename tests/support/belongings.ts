/** One of each thing that a tenant can have, made through the API. */
import { type Actor, agent, eventually, type Tenant } from './actors.ts';
import type { TestApp } from './app.ts';

const PASSWORD = 'a password of a bystander';
let bystanders = 0;

/** Creates something. @returns it. */
export async function made(by: Actor, path: string, body: unknown) {
  const answer = await by.rest('POST', path, body);
  if (answer.status !== 201) throw new Error(`POST ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** Adds a user of the tenant. @returns their id. */
export async function hired(admin: Actor, email: string, password: string, role: string): Promise<string> {
  return (await made(admin, '/api/agents', { email, full_name: email, password, role })).id;
}

/** Ids by their nouns; none of them belongs to whoever asks. The division has hours of its own and sits the exception out. */
export async function belongingsOf(
  app: Pick<TestApp, 'url'>,
  root: Actor,
  admin: Actor,
  tenant: Tenant,
): Promise<Record<string, string>> {
  const name = `Belonging ${++bystanders}`;
  const email = `bystander-${bystanders}@cast.test`;
  const bystander = await hired(admin, email, PASSWORD, 'supervisor');
  const keeper = await agent(app, email, PASSWORD);
  await root.rest('POST', `/api/super-admin/tenants/${tenant.id}/impersonate`, {});
  const [division, role, exception, apiKey, sessions, impersonations, me, servers, upgrade] = await Promise.all([
    made(admin, '/api/divisions', { name }),
    made(admin, '/api/roles', { name, permissions: [] }),
    made(admin, '/api/working-hours/exceptions', { name, start_date: `${2030 + bystanders}-05-01` }),
    made(keeper, '/api/api-keys', { name, scopes: [] }),
    keeper.rest('GET', '/api/auth/sessions'),
    root.rest('GET', '/api/super-admin/impersonations'),
    root.rest('GET', '/api/auth/me'),
    root.rest('GET', '/api/super-admin/database-servers'),
    upgradedBy(root),
  ]);
  await admin.rest('POST', `/api/divisions/${division.id}/agents`, { agent_ids: [bystander] });
  const hours = { days: [{ day_of_week: 1, start_time: '08:00', end_time: '12:00' }] };
  await admin.rest('PUT', `/api/working-hours/divisions/${division.id}`, hours);
  await admin.rest('PUT', `/api/working-hours/divisions/${division.id}/opt-outs/${exception.id}`);
  return {
    tenant: tenant.id,
    agent: bystander,
    actor: bystander,
    division: division.id,
    role: role.id,
    exception: exception.id,
    apiKey: apiKey.id,
    export: await exportedBy(admin),
    session: sessions.body[0].id,
    impersonation: impersonations.body[0].id,
    superAdmin: me.body.id,
    server: servers.body[0].id,
    upgrade: upgrade.id,
    databaseServer: servers.body[0].id,
  };
}

/** Nothing is behind: it ends at once, and until then there cannot be another. @returns it. */
async function upgradedBy(root: Actor) {
  const upgrade = await made(root, '/api/super-admin/upgrades', {});
  await eventually(
    () => root.rest('GET', `/api/super-admin/upgrades/${upgrade.id}`),
    ({ body }) => body.state !== 'running',
  );
  return upgrade;
}

/** All of the tenant's data as files, which can be fetched. @returns its id. */
async function exportedBy(admin: Actor): Promise<string> {
  const { status, body } = await admin.rest('POST', '/api/exports');
  // Somebody may have asked for one a moment ago.
  const { id } = status === 201 ? body : (await admin.rest('GET', '/api/exports')).body[0];
  await eventually(
    () => admin.rest('GET', `/api/exports/${id}`),
    (answer) => answer.body.state === 'ready',
  );
  return id;
}
