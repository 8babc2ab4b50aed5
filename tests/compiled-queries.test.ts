import { ApolloServer } from '@apollo/server';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Context } from '../src/context.ts';
import { type Actor, anonymous, provision, agent as signIn, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';

let app: TestApp;
let root: Actor;
let agent: Actor;
let tenants: Tenant[];

beforeAll(async () => {
  app = await startApp();
  root = await superAdmin(app);
  tenants = [await provision(root), await provision(root), await provision(root)];
  agent = await signIn(app, tenants[0]!.adminEmail, tenants[0]!.adminPassword);
});
afterAll(() => app?.stop());

let made = 0;

/** The answers to the same request: when Apollo walks the document, when it has it compiled, and when it is not asked any more. */
async function asked(who: Actor, query: string, variables?: object, operationName?: string) {
  made += 1;
  const text = `${query} # ${made}`;
  const answers = [];
  for (let time = 0; time < 4; time++) {
    const { status, body, headers } = await who.rest('POST', '/graphql', { query: text, variables, operationName });
    answers.push({
      status,
      type: headers.get('content-type'),
      body: JSON.stringify(body, (key, value) => (key === 'requestId' ? typeof value : value)),
    });
  }
  const [first, second, third, fourth] = answers;
  expect(second).toEqual(first);
  expect(third).toEqual(first);
  expect(fourth).toEqual(first);
  return { status: first!.status, body: JSON.parse(first!.body) };
}

const PAGE = 'tenants(first: $n) { nodes { id slug } pageInfo { hasNextPage endCursor startCursor } }';

describe('a query that is asked again is answered to the letter as at first:', () => {
  test.each<[string, string, object?, string?]>([
    ['plain', '{ tenants { nodes { id name status limits { maxAgents } createdAt } } }'],
    ['with aliases', '{ a: tenants(first: 1) { n: nodes { b: id id } } c: tenants { nodes { slug } } }'],
    ['by a name', `query A($n: Int) { ${PAGE} } query B { me { id } }`, { n: 2 }, 'A'],
    ['by another name', `query A($n: Int) { ${PAGE} } query B { me { id } }`, {}, 'B'],
    [
      'with fragments',
      '{ tenants { ...C } } fragment C on TenantConnection { nodes { ...T ... on Tenant { slug } } } fragment T on Tenant { id usage { agentCount } }',
    ],
    ['with fields merged', '{ tenants { nodes { id } nodes { slug usage { agentCount } usage { contactCount } } } }'],
    [
      'with fields left out',
      'query ($yes: Boolean!) { tenants { nodes @skip(if: $yes) { id } edges @include(if: $yes) { cursor node { slug @skip(if: $yes) id } } } }',
      { yes: true },
    ],
    [
      'with fields left in',
      'query ($yes: Boolean!) { tenants { nodes @skip(if: $yes) { id } edges @include(if: $yes) { cursor node { slug @skip(if: $yes) id } } } }',
      { yes: false },
    ],
    ['with a variable and its default', `query ($n: Int = 1) { ${PAGE} }`],
    ['with a null for a default', `query ($n: Int = 1) { ${PAGE} }`, { n: null }],
    [
      'with an object of variables',
      'query ($f: TenantFilter, $o: TenantOrder) { tenants(filter: $f, order: $o) { nodes { slug } } }',
      { f: { status: 'ACTIVE' }, o: { field: 'NAME', direction: 'DESC' } },
    ],
    [
      'with part of one',
      'query ($s: TenantStatus) { tenants(filter: { status: $s }) { nodes { slug } } }',
      { s: 'SUSPENDED' },
    ],
    ['with variables nobody declared', '{ me { email } }', { x: 1 }],
    ['with a nullable object that is null', '{ me { email role tenantSlug impersonatedBy { email } } }'],
    [
      'with a name that objects have by themselves',
      '{ tenants { __proto__: nodes { __proto__: slug constructor: id } } }',
    ],
    ['with the names of types', '{ __typename tenants { __typename nodes { __typename id } } }'],
    ['about the schema', '{ __schema { queryType { name } } __type(name: "Tenant") { name fields { name } } }'],
  ])('%s', async (...[, query, variables, name]) => {
    const { status, body } = await asked(root, query, variables, name);
    expect([status, body.errors]).toEqual([200, undefined]);
  });

  test('one of which a part has to be asked for by itself', async () => {
    const query = 'query ($id: UUID!) { tenant(id: $id) { slug usage { agentCount } } }';
    const { body } = await asked(root, query, { id: tenants[1]!.id });
    expect(body.data.tenant).toEqual({ slug: tenants[1]!.slug, usage: { agentCount: 1 } });
  });

  test('one about a division, with hours and instants', async () => {
    const query =
      'query ($at: DateTime) { workingHours { dayOfWeek startTime isActive } workingHoursStatus(at: $at) { isWorkingHours nextChangeAt rule { kind } } }';
    const { body } = await asked(agent, query, { at: '2035-06-05T05:30:00Z' });
    expect(body.data.workingHours).toHaveLength(7);
  });
});

test.each<[what: string, whoAnswers: string, query: string, times: number]>([
  ['of one resolver', 'is not', '{ tenants { nodes { slug } } }', 2],
  ['of several', 'is not', '{ me { id } tenants { nodes { slug } } }', 2],
  ['of which a part fails', 'is not', '{ me { role } workingHours { dayOfWeek } }', 2],
  ['about the schema', 'is', '{ __type(name: "Tenant") { name } }', 4],
])('for a query %s Apollo %s asked any more the third time', async (...[, , query, times]) => {
  const apollo = jest.spyOn(ApolloServer.prototype, 'executeHTTPGraphQLRequest');
  try {
    await asked(root, query);
    expect(apollo).toHaveBeenCalledTimes(times);
  } finally {
    apollo.mockRestore();
  }
});

describe('what is wrong with a query is said in the same words when it is asked again:', () => {
  const one = 'query ($id: UUID!) { tenant(id: $id) { id } }';
  test.each<[string, number, string, object?]>([
    ['a tenant that is not there', 200, one, { id: '00000000-0000-7000-8000-000000000000' }],
    ['one beside another', 200, '{ me { role } tenant(id: "00000000-0000-7000-8000-000000000000") { id } }'],
    ['not for a super admin', 200, '{ me { role } workingHours { dayOfWeek } }'],
    ['a page that cannot be', 200, '{ tenants(first: 501) { nodes { id } } }'],
    ['a cursor that is none', 200, '{ tenants(after: "x") { nodes { id } } }'],
    ['a variable that is missing', 400, one],
    ['a variable that is null', 400, one, { id: null }],
    ['a number for a UUID', 400, one, { id: 5 }],
    ['a UUID in braces', 400, one, { id: '{00000000-0000-7000-8000-000000000000}' }],
    ['text for a number', 400, `query ($n: Int) { ${PAGE} }`, { n: '1' }],
    ['a fraction', 400, `query ($n: Int) { ${PAGE} }`, { n: 1.5 }],
    ['a number beyond 32 bits', 400, `query ($n: Int) { ${PAGE} }`, { n: 2 ** 31 }],
    ['a number for a truth', 400, 'query ($y: Boolean!) { me { id @skip(if: $y) email } }', { y: 1 }],
    [
      'an enum value that is not there',
      400,
      'query ($f: TenantFilter) { tenants(filter: $f) { nodes { id } } }',
      { f: { status: 'GONE' } },
    ],
    [
      'an enum value in its inner spelling',
      400,
      'query ($f: TenantFilter) { tenants(filter: $f) { nodes { id } } }',
      { f: { status: 'active' } },
    ],
    [
      'a field that is not there',
      400,
      'query ($f: TenantFilter) { tenants(filter: $f) { nodes { id } } }',
      { f: { slug: 'x' } },
    ],
    ['a list for an object', 400, 'query ($f: TenantFilter) { tenants(filter: $f) { nodes { id } } }', { f: [] }],
    [
      'an instant that is none',
      400,
      'query ($at: DateTime) { workingHoursStatus(at: $at) { timezone } }',
      { at: 'now' },
    ],
    [
      'a null for an argument that has a default',
      400,
      'query ($m: Int) { healthHistory(component: "redis", minutes: $m) { at } }',
      { m: null },
    ],
  ])('%s', async (...[, status, query, variables]) => {
    const answer = await asked(root, query, variables);
    expect(answer.status).toBe(status);
    expect(answer.body.errors.length).toBeGreaterThan(0);
  });

  test('an operation that is not there', async () => {
    expect((await asked(root, 'query A { me { id } }', {}, 'B')).status).toBe(400);
  });

  test('nobody, and somebody who may not', async () => {
    for (const who of [anonymous(app), agent]) {
      const { body } = await asked(who, '{ tenants { nodes { id } } }');
      expect([body.data, body.errors[0].path]).toEqual([null, ['tenants']]);
    }
  });
});

test('what a query asks for by its id is answered to each who asks at once, and to nobody who may not', async () => {
  const query = 'query ($id: UUID!) { tenant(id: $id) { id slug } }';
  const ids = [...tenants.map(({ id }) => id), '00000000-0000-7000-8000-000000000000', tenants[0]!.id];
  for (let time = 0; time < 4; time++) {
    const answers = await Promise.all([
      ...ids.map((id) => root.graphql(query, { id })),
      agent.graphql(query, { id: ids[0] }),
    ]);
    const refused = answers.pop();
    expect(answers.map(({ data }) => data?.tenant?.id)).toEqual([...ids.slice(0, 3), undefined, ids[0]]);
    expect([refused!.data, refused!.errors![0]!.extensions.code]).toEqual([null, 'FORBIDDEN']);
  }
});

test('a value that does not fit its type is said as at first, and asked for once more by each way at most', async () => {
  const query = 'query ($id: UUID!) { tenant(id: $id) { id slug } } # misfit';
  const ask = () => root.graphql(query, { id: tenants[0]!.id });
  for (let time = 0; time < 3; time++) expect((await ask()).data.tenant.slug).toBe(tenants[0]!.slug);
  const { row } = Context.prototype;
  const rows = jest.spyOn(Context.prototype, 'row').mockImplementation(async function (this: Context, ...asked) {
    return Object.assign({}, await row.apply(this, asked), { slug: null }) as never;
  });
  try {
    const { data, errors } = await ask();
    expect([data, errors!.map(({ extensions }) => extensions.code)]).toEqual([null, ['INTERNAL_ERROR']]);
    expect(rows.mock.calls.length).toBeLessThanOrEqual(3);
  } finally {
    rows.mockRestore();
  }
});
