import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Actor, anonymous, type GraphqlAnswer, type Tenant } from './support/actors.ts';
import type { TestApp } from './support/app.ts';
import { AGENTS, ALL, type Companies, divisionsOf, NOBODY, ONE, startCompanies } from './support/divisions.ts';
import { expectError } from './support/errors.ts';
import { decode } from './support/tokens.ts';

let companies: Companies;
let app: TestApp;
let root: Actor;
let acme: Tenant;
let admin: Actor;
let supervisor: Actor;
let plain: Actor;
let stranger: Actor;
/** Agents of acme in the order in which they were made, the admin first. */
let people: string[];

beforeAll(async () => {
  companies = await startCompanies();
  ({ app, root, acme, admin, supervisor, plain, stranger, people } = companies);
});
afterAll(() => companies?.app.stop());

/** A name of each test's own. */
let name: string;
let made = 0;
beforeEach(() => {
  name = `Division ${++made}`;
});

const { ask, createdId, get, update, remove, logged } = divisionsOf(() => ({ ...companies, name }));

describe('who may do what', () => {
  const READS = [ALL, ONE, AGENTS].map((path) => ({ method: 'GET', path, body: undefined }));
  const WRITES = [
    { method: 'POST', path: ALL, body: { name: 'Never made' } },
    { method: 'PATCH', path: ONE, body: { name: 'Never named' } },
    { method: 'DELETE', path: ONE, body: undefined },
    { method: 'POST', path: AGENTS, body: { agent_ids: [NOBODY] } },
    { method: 'DELETE', path: AGENTS, body: { agent_ids: [NOBODY] } },
  ];

  test.each(READS)('admins and supervisors may look: $method $path', async ({ method, path }) => {
    const id = await createdId();
    for (const by of [admin, supervisor]) expect((await ask(method, path, { id, by })).status).toBe(200);
  });

  test.each([...READS, ...WRITES])(
    'an agent may neither look nor change anything: $method $path',
    async ({ method, path, body }) => {
      const id = await createdId();
      expectError(await ask(method, path, { id, by: plain, body }), 403, 'forbidden');
      expect(await logged(id)).toHaveLength(1);
    },
  );

  test('a supervisor may do all of it', async () => {
    const id = await createdId({}, supervisor);
    const agents = { id, by: supervisor, body: { agent_ids: [people[2]] } };
    const answers = [
      await update(id, { description: 'By a supervisor' }, supervisor),
      await ask('POST', AGENTS, agents),
      await ask('DELETE', AGENTS, agents),
      await remove(id, supervisor),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  test.each([...READS, ...WRITES])('no stranger and no super admin: $method $path', async ({ method, path, body }) => {
    const id = await createdId();
    expectError(await ask(method, path, { id, by: anonymous(app), body }), 401, 'unauthenticated');
    expectError(await ask(method, path, { id, by: root, body }), 403, 'forbidden');
  });

  test.each([...READS, ...WRITES].filter(({ path }) => path !== ALL))(
    'an id of another tenant is not found, one that is none is refused: $method $path',
    async ({ method, path, body }) => {
      const id = await createdId();
      expectError(await ask(method, path, { id, by: stranger, body }), 404, 'not_found');
      expectError(await ask(method, path, { id: NOBODY, body }), 404, 'not_found');
      expectError(await ask(method, path, { id: 'acme', body }), 400, 'validation_failed', ['id']);
      expect((await get(id)).status).toBe(200);
    },
  );

  test('under an impersonation both identities are logged', async () => {
    const { body } = await root.rest('POST', `/api/super-admin/tenants/${acme.id}/impersonate`);
    const taken = new Actor(app.url, body.token);
    const id = await createdId({}, taken);
    await update(id, { timezone: 'Asia/Jakarta' }, taken);
    await ask('POST', AGENTS, { id, by: taken, body: { agent_ids: [people[1]] } });
    await ask('DELETE', AGENTS, { id, by: taken, body: { agent_ids: [people[1]] } });
    await remove(id, taken);
    const entries = await logged(id);
    expect(entries.map(({ action }) => action)).toEqual(
      ['create', 'update', 'assign_agents', 'remove_agents', 'delete'].map((verb) => `division.${verb}`),
    );
    for (const entry of entries) {
      expect(entry).toMatchObject({
        actor_kind: 'super_admin',
        actor_id: decode(root.token!).claims.sub,
        on_behalf_of: people[0],
        request_id: expect.any(String),
      });
    }
  });

  test('GraphQL asks for the same', async () => {
    const id = await createdId();
    const code = async (by: Actor, document: string) =>
      ((await by.graphql(document)) as GraphqlAnswer<unknown>).errors?.[0]?.extensions.code;
    const look = `{ divisions { id } division(id: "${id}") { agents { id } } divisionAgents(divisionId: "${id}") { id } }`;
    const writes = [
      'createDivision(input: { name: "x" }) { id }',
      `updateDivision(id: "${id}", input: {}) { id }`,
      `assignDivisionAgents(divisionId: "${id}", agentIds: ["${NOBODY}"]) { id }`,
      `removeDivisionAgents(divisionId: "${id}", agentIds: ["${NOBODY}"]) { id }`,
      `deleteDivision(id: "${id}") { id }`,
    ];
    expect(await code(supervisor, look)).toBeUndefined();
    for (const document of [look, ...writes.map((write) => `mutation { ${write} }`)]) {
      expect(await code(anonymous(app), document)).toBe('UNAUTHENTICATED');
      expect(await code(root, document)).toBe('FORBIDDEN');
      expect(await code(plain, document)).toBe('FORBIDDEN');
    }
    expect(await code(stranger, `{ divisionAgents(divisionId: "${id}") { id } }`)).toBe('NOT_FOUND');
  });
});
