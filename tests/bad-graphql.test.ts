import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { MOST_ALIASES } from '../src/schema/limits.ts';
import { type Actor, anonymous, provision, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { contentOf } from './support/content.ts';
import { expectError, expectGraphqlError, expectNoInnards } from './support/errors.ts';
import { send } from './support/http.ts';

let app: TestApp;
let admin: Actor;
let before: Record<string, string>;

beforeAll(async () => {
  app = await startApp();
  admin = await superAdmin(app);
  await provision(admin);
  before = await contentOf(app);
});
afterAll(() => app?.stop());
afterEach(async () => {
  expect(await contentOf(app)).toEqual(before);
});

const post = (body: unknown, headers?: Record<string, string>) => admin.rest('POST', '/graphql', body, headers);

describe('a GraphQL request', () => {
  test.each<[string, unknown]>([
    ['a body that is a list', []],
    ['several operations at once', [{ query: '{ me { id } }' }]],
    ['an empty object', {}],
    ['no query', { variables: {} }],
    ['a query that is null', { query: null }],
    ['a query that is a number', { query: 5 }],
    ['a query that is an object', { query: { a: 1 } }],
    ['an empty query', { query: '' }],
    ['blanks for a query', { query: ' \n ' }],
    ['variables that are text', { query: '{ me { id } }', variables: 'x' }],
    ['variables that are a list', { query: '{ me { id } }', variables: [1] }],
    ['extensions that are a number', { query: '{ me { id } }', extensions: 5 }],
    ['an operation name that is a number', { query: '{ me { id } }', operationName: 5 }],
    ['an operation name that is not there', { query: 'query A { me { id } }', operationName: 'B' }],
    ['a scalar', '5'],
    ['null', 'null'],
    ['nothing', ''],
  ])('with %s is refused', async (_, body) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    if (answer.body.errors) expectGraphqlError(answer.body, 'VALIDATION_FAILED');
    else expectError(answer, 400, 'validation_failed');
  });

  test('that is not JSON, or not sent as it, is refused in the form of REST', async () => {
    for (const body of ['{', '{"query":', 'query { me { id } }'])
      expectError(await post(body), 400, 'validation_failed');
    for (const type of [
      'application/x-www-form-urlencoded',
      'text/plain',
      'multipart/form-data; boundary=x',
      'application/graphql',
    ]) {
      expectError(await post('query={me{id}}', { 'content-type': type }), 415, 'unsupported_media_type');
    }
    expectError(await post({ query: `{ me { id } } # ${'x'.repeat(256 * 1024)}` }), 413, 'payload_too_large');
    expectError(await post('{"query":"{ me { id } }","variables":{"__proto__":{"a":1}}}'), 400, 'validation_failed');
  });

  test('by GET reads, but neither changes anything nor comes from a page elsewhere', async () => {
    const ask = (query: string, headers: Record<string, string>) =>
      send(app.url, 'GET', `/graphql?query=${encodeURIComponent(query)}`, {
        headers: { authorization: `Bearer ${admin.token}`, ...headers },
      });
    const own = { 'apollo-require-preflight': '1' };
    expect(JSON.parse((await ask('{ me { role } }', own)).text)).toEqual({ data: { me: { role: 'super_admin' } } });
    const change = await ask(
      'mutation { createSuperAdmin(input: { email: "a@b.test", name: "A", password: "a password" }) { id } }',
      own,
    );
    expect([change.status, change.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await ask('{ me { role } }', {})).status).toBe(400);
    for (const path of ['/graphql', '/graphql?query=', '/graphql?query={', '/graphql?query={me{id}}&variables={']) {
      const { status, text } = await send(app.url, 'GET', path, { headers: own });
      expect(status).toBe(400);
      expectNoInnards(text);
    }
  });

  test.each([
    ['a query that ends too early', '{ me {'],
    ['characters that mean nothing', '{ me ¿ }'],
    ['a NUL', '{ me { id \0 } }'],
    ['half a surrogate pair', '{ tenant(id: "\ud800") { id } }'],
    ['a field that is not there', '{ me { password } }'],
    ['an operation that is not there', 'mutation { dropTenants { id } }'],
    ['no selection where one is needed', '{ me }'],
    ['an argument that is not there', '{ me(id: "x") { id } }'],
    ['an argument that is missing', '{ tenant { id } }'],
    ['an argument of the wrong type', '{ tenant(id: 5) { id } }'],
    ['a UUID in braces', '{ tenant(id: "{00000000-0000-7000-8000-000000000000}") { id } }'],
    ['a number that is too large', '{ tenants(first: 99999999999999999999) { nodes { id } } }'],
    ['an enum value that is not there', '{ tenants(filter: { status: GONE }) { nodes { id } } }'],
    ['an enum in quotes', '{ tenants(filter: { status: "ACTIVE" }) { nodes { id } } }'],
    ['an input field that is not there', '{ tenants(filter: { slug: "x" }) { nodes { id } } }'],
    ['a fragment that turns in a circle', 'query { me { ...A } } fragment A on Me { ...B } fragment B on Me { ...A }'],
    ['the same argument twice', '{ tenant(id: "x", id: "y") { id } }'],
    ['a type instead of an operation', 'type Query { a: Int }'],
    ['far too many words', `{ ${'me { id } '.repeat(2000)} }`],
    ['a list without end', `{ tenants(first: ${'['.repeat(3000)}) { nodes { id } } }`],
    [
      'questions about questions',
      `{ __schema { types ${'{ fields { type '.repeat(12)} { name } ${'} } '.repeat(12)} } }`,
    ],
  ])('whose document has %s is refused before anything runs', async (_, query) => {
    const { status, body } = await post({ query });
    expect(status).toBe(400);
    expect(body.data).toBeUndefined();
    expectGraphqlError(body, 'VALIDATION_FAILED');
  });
});

