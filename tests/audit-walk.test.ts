import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { PROVISIONING_STEPS } from '../src/domain/provisioning-steps.ts';
import { buildGatewaySchema } from '../src/schema/build-schema.ts';
import { type Actor, agent, anonymous, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { anotherServer } from './support/another-server.ts';
import { SUPER_ADMIN, startApp, type TestApp } from './support/app.ts';
import { serverUrl, sql } from './support/database.ts';
import { mutationDocument, mutationsOf } from './support/documents.ts';
import { addServer, moved, moveOf, type OtherServer, registeredServer } from './support/moves.ts';
import { makeOneOlder, POISON } from './support/older-version.ts';
import { addUser } from './support/tenants.ts';
import { decode } from './support/tokens.ts';

/** Distinct from everything else, so that it can be looked for in every row. */
const SECRETS = ['first-secret-of-a-tenant', 'new-secret-of-a-user', 'secret-of-another-admin', 'changed-secret-of-it'];

let app: TestApp;
let root: Actor;
let tenant: Tenant;
let user: string;
/** The user, signed in three times. */
let member: Actor;
let another: Actor;
let secondAdmin: string;
let impersonation: string;
/** Two tenants whose making has failed: one is retried, one called off. */
let failed: string[];
let movable: Tenant;
let other: OtherServer;
/** It goes. */
let leaving: Tenant;
/** Of one version before: one whose upgrade waits for a lock, and one whose upgrade fails. */
let behind: Tenant[];
let holder: pg.Client;
/** Not registered before the walk. */
let third: Awaited<ReturnType<typeof anotherServer>>;

beforeAll(async () => {
  app = await startApp({ UPGRADE_TENANTS: 'manual' });
  root = await superAdmin(app);
  tenant = await provision(root, { admin_password: SECRETS[0] });
  [movable, leaving, ...behind] = (await Promise.all([1, 2, 3, 4].map(() => provision(root)))) as [
    Tenant,
    Tenant,
    ...Tenant[],
  ];
  [other, third] = await Promise.all([registeredServer(app, 'other'), anotherServer()]);
  user = (await addUser(app, tenant.id, { email: 'mira@walk.test' })).id;
  [member, another] = (await Promise.all([1, 2].map(() => agent(app, 'mira@walk.test', 'a password')))) as [
    Actor,
    Actor,
  ];
  await agent(app, 'mira@walk.test', 'a password');
  PROVISIONING_STEPS.find(({ name }) => name === 'create_stores')!.begin = async () => async () => {
    throw new Error('away');
  };
  failed = await Promise.all(
    ['failed-1', 'failed-2'].map(async (slug) => {
      const { body } = await root.rest('POST', '/api/super-admin/tenants', { name: 'Failed', slug });
      return body.id as string;
    }),
  );
  await eventually(
    () => sql(app.databaseUrl, `select from provisioning_runs where state = 'retrying'`),
    (rows) => rows.length === 2,
  );
});
afterAll(async () => {
  try {
    await holder?.end();
    await moved(root, movable, 'finished');
    await app.stop();
  } finally {
    await Promise.all([other.remove(), third.remove()]);
  }
});

interface Walked {
  variables: () => Record<string, unknown>;
  /** What the entry says was done, and to what. */
  action: string;
  target?: () => string;
  by?: () => Actor;
  /** The super admin unless said. */
  who?: object;
  /** Brings about what it needs. */
  before?: () => Promise<unknown>;
}

const onTenant = { variables: () => ({ id: tenant.id }), target: () => tenant.id };
const onUser = { variables: () => ({ tenantId: tenant.id, id: user }), target: () => user };
const nobody = () => anonymous(app);
const mine = { variables: () => ({}) };
const byMember = { actor_kind: 'agent', actor_email: 'mira@walk.test' };
const sessionOf = (actor: Actor): string => decode(actor.token!).claims.sid;

/** Every mutation that is not for tenants' users (those: tenant-audit-walk), in an order in which each can succeed. */
const walk: Record<string, Walked> = {
  superAdminLogin: { variables: () => ({ ...SUPER_ADMIN }), action: 'super_admin.login', by: nobody },
  login: {
    variables: () => ({ email: tenant.adminEmail, password: tenant.adminPassword }),
    action: 'user.login',
    by: nobody,
    who: { actor_kind: 'agent', actor_email: expect.stringMatching(/^admin@/) },
  },
  provisionTenant: {
    variables: () => ({
      input: { name: 'Walked', slug: 'walked', adminEmail: 'a@walked.test', adminPassword: SECRETS[0] },
    }),
    action: 'tenant.provision',
  },
  updateTenant: {
    ...onTenant,
    variables: () => ({ id: tenant.id, input: { name: 'Renamed' } }),
    action: 'tenant.update',
  },
  register: {
    variables: () => ({ orgName: 'Signed up', adminEmail: 'a@signed.test', adminPassword: SECRETS[0] }),
    action: 'tenant.provision',
    by: nobody,
    who: { actor_kind: 'anonymous', actor_email: 'a@signed.test' },
  },
  freshToken: { ...mine, action: 'session.renew', by: () => member, who: byMember },
  endSession: {
    variables: () => ({ id: sessionOf(another) }),
    action: 'session.end',
    target: () => sessionOf(another),
    by: () => member,
    who: byMember,
  },
  endOtherSessions: { ...mine, action: 'session.end_others', by: () => member, who: byMember },
  logout: { ...mine, action: 'session.end', target: () => sessionOf(member), by: () => member, who: byMember },
  impersonateTenant: {
    variables: () => ({ ...onTenant.variables(), reason: 'Ticket 7', readOnly: true }),
    action: 'tenant.impersonate',
  },
  endImpersonation: {
    variables: () => ({ id: impersonation }),
    action: 'impersonation.end',
    target: () => impersonation,
  },
  impersonateTenantUser: { ...onUser, action: 'user.impersonate' },
  createTenantAdmin: {
    variables: () => ({ tenantId: tenant.id, input: { email: 'added@walk.test', password: SECRETS[1] } }),
    action: 'user.create',
  },
  resetTenantUserPassword: {
    ...onUser,
    variables: () => ({ ...onUser.variables(), newPassword: SECRETS[1] }),
    action: 'user.reset_password',
  },
  suspendTenantUser: { ...onUser, action: 'user.suspend' },
  activateTenantUser: { ...onUser, action: 'user.activate' },
  suspendTenant: { ...onTenant, action: 'tenant.suspend' },
  createSuperAdmin: {
    variables: () => ({ input: { email: 'second@walk.test', name: 'Second', password: SECRETS[2] } }),
    action: 'super_admin.create',
  },
  resetSuperAdminPassword: {
    variables: () => ({ id: secondAdmin, newPassword: SECRETS[3] }),
    action: 'super_admin.reset_password',
    target: () => secondAdmin,
  },
  deleteSuperAdmin: { variables: () => ({ id: secondAdmin }), action: 'super_admin.delete', target: () => secondAdmin },
  retryProvisioning: {
    variables: () => ({ tenantId: failed[0] }),
    action: 'tenant.retry_provisioning',
    target: () => failed[0]!,
  },
  cancelProvisioning: {
    variables: () => ({ tenantId: failed[1] }),
    action: 'tenant.cancel_provisioning',
    target: () => failed[1]!,
  },
};

const moveAway = () => root.rest('POST', moveOf(movable), { server_id: other.id });
const onMovable = { variables: () => ({ tenantId: movable.id }), target: () => movable.id };
Object.assign(walk, {
  moveTenant: { ...onMovable, variables: () => ({ tenantId: movable.id, serverId: other.id }), action: 'tenant.move' },
  cancelTenantMove: { ...onMovable, action: 'tenant.cancel_move' },
  undoTenantMove: {
    ...onMovable,
    action: 'tenant.undo_move',
    async before() {
      await moved(root, movable, 'cancelled');
      await moveAway();
      await moved(root, movable, 'switched');
    },
  },
  finishTenantMove: {
    ...onMovable,
    action: 'tenant.finish_move',
    async before() {
      await moved(root, movable, 'undone');
      await moveAway();
      await moved(root, movable, 'switched');
    },
  },
  abandonTenantMove: {
    ...onMovable,
    variables: () => ({ tenantId: movable.id, slug: movable.slug, reason: 'Its disks are gone' }),
    action: 'tenant.abandon_move',
    async before() {
      await moved(root, movable, 'finished');
      const gone = await addServer(app, 'gone', 'postgresql://omnistream@127.0.0.1:1/postgres');
      await sql(app.databaseUrl, `update tenant_moves set state = 'switched', source_id = $1, steps = steps - -1`, [
        gone,
      ]);
    },
  },
} satisfies Record<string, Walked>);

const urlOf = ({ id }: Tenant) => serverUrl(app.services.servers.home.nameFor(id));
const idOf = (table: string) => async () =>
  (await sql<{ id: string }>(app.databaseUrl, `select id from ${table}`))[0]!.id;
const upgradeState = (state: string) =>
  eventually(
    () => sql<{ state: string }>(app.databaseUrl, 'select state from upgrade_runs'),
    ([run]) => run?.state === state,
  );
let upgrade = '';
const onUpgrade = { variables: () => ({ id: upgrade }), target: () => upgrade };
let server = '';
const onServer = { variables: () => ({ id: server }), target: () => server };
const onLeaving = { variables: () => ({ tenantId: leaving.id }), target: () => leaving.id };
const archived = (is: boolean) => () =>
  eventually(
    () => root.rest('GET', `/api/super-admin/tenants/${leaving.id}`),
    ({ body }) => 'archived_at' in body === is,
    20_000,
  );
Object.assign(walk, {
  registerDatabaseServer: {
    variables: () => ({ input: { name: 'third', url: third.url, capacity: 7 } }),
    action: 'database_server.register',
  },
  updateDatabaseServer: {
    ...onServer,
    variables: () => ({ id: server, input: { capacity: 8 } }),
    action: 'database_server.update',
    async before() {
      server = await idOf("database_servers where name = 'third'")();
    },
  },
  removeDatabaseServer: { ...onServer, action: 'database_server.remove' },
  exportTenant: { variables: () => ({ tenantId: leaving.id }), action: 'tenant.export' },
  purgeTenant: {
    ...onLeaving,
    variables: () => ({ tenantId: leaving.id, slug: leaving.slug }),
    action: 'tenant.schedule_purge',
    before: () => root.rest('DELETE', `/api/super-admin/tenants/${leaving.id}`),
  },
  cancelPurge: { ...onLeaving, action: 'tenant.cancel_purge' },
  archiveTenant: { ...onLeaving, action: 'tenant.archive' },
  unarchiveTenant: { ...onLeaving, action: 'tenant.unarchive', before: archived(true) },
  startUpgrade: {
    variables: () => ({ input: {} }),
    action: 'upgrade.start',
    async before() {
      await archived(false)();
      const [waits, fails] = behind as [Tenant, Tenant];
      await makeOneOlder(app.databaseUrl, [waits.id, fails.id]);
      await sql(urlOf(fails), POISON);
      holder = new pg.Client({ connectionString: urlOf(waits) });
      await holder.connect();
      await holder.query('begin; lock table mikro_orm_migrations in access exclusive mode');
    },
  },
  retryTenantUpgrade: {
    variables: () => ({ tenantId: behind[1]!.id }),
    target: () => behind[1]!.id,
    action: 'upgrade.retry',
    async before() {
      upgrade = await idOf('upgrade_runs')();
      await eventually(
        () => sql(app.databaseUrl, `select from upgrade_items where state = 'failed'`),
        (rows) => rows.length === 1,
      );
    },
  },
  pauseUpgrade: { ...onUpgrade, action: 'upgrade.pause' },
  resumeUpgrade: { ...onUpgrade, action: 'upgrade.resume', before: () => upgradeState('paused') },
  cancelUpgrade: { ...onUpgrade, action: 'upgrade.cancel' },
} satisfies Record<string, Walked>);

const liveImpersonations = async () =>
  (await root.rest('GET', '/api/super-admin/impersonations')).body.map(({ id }: { id: string }) => id);

test('every mutation there is leaves exactly one entry: by whom, what, on what, under which request, from where', async () => {
  const mutations = new Map(mutationsOf(await buildGatewaySchema(), 'others').map((field) => [field.name, field]));
  expect(Object.keys(walk).sort()).toEqual([...mutations.keys()].sort());
  for (const [name, { variables, action, target, who, before, by = () => root }] of Object.entries(walk)) {
    await before?.();
    const given = variables();
    const query = mutationDocument(mutations.get(name)!, Object.keys(given));
    const requestId = `walk-${name}`;
    const answer = await by().rest('POST', '/graphql', { query, variables: given }, { 'x-request-id': requestId });
    expect({ name, errors: answer.body.errors }).toEqual({ name, errors: undefined });
    if (name === 'createSuperAdmin') secondAdmin = answer.body.data.createSuperAdmin.id;
    if (name === 'impersonateTenant') [impersonation] = await liveImpersonations();
    const entries = await sql(app.databaseUrl, 'select * from audit_entries where request_id = $1', [requestId]);
    expect({ name, entries }).toEqual({
      name,
      entries: [
        expect.objectContaining({
          action,
          address: '127.0.0.1',
          ...(who ?? { actor_kind: 'super_admin', actor_email: SUPER_ADMIN.email }),
          ...(target && { target_id: target() }),
        }),
      ],
    });
  }
  expect(
    (await sql(app.databaseUrl, 'select from audit_entries where actor_id = $1', [decode(root.token!).claims.sub]))
      .length,
  ).toBeGreaterThan(10);
});

test('no entry holds a password, a hash or a token', async () => {
  const rows = await sql<{ row: string }>(app.databaseUrl, 'select e::text as row from audit_entries e');
  expect(rows.length).toBeGreaterThan(Object.keys(walk).length);
  for (const secret of [...SECRETS, SUPER_ADMIN.password, 'argon2', 'eyJ']) {
    expect(rows.filter(({ row }) => row.includes(secret))).toEqual([]);
  }
});

test('a sign-in that is refused leaves one too, also when the password is right', async () => {
  // Since the walk.
  const suspended = tenant;
  const { adminEmail: email, adminPassword: password } = suspended;
  for (const [requestId, credentials] of [
    ['wrong', { email, password: 'wrong-secret-of-a-tenant' }],
    ['right', { email, password }],
  ] as const) {
    const { status } = await nobody().rest('POST', '/api/auth/login', credentials, { 'x-request-id': requestId });
    expect(status).toBe(requestId === 'right' ? 403 : 401);
  }
  const entries = await sql(
    app.databaseUrl,
    `select action, actor_email, org_id, after from audit_entries where request_id in ('wrong', 'right') order by id`,
  );
  const who = { actor_email: email, org_id: suspended.id };
  expect(entries).toEqual([
    { action: 'user.login_failed', ...who, after: null },
    { action: 'user.login_refused', ...who, after: { reason: 'tenant_suspended' } },
  ]);
});

test('what a called-off tenant was stays in the log when the tenant is gone', async () => {
  const actions = await eventually(
    () =>
      sql<{ action: string; before: object }>(
        app.databaseUrl,
        'select action, before from audit_entries where org_id = $1 order by id',
        [failed[1]],
      ),
    (rows) => rows.at(-1)?.action === 'tenant.remove',
  );
  expect(actions.map(({ action }) => action)).toEqual([
    'tenant.provision',
    'tenant.cancel_provisioning',
    'tenant.remove',
  ]);
  expect(actions.at(-1)!.before).toEqual({ name: 'Failed', slug: 'failed-2' });
});

test('a change that is rolled back leaves none, and one without a change of its own neither', async () => {
  const entries = () => sql(app.databaseUrl, 'select id from audit_entries');
  const before = await entries();
  // The event comes last in the transaction, after the entry.
  await sql(app.databaseUrl, 'alter table events rename to events_away');
  try {
    const { status } = await root.rest('POST', '/api/super-admin/tenants', { name: 'Never', slug: 'never-made' });
    expect(status).toBe(500);
  } finally {
    await sql(app.databaseUrl, 'alter table events_away rename to events');
  }
  expect(await entries()).toEqual(before);
  expect(await sql(app.databaseUrl, `select from organizations where slug = 'never-made'`)).toEqual([]);
  // It is suspended already.
  expect((await root.rest('DELETE', `/api/super-admin/tenants/${tenant.id}`)).status).toBe(200);
  expect(await entries()).toEqual(before);
});
