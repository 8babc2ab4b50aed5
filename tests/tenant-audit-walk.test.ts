import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { buildGatewaySchema } from '../src/schema/build-schema.ts';
import { Actor, agent, provision, superAdmin, type Tenant } from './support/actors.ts';
import { SUPER_ADMIN, startApp, type TestApp } from './support/app.ts';
import { serverUrl, sql } from './support/database.ts';
import { mutationDocument, mutationsOf } from './support/documents.ts';
import { addUser } from './support/tenants.ts';
import { decode } from './support/tokens.ts';

let app: TestApp;
let root: Actor;
let tenant: Tenant;
let member: string;
/** Set as the walk makes them. */
const made = { division: '', exception: '', agent: '', role: '', key: '' };

beforeAll(async () => {
  app = await startApp();
  root = await superAdmin(app);
  tenant = await provision(root);
  member = (await addUser(app, tenant.id, { email: 'mira@walk.test' })).id;
});
afterAll(() => app.stop());

interface Walked {
  variables: () => Record<string, unknown>;
  action: string;
  /** What an impersonation may not do. */
  inPerson?: true;
  /** What it was done to; absent for the organization's own week. */
  target?: () => string;
}

const SECRET = 'secret-of-an-agent';
const DAYS = [{ dayOfWeek: 1, startTime: '09:00', endTime: '10:00' }];
const HOLIDAY =
  'BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:a\nDTSTART;VALUE=DATE:20300101\nEND:VEVENT\nEND:VCALENDAR';
const onDivision = (rest = {}) => ({
  variables: () => ({ divisionId: made.division, ...rest }),
  target: () => made.division,
});
const onException = {
  variables: () => ({ divisionId: made.division, exceptionId: made.exception }),
  target: () => made.exception,
};

/** Every mutation for tenants' users, in an order in which each can succeed. */
const walk: Record<string, Walked> = {
  createRole: { variables: () => ({ input: { name: 'Devs', permissions: ['LOGS_VIEW'] } }), action: 'role.create' },
  updateRole: {
    variables: () => ({ id: made.role, input: { permissions: [] } }),
    action: 'role.update',
    target: () => made.role,
  },
  createAgent: {
    variables: () => ({ input: { email: 'b@walk.test', fullName: 'Budi', password: SECRET, role: 'devs' } }),
    action: 'agent.create',
    inPerson: true,
  },
  updateAgent: {
    variables: () => ({ id: made.agent, input: { role: 'agent', fullName: 'Budi B' } }),
    action: 'agent.update',
    target: () => made.agent,
  },
  setAgentOnline: {
    variables: () => ({ id: made.agent, isOnline: true }),
    action: 'agent.status',
    target: () => made.agent,
  },
  deleteAgent: { variables: () => ({ id: made.agent }), action: 'agent.delete', target: () => made.agent },
  deleteRole: { variables: () => ({ id: made.role }), action: 'role.delete', target: () => made.role },
  createApiKey: {
    variables: () => ({ input: { name: 'CI', scopes: ['LOGS_VIEW'] } }),
    action: 'api_key.create',
    inPerson: true,
  },
  revokeApiKey: {
    variables: () => ({ id: made.key }),
    action: 'api_key.revoke',
    target: () => made.key,
    inPerson: true,
  },
  createDivision: { variables: () => ({ input: { name: 'Sales' } }), action: 'division.create' },
  updateDivision: {
    variables: () => ({ id: made.division, input: { timezone: 'Asia/Jakarta' } }),
    action: 'division.update',
    target: () => made.division,
  },
  assignDivisionAgents: {
    ...onDivision(),
    variables: () => ({ divisionId: made.division, agentIds: [member] }),
    action: 'division.assign_agents',
  },
  removeDivisionAgents: {
    ...onDivision(),
    variables: () => ({ divisionId: made.division, agentIds: [member] }),
    action: 'division.remove_agents',
  },
  updateWorkingHours: { variables: () => ({ days: DAYS }), action: 'working_hours.update' },
  updateDivisionWorkingHours: { ...onDivision({ days: DAYS }), action: 'working_hours.update' },
  deleteDivisionWorkingHours: { ...onDivision(), action: 'working_hours.delete' },
  updateTimezone: {
    variables: () => ({ timezone: 'Asia/Jakarta' }),
    action: 'timezone.update',
    target: () => 'timezone',
  },
  createWorkingHoursException: {
    variables: () => ({ input: { name: 'Fair', startDate: '2030-05-01' } }),
    action: 'exception.create',
  },
  updateWorkingHoursException: {
    variables: () => ({ id: made.exception, input: { name: 'Trade fair' } }),
    action: 'exception.update',
    target: () => made.exception,
  },
  optOutOfException: { ...onException, action: 'exception.opt_out' },
  optInToException: { ...onException, action: 'exception.opt_in' },
  deleteWorkingHoursException: {
    variables: () => ({ id: made.exception }),
    action: 'exception.delete',
    target: () => made.exception,
  },
  importHolidays: { variables: () => ({ calendar: HOLIDAY }), action: 'exception.import' },
  deleteDivision: { variables: () => ({ id: made.division }), action: 'division.delete', target: () => made.division },
  exportData: { variables: () => ({}), action: 'tenant.export', inPerson: true },
};