test('a value that does not fit is not shown in what is said of it: it may be a password', async () => {
  const create = 'mutation ($input: CreateSuperAdminInput!) { createSuperAdmin(input: $input) { id } }';
  const secret = 'a secret password';
  const refused = [
    await post({ query: create, variables: { input: { email: 'a@b.test', password: secret } } }),
    await post({ query: create, variables: { input: { email: 'a@b.test', name: 'A', password: [secret] } } }),
    await post({ query: create, variables: { input: secret } }),
    await post({ query: `mutation { superAdminLogin(email: "a@b.test", password: ["${secret}"]) { token } }` }),
    await post({ query: `mutation { deleteSuperAdmin(id: "${secret}; a") { status } }` }),
    await post({ query: `mutation { createSuperAdmin(input: "${secret}") { id } }` }),
  ];
  for (const { status, body } of refused) {
    expect(status).toBe(400);
    expectGraphqlError(body, 'VALIDATION_FAILED');
    expect(JSON.stringify(body)).not.toContain(secret);
  }
  expect(refused.map(({ body }) => body.errors[0].message)).toEqual([
    'Variable "$input" got invalid value; Field "name" of required type "String!" was not provided.',
    'Variable "$input" got invalid value at "input.password"; String cannot represent a non string value.',
    'Variable "$input" got invalid value; Expected type "CreateSuperAdminInput" to be an object.',
    'String cannot represent a non string value.',
    'Expected value of type "UUID!"; must be a UUID',
    'Expected value of type "CreateSuperAdminInput!".',
  ]);
});

test('an answer in a form that there is not is refused before anything is done', async () => {
  const create =
    'mutation { createSuperAdmin(input: { email: "a@b.test", name: "A", password: "a password" }) { id } }';
  for (const accept of [
    'application/xml',
    'text/html, image/*',
    'application/json;q=0',
    'application/json; charset=utf-16',
  ]) {
    expectError(await post({ query: create }, { accept }), 406, 'validation_failed');
  }
  for (const accept of ['*/*', 'text/html, application/*;q=0.1', 'Application/JSON; charset=UTF-8']) {
    expect((await post({ query: '{ me { role } }' }, { accept })).status).toBe(200);
  }
});

test('a stream that is asked for nothing is refused in the form of REST', async () => {
  const headers = { accept: 'text/event-stream, */*' };
  const stream = (body: unknown) => admin.rest('POST', '/graphql/stream', body, headers);
  for (const [body, field] of [
    [{}, 'query'],
    [{ query: 5 }, 'query'],
    [{ query: '{ me { id } }', variables: [1] }, 'variables'],
    [{ query: '{ me { id } }', extensions: 'x' }, 'extensions'],
    [{ query: '{ me { id } }', operationName: 5 }, 'operationName'],
  ] as const) {
    expectError(await stream(body), 400, 'validation_failed', [field]);
  }
  expectError(await stream([]), 400, 'validation_failed');
  for (const search of ['', '?query={me{id}}&variables={', '?query={me{id}}&variables=[]']) {
    expectError(await admin.rest('GET', `/graphql/stream${search}`, undefined, headers), 400, 'validation_failed');
  }
});

test("a mistake that shows only while the document runs is still the client's", async () => {
  const minutes = 'query ($m: Int) { healthHistory(component: "redis", minutes: $m) { at } }';
  expectGraphqlError(await admin.graphql(minutes, { m: null }), 'VALIDATION_FAILED');
  expectGraphqlError(await admin.graphql('subscription { __typename }'), 'VALIDATION_FAILED');
});

