import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { Actor, type Answer, agent, anonymous, pagesOf, provision, superAdmin, type Tenant } from './support/actors.ts';
import { ApiDescription } from './support/api-description.ts';
import { SUPER_ADMIN, startApp, type TestApp } from './support/app.ts';
import { serverUrl, sql } from './support/database.ts';
import { expectError, expectGraphqlError } from './support/errors.ts';
import { addUser } from './support/tenants.ts';
import { decode } from './support/tokens.ts';

const LOGS = '/api/activity-logs';
const UUID = expect.stringMatching(/^[0-9a-f-]{36}$/);
const INSTANT = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

let app: TestApp;
let description: ApiDescription;
let root: Actor;
let acme: Tenant;
let other: Tenant;
let admin: Actor;
let stranger: Actor;
let adminId: string;

beforeAll(async () => {
  app = await startApp();
  root = await superAdmin(app);
  description = new ApiDescription((await root.rest('GET', '/api/openapi.json')).body);
  [acme, other] = await Promise.all([provision(root), provision(root)]);
  admin = await agent(app, acme.adminEmail, acme.adminPassword);
  stranger = await agent(app, other.adminEmail, other.adminPassword);
  adminId = decode(admin.token!).claims.sub;
});
afterAll(() => app?.stop());

interface Entry {
  id: string;
  action: string;
  created_at: string;
  [field: string]: unknown;
}

/** Asks, and holds the answer, good or bad, to what the API description says of it. */
async function logs(query = '', by = admin): Promise<Answer<Entry[] & { details: { field: string }[] }>> {
  const answer = await by.rest('GET', `${LOGS}${query && `?${query}`}`);
  expect(description.answerErrors('GET', LOGS, answer.status, answer.body)).toEqual([]);
  return answer;
}
const entries = async (query = '', by = admin): Promise<Entry[]> => (await logs(query, by)).body;
const actions = async (query = '', by = admin) => (await entries(query, by)).map(({ action }) => action);

/** Makes a division under a request id of its own. @returns its id. */
async function divide(name: string, by = admin): Promise<string> {
  const { body } = await by.rest('POST', '/api/divisions', { name }, { 'x-request-id': `divide-${name}` });
  return body.id;
}

describe('an entry', () => {
  test('says who did what to what, when, under which request and from where, with before and after', async () => {
    const id = await divide('Sales');
    await admin.rest('PATCH', `/api/divisions/${id}`, { timezone: 'Asia/Jakarta' }, { 'x-request-id': 'to-jakarta' });
    const [changed, made] = await entries(`target_id=${id}`);
    expect(changed).toEqual({
      id: UUID,
      action: 'division.update',
      actor_kind: 'agent',
      actor_id: adminId,
      actor_email: acme.adminEmail,
      actor_name: expect.any(String),
      target_type: 'division',
      target_id: id,
      before: { name: 'Sales', description: null, timezone: null },
      after: { name: 'Sales', description: null, timezone: 'Asia/Jakarta' },
      request_id: 'to-jakarta',
      address: '127.0.0.1',
      created_at: INSTANT,
    });
    expect(made).toMatchObject({ action: 'division.create', request_id: 'divide-Sales' });
    expect(made).not.toHaveProperty('before');
  });

  test('names what changed as the surface that is asked spells it, however deep', async () => {
    await root.rest('PATCH', `/api/super-admin/tenants/${acme.id}`, { limits: { max_agents: 50 } });
    const [change] = await entries('action=tenant.update');
    expect(change!.after).toMatchObject({ limits: { max_agents: 50 } });
    const { data } = await admin.graphql(
      '{ activityLogs(first: 1, filter: { action: "tenant.update" }) { nodes { actorKind after } } }',
    );
    expect(data.activityLogs.nodes).toEqual([
      { actorKind: 'SUPER_ADMIN', after: expect.objectContaining({ limits: { maxAgents: 50 } }) },
    ]);
  });

  test('shows a super admin who acts as an agent, to that organization’s admin: both identities, and no address', async () => {
    const { body } = await root.rest('POST', `/api/super-admin/tenants/${acme.id}/impersonate`);
    const id = await divide('Made by support', new Actor(app.url, body.token));
    const [made] = await entries(`target_id=${id}`);
    expect(made).toMatchObject({
      actor_kind: 'super_admin',
      actor_email: SUPER_ADMIN.email,
      actor_id: decode(root.token!).claims.sub,
      actor_name: expect.any(String),
      on_behalf_of: adminId,
      on_behalf_of_email: acme.adminEmail,
      on_behalf_of_name: expect.any(String),
    });
    expect(made).not.toHaveProperty('address');
    const [impersonated] = await entries('action=tenant.impersonate');
    expect(impersonated).toMatchObject({ actor_kind: 'super_admin', actor_email: SUPER_ADMIN.email });
    expect(impersonated).not.toHaveProperty('address');
  });

  test('keeps the name of an agent who was deleted since', async () => {
    const { id, email } = await addUser(app, acme.id, {
      email: 'gone@acme.test',
      fullName: 'Gone Girl',
      role: 'admin',
    });
    await divide('Left behind', await agent(app, email, 'a password'));
    await app.services.tenants.rows(acme.id, { name: '', text: 'update agents set deleted_at = now() where id = $1' }, [
      id,
    ]);
    expect((await entries(`actor_id=${id}&action=division.create`))[0]).toMatchObject({ actor_name: 'Gone Girl' });
  });

  test('tells of sign-ins, those that failed too', async () => {
    await anonymous(app).rest('POST', '/api/auth/login', { email: acme.adminEmail, password: 'a wrong password' });
    expect((await entries(`action=user.login&actor_id=${adminId}`))[0]).toMatchObject({ address: '127.0.0.1' });
    expect((await entries('action=user.login_failed'))[0]).toMatchObject({
      actor_kind: 'anonymous',
      actor_email: acme.adminEmail,
    });
  });
});