const MADE_BY: Record<string, keyof typeof made> = {
  createDivision: 'division',
  createWorkingHoursException: 'exception',
  createAgent: 'agent',
  createRole: 'role',
  createApiKey: 'key',
};
const byImpersonator = { actor_kind: 'super_admin', actor_email: SUPER_ADMIN.email };
const byAdmin = () => ({ actor_kind: 'agent', actor_email: tenant.adminEmail, on_behalf_of: null });

const database = () => serverUrl(app.services.servers.home.nameFor(tenant.id));
/** In both logs: what is about accounts and keys is in the control plane's. */
const entriesOf = async (requestId: string) => [
  ...(await sql(database(), 'select * from activity_log where request_id = $1', [requestId])),
  ...(await sql(app.databaseUrl, 'select * from audit_entries where request_id = $1', [requestId])),
];

test("every mutation of a tenant's leaves exactly one entry in its log, an impersonated one with both identities", async () => {
  const { body } = await root.rest('POST', `/api/super-admin/tenants/${tenant.id}/impersonate`);
  const impersonator = new Actor(app.url, body.token);
  const person = await agent(app, tenant.adminEmail, tenant.adminPassword);
  const mutations = new Map(mutationsOf(await buildGatewaySchema(), 'tenants').map((field) => [field.name, field]));
  expect(Object.keys(walk).sort()).toEqual([...mutations.keys()].sort());
  for (const [name, { variables, action, target, inPerson }] of Object.entries(walk)) {
    const given = variables();
    const query = mutationDocument(mutations.get(name)!, Object.keys(given));
    const requestId = `walk-${name}`;
    const answer = await (inPerson ? person : impersonator).rest(
      'POST',
      '/graphql',
      { query, variables: given },
      { 'x-request-id': requestId },
    );
    expect({ name, errors: answer.body.errors }).toEqual({ name, errors: undefined });
    const noun = MADE_BY[name];
    if (noun) made[noun] = answer.body.data[name].id;
    expect({ name, entries: await entriesOf(requestId) }).toEqual({
      name,
      entries: [
        expect.objectContaining({
          action,
          address: '127.0.0.1',
          ...(inPerson ? byAdmin() : { ...byImpersonator, on_behalf_of: decode(body.token).claims.sub }),
          ...(target && { target_id: target() }),
        }),
      ],
    });
  }
});

test('no entry holds a password, a hash or a key', async () => {
  const rows = await sql<{ row: string }>(database(), 'select e::text as row from activity_log e');
  expect(rows.length).toBeGreaterThan(20);
  for (const secret of [SECRET, 'argon2', 'eyJ']) expect(rows.filter(({ row }) => row.includes(secret))).toEqual([]);
  const keys = await sql<{ row: string }>(app.databaseUrl, `select e::text as row from audit_entries e`);
  expect(keys.filter(({ row }) => /osk_[0-9a-f]{8}_/.test(row))).toEqual([]);
});

test("an agent's own change names the agent alone", async () => {
  const person = await agent(app, tenant.adminEmail, tenant.adminPassword);
  await person.rest('PUT', '/api/settings/timezone', { timezone: 'Asia/Tokyo' }, { 'x-request-id': 'by-the-agent' });
  expect(await entriesOf('by-the-agent')).toEqual([
    expect.objectContaining({ actor_kind: 'agent', actor_email: tenant.adminEmail, on_behalf_of: null }),
  ]);
});

test("a tenant's own role can neither change nor remove what was done, nor what its hours were", async () => {
  const { tenants } = app.services;
  for (const text of [
    `update activity_log set action = 'nothing'`,
    'delete from activity_log',
    'delete from activity_chain',
    `insert into activity_chain values (1, gen_random_uuid(), '')`,
    'delete from activity_unlinked',
    'delete from schedule_versions',
    `update schedule_versions set valid_from = now()`,
    `insert into schedule_versions (valid_from) values (now())`,
  ]) {
    await expect(tenants.rows(tenant.id, { name: text.slice(0, 60), text })).rejects.toThrow('permission denied');
  }
});
