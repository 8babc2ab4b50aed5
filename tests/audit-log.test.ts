import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { v7 } from 'uuid';
import { sqlOf } from '../src/db/control.ts';
import { type AuditLogRow, auditEntriesBetween } from '../src/domain/audit-log.ts';
import { type LogFilter, logPage } from '../src/domain/log-pages.ts';
import { Actor, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { SUPER_ADMIN, startApp, type TestApp } from './support/app.ts';
import { sql } from './support/database.ts';
import { decode } from './support/tokens.ts';

const COLLEAGUE = { email: 'colleague@platform.test', password: 'a password' };
const NAME = 'A Colleague';

let app: TestApp;
let root: Actor;
let rootId: string;
let colleague: Actor;
let colleagueId: string;
let acme: Tenant;
let other: Tenant;

beforeAll(async () => {
  app = await startApp();
  root = await superAdmin(app);
  rootId = decode(root.token!).claims.sub;
  [acme, other] = [await provision(root, { name: 'Acme', slug: 'acme' }), await provision(root, { name: 'Other' })];
  colleagueId = (await root.rest('POST', '/api/super-admin/admins', { ...COLLEAGUE, name: NAME })).body.id;
  colleague = await superAdmin(app, COLLEAGUE);
  for (const limit of [1, 2, 3]) {
    const address = `/api/super-admin/tenants/${acme.id}`;
    await colleague.rest('PATCH', address, { limits: { max_agents: limit } }, { 'x-request-id': `limit-${limit}` });
  }
  await root.rest('DELETE', `/api/super-admin/tenants/${other.id}`);
});
afterAll(() => app?.stop());

const QUERY = `query ($first: Int, $after: String, $filter: AuditLogFilter) {
  auditLog(first: $first, after: $after, filter: $filter) {
    edges { cursor node { id } }
    nodes {
      id action actorKind actorId actorEmail actorName onBehalfOf onBehalfOfEmail tenantId tenantName tenantSlug
      targetType targetId before after requestId address createdAt
    }
    pageInfo { endCursor hasNextPage }
  }
}`;

async function log(variables: { first?: number; after?: string; filter?: object } = {}) {
  const { data, errors } = await root.graphql(QUERY, variables);
  expect(errors).toBeUndefined();
  return data.auditLog as {
    edges: { cursor: string; node: { id: string } }[];
    nodes: AuditLogRow[];
    pageInfo: { endCursor: string; hasNextPage: boolean };
  };
}
const entries = async (filter: object) => (await log({ filter })).nodes;
const actions = async (filter: object) => (await entries(filter)).map(({ action }) => action);

describe('the audit log', () => {
  test('says who did what to whom, newest first', async () => {
    const { nodes } = await log();
    expect(nodes.map(({ id }) => id)).toEqual(
      nodes
        .map(({ id }) => id)
        .sort()
        .reverse(),
    );
    expect(nodes[0]).toMatchObject({ action: 'tenant.suspend', tenantId: other.id, tenantName: 'Other' });
    const [newest] = await entries({ actorId: colleagueId, action: 'tenant.update' });
    expect(newest).toEqual({
      id: expect.any(String),
      action: 'tenant.update',
      actorKind: 'SUPER_ADMIN',
      actorId: colleagueId,
      actorEmail: COLLEAGUE.email,
      actorName: NAME,
      onBehalfOf: null,
      onBehalfOfEmail: null,
      tenantId: acme.id,
      tenantName: 'Acme',
      tenantSlug: 'acme',
      targetType: 'tenant',
      targetId: acme.id,
      before: { name: 'Acme', status: 'active', limits: { maxAgents: 2 } },
      after: { name: 'Acme', status: 'active', limits: { maxAgents: 3 } },
      requestId: 'limit-3',
      address: '127.0.0.1',
      createdAt: expect.stringMatching(/Z$/),
    });
  });

  test('names the agent as whom a super admin acted', async () => {
    const { body } = await root.rest('POST', `/api/super-admin/tenants/${acme.id}/impersonate`);
    await new Actor(app.url, body.token).rest('POST', '/api/auth/logout');
    const [entry] = await entries({ actorId: rootId, search: 'impersonat' });
    expect(entry).toMatchObject({ actorKind: 'SUPER_ADMIN', actorEmail: SUPER_ADMIN.email, tenantSlug: 'acme' });
    const acted = (await entries({ tenantId: acme.id })).filter(({ onBehalfOf }) => onBehalfOf);
    expect(acted.length).toBeGreaterThan(0);
    for (const { onBehalfOfEmail } of acted) expect(onBehalfOfEmail).toBe(acme.adminEmail);
  });

  test('names them by the address that they have now; the one who acted, by the address of then', async () => {
    const tenant = await provision(root);
    const admin = await agent(app, tenant.adminEmail, tenant.adminPassword);
    const { body } = await root.rest('POST', `/api/super-admin/tenants/${tenant.id}/impersonate`);
    await new Actor(app.url, body.token).rest('POST', '/api/auth/logout');
    const { sub } = decode(admin.token!).claims;
    expect((await admin.rest('PATCH', `/api/agents/${sub}`, { email: 'moved@on.test' })).status).toBe(200);
    const told = await entries({ tenantId: tenant.id });
    expect(told.find(({ action }) => action === 'impersonation.end')?.onBehalfOfEmail).toBe('moved@on.test');
    expect(told.find(({ action }) => action === 'user.login')?.actorEmail).toBe(tenant.adminEmail);
  });

  test('comes in pages that are the whole', async () => {
    const { nodes } = await log({ first: 500 });
    const walked: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await log({ first: 3, after });
      walked.push(...page.edges.map(({ node }) => node.id));
      if (!page.pageInfo.hasNextPage) break;
      after = page.pageInfo.endCursor;
    }
    expect(walked).toEqual(nodes.map(({ id }) => id));
    const { errors } = await root.graphql(QUERY, { after: 'nonsense' });
    expect(errors![0]!.extensions).toMatchObject({ code: 'VALIDATION_FAILED', details: [{ field: 'after' }] });
  });

  test('is filtered by who, what, whose, on what and when, all at once', async () => {
    expect(await actions({ actorId: colleagueId, tenantId: acme.id })).toEqual(Array(3).fill('tenant.update'));
    expect(await actions({ actorId: colleagueId, tenantId: other.id })).toEqual([]);
    expect(new Set(await actions({ action: 'tenant.*', tenantId: other.id }))).toEqual(
      new Set(['tenant.suspend', 'tenant.activate', 'tenant.provision']),
    );
    expect(await actions({ action: 'tenant.suspend' })).toEqual(['tenant.suspend']);
    expect(await actions({ targetType: 'tenant', targetId: other.id, action: 'tenant.provision' })).toHaveLength(1);
    const [update] = await entries({ action: 'tenant.update' });
    const from = update!.createdAt;
    const later = new Date(Date.parse(from) + 1).toISOString();
    expect(await actions({ from, to: later, action: 'tenant.update' })).toEqual(['tenant.update']);
    expect(await actions({ from: later, action: 'tenant.update' })).toEqual([]);
    const { errors } = await root.graphql(QUERY, { filter: { from: later, to: from } });
    expect(errors![0]!.extensions).toMatchObject({ code: 'VALIDATION_FAILED', details: [{ field: 'to' }] });
    for (const filter of [{ action: 'tenant' }, { targetId: '' }, { search: 'x'.repeat(201) }, { search: '\0' }]) {
      const { errors } = await root.graphql(QUERY, { filter });
      expect(errors![0]!.extensions.details![0]!.field).toMatch(/^(filter\.)?(action|targetId|search)$/);
    }
  });

  test('is searched for literal text in the e-mail address, the action and the target, without case', async () => {
    const everything = (await log({ first: 500 })).nodes;
    const holding = (text: string) =>
      everything.filter((entry) =>
        [entry.actorEmail, entry.action, entry.targetId].some((value) => value?.toLowerCase().includes(text)),
      );
    for (const text of ['colleague@', 'SUSPEND', acme.id.slice(4, 20).toUpperCase(), 'tenant.', 'no such thing', '%']) {
      const wished = holding(text.toLowerCase());
      expect((await entries({ search: text })).map(({ id }) => id)).toEqual(wished.map(({ id }) => id));
    }
    expect(holding('%')).toEqual([]);
    expect((await entries({ search: '' })).length).toBe(everything.length);
  });

  test.each<[string, LogFilter]>([
    ['what is rare', { targetType: 'rare' }],
    ['an action', { action: 'rare.change' }],
    ['a noun', { action: 'rare.*' }],
    ['a target', { targetId: 'rare' }],
    ['a person', { actorId: v7() }],
  ])('is read by an index where it is filtered by %s: it is long, and is never shortened', async (_, filter) => {
    const source = { name: 'log', select: 'select l.* from audit_entries l' };
    const { statement, values } = logPage(source, filter, null, 20);
    const client = new pg.Client({ connectionString: app.databaseUrl });
    await client.connect();
    try {
      await client.query(`begin; alter table audit_entries disable trigger user;
        insert into audit_entries (id, actor_kind, action, target_type, target_id, created_at)
          select gen_random_uuid(), 'system', 'usual.change', 'usual', 'usual', now() from generate_series(1, 5000)`);
      await client.query('analyze audit_entries');
      const { rows } = await client.query(`explain (format json) ${statement.text}`, values);
      const [{ Plan: plan }] = rows[0]['QUERY PLAN'];
      expect(JSON.stringify(plan)).toMatch(/"Index Cond":"[^"]*(target_type|action|target_id|actor_id)/);
    } finally {
      await client.end();
    }
  });

  test('keeps the entries of a tenant that was removed', async () => {
    const gone = await provision(root, { name: 'Gone', slug: 'gone' });
    await sql(app.databaseUrl, 'delete from organizations where id = $1', [gone.id]);
    const kept = await entries({ tenantId: gone.id });
    expect(kept.length).toBeGreaterThan(0);
    for (const entry of kept) expect(entry).toMatchObject({ tenantId: gone.id, tenantName: null, tenantSlug: null });
  });
});

test('entries can be followed in the order of their chain, each once', async () => {
  const control = sqlOf(app.services.control.pool);
  const linked = async () => {
    const all = [];
    for (let after = 0; ; ) {
      const next = await auditEntriesBetween(control, after, 4);
      if (next.length === 0) return all;
      all.push(...next);
      after = next.at(-1)!.seq;
    }
  };
  const { nodes } = await log({ first: 500 });
  const all = await eventually(linked, (some) => some.length >= nodes.length);
  expect(all.map(({ seq }) => seq)).toEqual(all.map((_, at) => at + 1));
  expect(all.map(({ id }) => id).sort()).toEqual(nodes.map(({ id }) => id).sort());
  expect(all.find(({ requestId }) => requestId === 'limit-1')).toMatchObject({
    actorName: NAME,
    tenantSlug: 'acme',
    after: { limits: { maxAgents: 1 } },
  });
});