describe('the list', () => {
  test('is newest first, of both logs, and the same in pages of any size', async () => {
    // Of both by turns.
    for (const name of ['one', 'two', 'three']) {
      await divide(`Turn ${name}`);
      await agent(app, acme.adminEmail, acme.adminPassword);
    }
    const all = await entries('limit=500');
    expect(all.slice(0, 4).map(({ action }) => action)).toEqual([
      'user.login',
      'division.create',
      'user.login',
      'division.create',
    ]);
    const ids = all.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort().reverse());
    expect(new Set(ids).size).toBe(ids.length);
    const times = all.map((entry) => entry.created_at);
    expect(times).toEqual([...times].sort().reverse());
    for (const limit of [1, 3, 7, 500]) {
      const pages = await pagesOf<Entry>(admin, `${LOGS}?limit=${limit}`);
      expect(pages.flat().map(({ id }) => id)).toEqual(ids);
    }
  });

  test('comes in pages of 50 where nobody says how many, and the link keeps the filters', async () => {
    const rows = Array.from({ length: 120 }, () => uuidv7());
    await app.services.tenants.rows(
      acme.id,
      {
        name: '',
        text: `insert into activity_log (id, actor_kind, action, target_type, target_id, created_at)
               select id, 'system', 'many.made', 'many', 'of them', now() from unnest($1::uuid[]) id`,
      },
      [rows],
    );
    const pages = await pagesOf<Entry>(admin, `${LOGS}?action=many.made&target_type=many`);
    expect(pages.map(({ length }) => length)).toEqual([50, 50, 20]);
    expect(pages.flat().map(({ id }) => id)).toEqual([...rows].reverse());
    const { data } = await admin.graphql('{ activityLogs { nodes { id } pageInfo { hasNextPage endCursor } } }');
    expect(data.activityLogs.nodes).toHaveLength(50);
    expect(data.activityLogs.pageInfo).toEqual({ hasNextPage: true, endCursor: data.activityLogs.nodes[49].id });
  });

  test('keeps its place when something is added meanwhile', async () => {
    const first = await logs('limit=3');
    await divide('Meanwhile');
    const rest = await entries(`limit=500&after=${first.body.at(-1)!.id}`);
    const all = await entries('limit=500');
    expect([...first.body, ...rest]).toEqual(all.slice(all.length - rest.length - 3));
    expect(all[0]!.after).toMatchObject({ name: 'Meanwhile' });
  });

  test('never holds anything of another organization’s', async () => {
    const mark = 'Only acme knows';
    const id = await divide(mark);
    await root.rest('POST', `/api/super-admin/users/${adminId}/suspend?tenant_id=${acme.id}`);
    await root.rest('POST', `/api/super-admin/users/${adminId}/activate?tenant_id=${acme.id}`);
    admin = await agent(app, acme.adminEmail, acme.adminPassword);
    expect(await actions(`target_id=${adminId}`)).toEqual(expect.arrayContaining(['user.suspend', 'user.activate']));
    const theirs = JSON.stringify(await entries('limit=500', stranger));
    for (const secret of [mark, id, adminId, acme.id, acme.adminEmail]) expect(theirs).not.toContain(secret);
    expect(await entries(`actor_id=${adminId}`, stranger)).toEqual([]);
    expect(await entries(`target_id=${id}`, stranger)).toEqual([]);
    // What concerns no organization is nobody's.
    expect(await entries('action=super_admin.login')).toEqual([]);
  });
});