describe('a variable', () => {
  const provisionTenant = 'mutation ($input: ProvisionTenantInput!) { provisionTenant(input: $input) { id } }';
  const tenant = 'query ($id: UUID!) { tenant(id: $id) { id } }';
  const good = { name: 'Acme', slug: 'acme' };

  test.each<[string, string, Record<string, unknown>]>([
    ['missing', tenant, {}],
    ['null', tenant, { id: null }],
    ['a number for a UUID', tenant, { id: 5 }],
    ['a UUID without hyphens', tenant, { id: '0'.repeat(32) }],
    ['a UUID and a NUL', tenant, { id: '00000000-0000-7000-8000-000000000000\0' }],
    ['an object for text', provisionTenant, { input: { ...good, name: {} } }],
    ['a number for text', provisionTenant, { input: { ...good, name: 5 } }],
    ['text for a number', provisionTenant, { input: { ...good, limits: { maxAgents: '5' } } }],
    ['a number beyond 32 bits', provisionTenant, { input: { ...good, limits: { maxAgents: 2 ** 31 } } }],
    ['a fraction', provisionTenant, { input: { ...good, limits: { maxAgents: 1.5 } } }],
    ['a field that is not there', provisionTenant, { input: { ...good, admin: true } }],
    ['a field in the spelling of REST', provisionTenant, { input: { ...good, admin_email: 'a@b.test' } }],
    ['a list for an object', provisionTenant, { input: [] }],
    ['text for an object', provisionTenant, { input: 'x' }],
  ])('that is %s is refused', async (_, query, variables) => {
    const { status, body } = await post({ query, variables });
    expect(status).toBe(400);
    expectGraphqlError(body, 'VALIDATION_FAILED');
  });

  test('that is nested without end is refused', async () => {
    for (const deep of [
      `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
      `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`,
    ]) {
      for (const [query, name] of [
        [tenant, 'id'],
        [provisionTenant, 'input'],
      ]) {
        const { status, body } = await post(`{"query":${JSON.stringify(query)},"variables":{"${name}":${deep}}}`);
        expect(status).toBe(400);
        expectGraphqlError(body, 'VALIDATION_FAILED');
      }
    }
  });

  const nobody = '00000000-0000-7000-8000-000000000000';
  test.each<[string, string, string, Record<string, unknown>]>([
    ['name', provisionTenant, 'name', { input: { ...good, name: 'a\0b' } }],
    [
      'password',
      provisionTenant,
      'adminPassword',
      { input: { ...good, adminEmail: 'a@b.test', adminPassword: 'a password\0' } },
    ],
    ['search', 'query ($s: String) { tenants(filter: { search: $s }) { nodes { id } } }', 'search', { s: '\0' }],
    [
      'search of users',
      'query ($i: UUID!, $s: String) { tenantUsers(tenantId: $i, search: $s) { id } }',
      'search',
      { i: nobody, s: '\0' },
    ],
    ['cursor', 'query ($c: String) { tenants(after: $c) { nodes { id } } }', 'after', { c: '\0' }],
    ['component', 'query ($c: String!) { healthHistory(component: $c) { at } }', 'component', { c: '\0' }],
    [
      'e-mail address',
      'mutation ($e: String!) { superAdminLogin(email: $e, password: "x") { token } }',
      'email',
      { e: 'a\0@b.test' },
    ],
    [
      'tenant',
      'mutation ($t: String!) { login(email: "a@b.test", password: "x", tenant: $t) { token } }',
      'tenant',
      { t: '\0' },
    ],
  ])('that holds a NUL is refused as a %s', async (_, query, field, variables) => {
    expectGraphqlError(await admin.graphql(query, variables), 'VALIDATION_FAILED', [field]);
  });

  test.each([
    ['first', 'tenants(first: 0) { nodes { id } }'],
    ['first', 'tenants(first: 501) { nodes { id } }'],
    ['first', 'tenants(first: -1) { nodes { id } }'],
    ['first', 'superAdmins(first: 0) { id }'],
    ['after', 'superAdmins(after: "x") { id }'],
    ['first', `tenantUsers(tenantId: "${nobody}", first: 501) { id }`],
    ['minutes', 'healthHistory(component: "redis", minutes: 0) { at }'],
    ['minutes', 'healthHistory(component: "redis", minutes: 1441) { at }'],
  ])('out of bounds names %s: %s', async (field, query) => {
    expectGraphqlError(await admin.graphql(`{ ${query} }`), 'VALIDATION_FAILED', [field]);
  });
});

test('one request cannot guess a password more often than many can', async () => {
  const guesses = Array.from(
    { length: MOST_ALIASES },
    (_, n) => `g${n}: superAdminLogin(email: "many@b.test", password: "${n}") { token }`,
  );
  const { errors } = await anonymous(app).graphql(`mutation { ${guesses.join(' ')} }`);
  const codes = Map.groupBy(errors!, ({ extensions }) => extensions.code);
  expect(codes.get('UNAUTHENTICATED')!.length).toBeLessThanOrEqual(5);
  for (const { extensions } of codes.get('RATE_LIMITED') ?? []) expect(extensions.retryAfter).toBeGreaterThan(0);
});

test("an error has the request's id, which the answer's header has too", async () => {
  const { headers, body } = await post(
    { query: '{ tenant(id: "00000000-0000-7000-8000-000000000000") { id } }' },
    { 'x-request-id': 'my-id' },
  );
  expect(headers.get('x-request-id')).toBe('my-id');
  expect(body.errors[0].extensions).toEqual({ code: 'NOT_FOUND', requestId: 'my-id' });
});
