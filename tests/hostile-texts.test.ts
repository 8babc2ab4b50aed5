/** Texts that would mean something to SQL, to its clients' placeholders or to the ORM, which writes them into its statements. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Actor, agent, pagesOf, provision, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';

const PARTS = [
  "it's",
  "''",
  "'; drop table divisions; --",
  "\\'; select 1; --",
  'ends in \\',
  '\\\\ \\n \\0 \\x27 \\u0027',
  '$$ $1 $tag$ $tag$ $0',
  '-- the rest',
  '/* the rest',
  '? ?? ?1 \\? \\??',
  ':name ::text :1 @name',
  '%s %1$s {0} $x {{x}} #{x}',
  '"quoted" `so` [too]',
  "E'\\'' U&'\\0027' B'1'",
];
const TEXTS = [...PARTS, PARTS.join(' ').slice(0, 180)];

let app: TestApp;
let root: Actor;
let admin: Actor;
let tenantId: string;

beforeAll(async () => {
  app = await startApp();
  root = await superAdmin(app);
  const tenant = await provision(root);
  tenantId = tenant.id;
  admin = await agent(app, tenant.adminEmail, tenant.adminPassword);
});
afterAll(() => app?.stop());

async function answered(actor: Actor, method: string, path: string, body: object) {
  const answer = await actor.rest(method, path, body);
  expect([answer.body, answer.status]).toEqual([expect.anything(), method === 'POST' ? 201 : 200]);
  return answer.body;
}

async function told(actor: Actor, document: string, variables?: Record<string, unknown>) {
  const { data, errors } = await actor.graphql(document, variables);
  expect(errors).toBeUndefined();
  return data;
}

/** Each text as a value of the document itself, where it is not a variable. */
const literal = (input: object) =>
  `{ ${Object.entries(input).map(([key, value]) => `${key}: ${JSON.stringify(value)}`)} }`;
const snake = (input: object) =>
  Object.fromEntries(
    Object.entries(input).map(([key, value]) => [key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`), value]),
  );

let made = 0;
const account = () => ({ email: `texts${++made}@texts.test`, password: 'a password' });

test.each([
  ['divisions', 'Division', '/api/divisions', ['name', 'description'], () => ({})],
  ['roles', 'Role', '/api/roles', ['name', 'description'], () => ({ permissions: [] })],
  ['agents', 'Agent', '/api/agents', ['fullName'], account],
  ['superAdmins', 'SuperAdmin', '/api/super-admin/admins', ['name'], account],
])('of %s are kept as they came, by REST and by GraphQL', async (list, type, path, fields, more) => {
  const by = type === 'SuperAdmin' ? root : admin;
  const kept = new Map<string, object>();
  const holding = (text: string) => Object.fromEntries(fields.map((field) => [field, text]));
  const compare = async () => {
    const there = (await told(by, `{ ${list} { id ${fields.join(' ')} } }`))[list];
    const overRest = (await pagesOf(by, path)).flat();
    for (const [id, texts] of kept) {
      expect(there).toContainEqual({ id, ...texts });
      expect(overRest).toContainEqual(expect.objectContaining({ id, ...snake(texts) }));
    }
  };

  for (const [n, text] of TEXTS.entries()) {
    const [rest, graphql] = [holding(`r ${text}`), holding(`g ${text}`)];
    kept.set((await answered(by, 'POST', path, { ...snake(rest), ...more() })).id, rest);
    const input = { ...graphql, ...more() };
    const data =
      n % 2
        ? await told(by, `mutation { made: create${type}(input: ${literal(input)}) { id } }`)
        : await told(by, `mutation ($i: Create${type}Input!) { made: create${type}(input: $i) { id } }`, { i: input });
    kept.set(data.made.id, graphql);
  }
  await compare();
  if (type === 'SuperAdmin') return;

  for (const [n, [id, texts]] of [...kept].entries()) {
    const changed = Object.fromEntries(Object.entries(texts).map(([field, text]) => [field, `c${text}`]));
    if (n % 2) await answered(by, 'PATCH', `${path}/${id}`, snake(changed));
    else
      await told(by, `mutation ($i: Update${type}Input!) { update${type}(id: "${id}", input: $i) { id } }`, {
        i: changed,
      });
    kept.set(id, changed);
  }
  await compare();
});

test('are kept as they came in names of tenants, and in the logs of what was changed', async () => {
  const path = `/api/super-admin/tenants/${tenantId}`;
  const document = 'mutation ($id: UUID!, $name: String!) { updateTenant(id: $id, input: { name: $name }) { name } }';
  for (const text of TEXTS) {
    expect((await answered(root, 'PATCH', path, { name: `r ${text}` })).name).toBe(`r ${text}`);
    expect((await root.rest('GET', path)).body.name).toBe(`r ${text}`);
    await told(root, document, { id: tenantId, name: `g ${text}` });
    expect((await root.rest('GET', path)).body.name).toBe(`g ${text}`);
  }
  const sent = TEXTS.flatMap((text) => [`r ${text}`, `g ${text}`]).reverse();
  const newest = { action: 'tenant.update', target_type: 'tenant' };
  const { body: logged } = await admin.rest('GET', `/api/activity-logs?limit=${sent.length}`);
  expect(logged).toEqual(
    sent.map((name) => expect.objectContaining({ ...newest, after: expect.objectContaining({ name }) })),
  );
  const { auditLog } = await told(root, `{ auditLog(first: ${sent.length}) { nodes { after } } }`);
  expect(auditLog.nodes.map(({ after }: { after: { name: string } }) => after.name)).toEqual(sent);
});