describe('each filter', () => {
  test.each([
    ['actor_id', () => `actor_id=${adminId}`, (entry: Entry) => entry.actor_id === adminId],
    ['an action', () => 'action=division.create', (entry: Entry) => entry.action === 'division.create'],
    ['all actions of a noun', () => 'action=user.*', (entry: Entry) => entry.action.startsWith('user.')],
    ['target_type', () => 'target_type=division', (entry: Entry) => entry.target_type === 'division'],
    [
      'several at once',
      () => `actor_id=${adminId}&target_type=division&action=division.*`,
      (entry: Entry) => entry.actor_id === adminId && entry.target_type === 'division',
    ],
  ])('gives what fits it and nothing else: %s', async (_, query, fits) => {
    const all = await pagesOf<Entry>(admin, `${LOGS}?limit=500`);
    const wanted = all.flat().filter(fits);
    expect(wanted.length).toBeGreaterThan(0);
    expect(await entries(`limit=500&${query()}`)).toEqual(wanted);
  });

  test('of time takes in its beginning and not its end', async () => {
    const all = await entries('limit=500');
    const [newer, older] = [all[2]!.created_at, all[8]!.created_at];
    const within = all.filter(({ created_at }) => created_at >= older && created_at < newer);
    expect(await entries(`limit=500&from=${older}&to=${newer}`)).toEqual(within);
    const shifted = encodeURIComponent(newer.replace('Z', '+00:00'));
    expect(await entries(`limit=500&to=${shifted}`)).toEqual(all.filter(({ created_at }) => created_at < newer));
    expect(await entries('from=2199-01-01T00:00:00Z')).toEqual([]);
  });

  test('is served by an index in the order of the list, in both logs', async () => {
    const conditions = [
      `actor_id = '${adminId}'`,
      `action = 'a.b'`,
      `split_part(action, '.', 1) = 'a'`,
      `target_type = 'division'`,
      `target_id = 'x'`,
    ];
    // The same of another tenant: what serves the log of all of them would have to leave it out.
    await sql(
      app.databaseUrl,
      `insert into audit_entries (id, org_id, actor_kind, actor_id, action, target_type, target_id, created_at)
       select uuidv7(), '00000000-0000-7000-8000-000000000000', 'agent', $1, 'a.b', 'division', 'x', now()
         from generate_series(1, 2000)`,
      [adminId],
    );
    await sql(app.databaseUrl, 'analyze audit_entries');
    for (const [database, log, scope] of [
      [serverUrl(app.services.servers.home.nameFor(acme.id)), 'activity_log', ''],
      [app.databaseUrl, 'audit_entries', `org_id = '${acme.id}' and`],
    ] as const) {
      // Of tables as small as these the whole would be read.
      const url = new URL(database);
      url.searchParams.set('options', '-c enable_seqscan=off -c enable_sort=off -c enable_bitmapscan=off');
      for (const condition of conditions) {
        const text = `explain select * from ${log} where ${scope} ${condition} order by id desc limit 5`;
        const plan = (await sql<Record<string, string>>(url.href, text)).flatMap(Object.values).join('\n');
        expect(plan).toContain('Index Scan Backward');
        expect(plan).not.toContain('Filter');
      }
    }
  });
});

describe('what cannot be', () => {
  test.each([
    ['actor_id=me', 'actor_id'],
    ['action=Division', 'action'],
    ['action=*', 'action'],
    ['action=division.%25', 'action'],
    [`action=${'a'.repeat(100)}.b`, 'action'],
    ['target_type=', 'target_type'],
    ['target_id=%00', 'target_id'],
    ['from=yesterday', 'from'],
    ['to=2026-02-30T00:00:00Z', 'to'],
    ['from=2026-02-02T00:00:00Z&to=2026-02-01T00:00:00Z', 'to'],
    ['limit=0', 'limit'],
    ['limit=501', 'limit'],
    ['after=abc', 'after'],
    ['action=a.b&action=c.d', 'action'],
  ])('is refused by name: ?%s', async (query, field) => {
    const answer = await logs(query);
    expectError(answer, 400, 'validation_failed');
    expect(answer.body.details.map((detail) => detail.field)).toEqual([field]);
  });

  test('is refused over GraphQL as well', async () => {
    const asked = (filter: string) => admin.graphql(`{ activityLogs(filter: ${filter}) { nodes { id } } }`);
    for (const filter of [
      '{ action: "x" }',
      '{ targetId: "" }',
      '{ from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z" }',
    ]) {
      expectGraphqlError(await asked(filter), 'VALIDATION_FAILED');
    }
    expect((await asked('{ action: null, from: null }')).errors).toBeUndefined();
  });
});

describe('who may look', () => {
  test('supervisors and admins; neither agents, nor super admins, nor strangers', async () => {
    const person = async (role: string) =>
      agent(app, (await addUser(app, acme.id, { email: `${role}@who.test`, role })).email, 'a password');
    expect((await logs('', await person('supervisor'))).status).toBe(200);
    expectError(await logs('', await person('agent')), 403, 'forbidden');
    expectError(await logs('', root), 403, 'forbidden');
    expectError(await logs('', anonymous(app)), 401, 'unauthenticated');
  });

  test('an impersonated admin too, as whoever stands behind it would', async () => {
    const { body } = await root.rest('POST', `/api/super-admin/tenants/${acme.id}/impersonate`);
    expect((await logs('', new Actor(app.url, body.token))).status).toBe(200);
  });
});

test('older entries than this version’s are shown as well', async () => {
  await sql(
    app.databaseUrl,
    `insert into audit_entries (id, org_id, actor_kind, action, created_at) values ($1, $2, 'system', 'tenant.aged', now())`,
    [uuidv7({ msecs: Date.now() - 1000 }), acme.id],
  );
  expect(await actions('action=tenant.aged')).toEqual(['tenant.aged']);
});
