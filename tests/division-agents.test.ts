import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Actor, type Tenant } from './support/actors.ts';
import type { TestApp } from './support/app.ts';
import { AGENTS, ALL, type Companies, divisionsOf, NOBODY, startCompanies } from './support/divisions.ts';
import { expectError, expectGraphqlError } from './support/errors.ts';
import { addUser } from './support/tenants.ts';
import { decode } from './support/tokens.ts';

let companies: Companies;
let app: TestApp;
let acme: Tenant;
let other: Tenant;
let admin: Actor;
let supervisor: Actor;
let stranger: Actor;
/** Agents of acme in the order in which they were made, the admin first. */
let people: string[];

beforeAll(async () => {
  companies = await startCompanies();
  ({ app, acme, other, admin, supervisor, stranger, people } = companies);
});
afterAll(() => companies?.app.stop());

/** A name of each test's own. */
let name: string;
let made = 0;
beforeEach(() => {
  name = `Division ${++made}`;
});

const { ask, createdId, get, assign, unassign, members, rows, logged } = divisionsOf(() => ({ ...companies, name }));

describe('the agents of a division', () => {
  const DOCUMENT = `mutation ($id: UUID!, $agentIds: [UUID!]!) {
    assignDivisionAgents(divisionId: $id, agentIds: $agentIds) { id fullName } }`;

  test('are assigned, listed and removed', async () => {
    const id = await createdId();
    const assigned = await assign(id, people[2], people[0]);
    expect([assigned.status, assigned.body]).toEqual([
      200,
      [
        { id: people[0], email: acme.adminEmail, full_name: 'Admin', role: 'admin', is_online: false },
        { id: people[2], email: 'p2@acme.test', full_name: 'P', role: 'agent', is_online: false },
      ],
    ]);
    expect((await ask('GET', AGENTS, { id, by: supervisor })).body).toEqual(assigned.body);
    expect((await get(id, supervisor)).body).toMatchObject({ agent_count: 2, agents: assigned.body });
    const removed = await unassign(id, people[0]);
    expect([removed.status, removed.body]).toEqual([200, [assigned.body[1]]]);
    expect((await unassign(id, people[2])).body).toEqual([]);
    expect(await members(id)).toEqual([]);
    expect((await logged(id)).slice(1)).toMatchObject([
      { action: 'division.assign_agents', before: null, after: { agentIds: [people[2], people[0]] } },
      { action: 'division.remove_agents', before: { agentIds: [people[0]] }, after: null },
      { action: 'division.remove_agents', before: { agentIds: [people[2]] }, after: null },
    ]);
  });

  test('may be in several divisions', async () => {
    const [a, b] = [await createdId(), await createdId({ name: `${name} b` })];
    await assign(a, people[1]);
    await assign(b, people[1]);
    await unassign(a, people[1]);
    expect([await members(a), await members(b)]).toEqual([[], [people[1]]]);
  });

  test('stay as they are where nothing is new', async () => {
    const id = await createdId();
    await assign(id, people[0]);
    expect((await assign(id, people[0], people[0])).body).toHaveLength(1);
    expect((await unassign(id, people[1])).body).toHaveLength(1);
    expect(await logged(id)).toHaveLength(2);
    await assign(id, people[0], people[1]!.toUpperCase(), people[1]);
    expect((await logged(id)).at(-1)).toMatchObject({ after: { agentIds: [people[1]] } });
  });

  test('are changed all or not at all', async () => {
    const id = await createdId();
    await assign(id, people[0]);
    const foreign = decode(stranger.token!).claims.sub;
    for (const change of [assign, unassign]) {
      const answer = await change(id, people[0], NOBODY, people[1], foreign);
      expectError(answer, 400, 'validation_failed', ['agent_ids[1]', 'agent_ids[3]']);
    }
    expect(await members(id)).toEqual([people[0]]);
    expect(await logged(id)).toHaveLength(2);
    const answer = await admin.graphql(DOCUMENT, { id, agentIds: [people[1], NOBODY] });
    expectGraphqlError(answer, 'VALIDATION_FAILED', ['agentIds[1]']);
  });

  test('are none who have left', async () => {
    const id = await createdId();
    const { id: gone } = await addUser(app, acme.id, { email: `${id}@acme.test` });
    await assign(id, gone, people[0]);
    await rows('update agents set deleted_at = now() where id = $1', [gone]);
    expect(await members(id)).toEqual([people[0]]);
    expect((await get(id)).body).toMatchObject({ agent_count: 1, agents: [{ id: people[0] }] });
    expectError(await assign(id, gone), 400, 'validation_failed', ['agent_ids[0]']);
  });

  test.each([
    ['agent_ids', {}],
    ['agent_ids', { agent_ids: [] }],
    ['agent_ids', { agent_ids: NOBODY }],
    ['agent_ids', { agent_ids: Array(501).fill(NOBODY) }],
    ['agent_ids[0]', { agent_ids: ['p1'] }],
    ['agent_ids[0]', { agent_ids: [null] }],
    ['agents', { agent_ids: [NOBODY], agents: [] }],
  ])('are refused for %s, case %#', async (field, body) => {
    for (const method of ['POST', 'DELETE']) {
      expectError(await ask(method, AGENTS, { id: NOBODY, body }), 400, 'validation_failed', [field]);
    }
  });

  test('are wanted with a body', async () => {
    for (const method of ['POST', 'DELETE']) {
      expectError(await ask(method, AGENTS, { id: NOBODY }), 400, 'validation_failed');
    }
  });

  test('come in pages where that is asked for', async () => {
    const id = await createdId();
    await assign(id, ...people);
    const first = await ask('GET', AGENTS, { id, query: '?limit=3' });
    expect(first.headers.get('link')).toBe(`<${ALL}/${id}/agents?limit=3&after=${people[2]}>; rel="next"`);
    const { body } = await ask('GET', AGENTS, { id, query: `?limit=3&after=${people[2]}` });
    expect([...first.body, ...body].map((member) => member.id)).toEqual(people);
    expect((await ask('GET', AGENTS, { id, query: `?after=${people[3]}` })).body).toEqual([]);
    const document = `query ($id: UUID!, $n: Int) { divisionAgents(divisionId: $id, first: $n) { id lastSeenAt } }`;
    const { data } = await supervisor.graphql(document, { id, n: 1 });
    expect(data.divisionAgents).toEqual([{ id: people[0], lastSeenAt: null }]);
    expectGraphqlError(await supervisor.graphql(document, { id, n: 0 }), 'VALIDATION_FAILED', ['first']);
  });

  test('are five hundred at most at a time, and all get in', async () => {
    const id = await createdId({}, stranger);
    const many = await app.services.tenants.rows<{ id: string }>(other.id, {
      name: '',
      text: `insert into agents (id, email, full_name, role_id, created_at, updated_at)
             select gen_random_uuid(), n || '@many.test', 'M', (select id from roles where name = 'agent'), now(), now()
               from generate_series(1, 500) n returning id`,
    });
    const body = { agent_ids: many.map((one) => one.id) };
    expect((await ask('POST', AGENTS, { id, body, by: stranger })).body).toHaveLength(500);
    expect((await get(id, stranger)).body.agents).toHaveLength(500);
    expect((await ask('DELETE', AGENTS, { id, body, by: stranger })).body).toEqual([]);
  });

  test('are assigned once, however many do it at the same moment', async () => {
    const id = await createdId();
    const answers = await Promise.all(Array.from({ length: 8 }, () => assign(id, ...people)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await members(id)).toEqual(people);
    expect(await logged(id)).toHaveLength(2);
  });

  /** Sends a request while a statement is done, but not yet committed. @returns its answer. */
  async function against(statement: string, value: string, request: () => ReturnType<typeof ask>) {
    const [done, sent] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const other = app.services.tenants.work(acme.id, (em) =>
      em.transactional(async (tx) => {
        await tx.execute(statement, [value]);
        done.resolve();
        await sent.promise;
      }),
    );
    await done.promise;
    const answer = request();
    setTimeout(sent.resolve, 300);
    await other;
    return answer;
  }

  test('are assigned to nothing that is being deleted at that moment', async () => {
    const id = await createdId();
    const answer = await against('delete from divisions where id = ?', id, () => assign(id, people[0]));
    expectError(answer, 404, 'not_found');
  });

  test.each(['delete from agents where id = ?', 'update agents set deleted_at = now() where id = ?'])(
    'are none who leave at that moment: %s',
    async (statement) => {
      const id = await createdId();
      const { id: leaving } = await addUser(app, acme.id, { email: `${id}@acme.test` });
      const answer = await against(statement, leaving, () => assign(id, leaving, people[0]));
      expectError(answer, 400, 'validation_failed', ['agent_ids[0]']);
      expect(await members(id)).toEqual([]);
    },
  );

  test('are asked for anew after each change within one document', async () => {
    const id = await createdId();
    const { data } = await admin.graphql(
      `mutation ($id: UUID!, $some: [UUID!]!) {
        before: updateDivision(id: $id, input: {}) { agentCount }
        assignDivisionAgents(divisionId: $id, agentIds: $some) { id }
        after: updateDivision(id: $id, input: {}) { agentCount agents { id } }
        removeDivisionAgents(divisionId: $id, agentIds: $some) { id }
        deleteDivision(id: $id) { id }
      }`,
      { id, some: [people[3]] },
    );
    expect(data).toEqual({
      before: { agentCount: 0 },
      assignDivisionAgents: [{ id: people[3] }],
      after: { agentCount: 1, agents: [{ id: people[3] }] },
      removeDivisionAgents: [],
      deleteDivision: { id },
    });
  });
});
