import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Actor, anonymous, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { contentOf } from './support/content.ts';
import { expectError, expectNoInnards } from './support/errors.ts';

const NOBODY = '00000000-0000-7000-8000-000000000000';
const BASE = '/api/super-admin';
/** Of what is generated: a failure has to come again. */
const SEED = 20261121;

let app: TestApp;
let admin: Actor;
let tenant: Tenant;
let before: Record<string, string>;

beforeAll(async () => {
  app = await startApp();
  admin = await superAdmin(app);
  tenant = await provision(admin);
  before = await contentOf(app);
});
afterAll(() => app?.stop());

/** Whatever was sent, nothing is stored, changed or queued. */
afterEach(async () => {
  expect(await contentOf(app)).toEqual(before);
});

/** Every operation that takes a body, with one that would do, aimed at what is not there. */
const bodies: [operation: string, body: Record<string, unknown>][] = [
  [`POST ${BASE}/login`, { email: 'a@b.test', password: 'a password' }],
  ['POST /api/auth/login', { email: 'a@b.test', password: 'a password', tenant: 'acme' }],
  [
    `POST ${BASE}/tenants`,
    {
      name: 'Acme',
      slug: 'acme',
      limits: { max_agents: 1, max_contacts: 2, max_messages_month: 3 },
      country: 'ID',
      admin_email: 'a@b.test',
      admin_password: 'a password',
    },
  ],
  [`PATCH ${BASE}/tenants/${NOBODY}`, { name: 'Acme', limits: { max_agents: 1 }, status: 'active' }],
  [`POST ${BASE}/admins`, { email: 'a@b.test', name: 'A', password: 'a password' }],
  [`POST ${BASE}/admins/${NOBODY}/reset-password`, { new_password: 'a password' }],
  [`POST ${BASE}/users?tenant_id=${NOBODY}`, { email: 'a@b.test', password: 'a password', full_name: 'A' }],
  [`POST ${BASE}/users/${NOBODY}/reset-password?tenant_id=${NOBODY}`, { new_password: 'a password' }],
];

const ask = (operation: string, body?: unknown, headers?: Record<string, string>) => {
  const [method, path] = operation.split(' ') as [string, string];
  return admin.rest(method, path, body, headers);
};

describe.each(bodies)('%s', (operation, valid) => {
  const fields = Object.keys(valid);

  test('names each field that has the wrong type', async () => {
    for (const field of fields) {
      const wrong = [5, true, [], ['x'], {}, { a: 1 }, 'x'].filter((value) =>
        field === 'limits' ? !(value instanceof Object) || Array.isArray(value) : typeof value !== 'string',
      );
      // A merge patch gives null a meaning.
      if (!(field === 'limits' && operation.startsWith('PATCH'))) wrong.push(null as never);
      for (const value of wrong)
        expectError(await ask(operation, { ...valid, [field]: value }), 400, 'validation_failed', [field]);
    }
  });

  test('names each field that it does not know, and every field that is wrong', async () => {
    expectError(await ask(operation, { ...valid, is_admin: true, Email: 'x' }), 400, 'validation_failed', [
      'is_admin',
      'Email',
    ]);
    expectError(await ask(operation, { ...valid, constructorName: 1, 'a.b[0]': 2, '': 3 }), 400, 'validation_failed', [
      'constructorName',
      'a.b[0]',
      '',
    ]);
    const allWrong = Object.fromEntries(fields.map((field) => [field, 7]));
    expectError(await ask(operation, allWrong), 400, 'validation_failed', fields);
  });

  test('refuses a NUL and half a surrogate pair in each text', async () => {
    for (const field of fields.filter((name) => typeof valid[name] === 'string')) {
      for (const hostile of ['\0', '\ud800']) {
        const answer = await ask(operation, { ...valid, [field]: `${valid[field]}${hostile}` });
        expectError(answer, 400, 'validation_failed', [field]);
      }
    }
  });

  test('refuses a body that is not an object', async () => {
    for (const body of ['[]', '[{}]', '5', 'true', '"text"', 'null']) {
      expectError(await ask(operation, body), 400, 'validation_failed', ['body']);
    }
    if (!operation.startsWith('PATCH')) expectError(await ask(operation, ''), 400, 'validation_failed', ['body']);
  });

  test('refuses a body that is not JSON', async () => {
    const whole = JSON.stringify(valid);
    for (const body of [
      '{',
      whole.slice(0, -1),
      `${whole}${whole}`,
      `${whole},`,
      "{'a':1}",
      '{"a":NaN}',
      '// x',
      '<a/>',
      '\0',
    ]) {
      expectError(await ask(operation, body), 400, 'validation_failed');
    }
  });

  test('refuses keys that reach for the prototype', async () => {
    for (const key of ['__proto__', 'constructor', 'prototype', 'toString']) {
      const answer = await ask(operation, `{"${key}":{"polluted":true},${JSON.stringify(valid).slice(1)}`);
      expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
      expect(answer.body.error).not.toContain('not valid JSON');
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test('refuses a body that is too large, nested too deeply or sent as a form', async () => {
    expectError(await ask(operation, { ...valid, name: 'x'.repeat(256 * 1024) }), 413, 'payload_too_large');
    const deepList = `{"${fields[0]}":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    expectError(await ask(operation, deepList), 400, 'validation_failed');
    expectError(await ask(operation, `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`), 400, 'validation_failed');
    const text = new URLSearchParams({ email: 'a@b.test', password: 'a password' }).toString();
    for (const type of [
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/plain',
      'application/xml',
      'x',
    ]) {
      expectError(await ask(operation, text, { 'content-type': type }), 415, 'unsupported_media_type');
    }
  });

  test('answers whatever JSON it is given without a fault of its own', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.jsonValue(), fc.record(Object.fromEntries(fields.map((f) => [f, fc.jsonValue()])))),
        async (body) => {
          const answer = await ask(operation, JSON.stringify(body));
          // Two texts are a sign-in that fails.
          expect([400, 401, 404, 429]).toContain(answer.status);
          expectNoInnards(JSON.stringify(answer.body));
        },
      ),
      { numRuns: 40, seed: SEED },
    );
  });
});

describe('an id', () => {
  const bare = NOBODY.replaceAll('-', '');
  const ids = [
    `{${NOBODY}}`,
    bare,
    `${NOBODY}0`,
    NOBODY.slice(1),
    'null',
    '1',
    '-1',
    "1' or '1'='1",
    '\0',
    `${NOBODY}\0`,
    'x'.repeat(200),
    '😀',
  ];
  const places: [operation: string, field: string][] = [
    [`GET ${BASE}/tenants/:id`, 'id'],
    [`PATCH ${BASE}/tenants/:id`, 'id'],
    [`DELETE ${BASE}/tenants/:id`, 'id'],
    [`POST ${BASE}/tenants/:id/impersonate`, 'id'],
    [`DELETE ${BASE}/admins/:id`, 'id'],
    [`POST ${BASE}/users/:id/suspend?tenant_id=${NOBODY}`, 'id'],
    [`POST ${BASE}/users/${NOBODY}/activate?tenant_id=:id`, 'tenant_id'],
    [`POST ${BASE}/users/${NOBODY}/impersonate?tenant_id=:id`, 'tenant_id'],
    [`GET ${BASE}/users?tenant_id=:id`, 'tenant_id'],
    [`GET ${BASE}/tenants?after=:id`, 'after'],
    [`GET ${BASE}/usage?after=:id`, 'after'],
    [`GET ${BASE}/admins?after=:id`, 'after'],
  ];

  test.each(places)('that is not a canonical UUID is refused by %s', async (operation, field) => {
    const body = operation.startsWith('PATCH') ? { name: 'X' } : undefined;
    for (const id of ids) {
      const answer = await ask(operation.replace(':id', encodeURIComponent(id)), body);
      expectError(answer, 400, 'validation_failed', [field]);
    }
  });

  test('in upper case is the same id', async () => {
    const upper = tenant.id.toUpperCase();
    expect((await ask(`GET ${BASE}/tenants/${upper}`)).body.id).toBe(tenant.id);
    expect((await ask(`GET ${BASE}/users?tenant_id=${upper}`)).body).toHaveLength(1);
    const { body: admins } = await ask(`GET ${BASE}/admins`);
    expectError(await ask(`DELETE ${BASE}/admins/${admins[0].id.toUpperCase()}`), 409, 'cannot_delete_self');
  });
});

describe('a query', () => {
  test.each([
    ['limit', 'tenants?limit=0'],
    ['limit', 'tenants?limit=501'],
    ['limit', 'tenants?limit=-1'],
    ['limit', 'tenants?limit=1.5'],
    ['limit', 'tenants?limit=1e2'],
    ['limit', 'usage?limit=99999999999999999999'],
    ['limit', 'usage?limit='],
    ['limit', 'admins?limit=%00'],
    ['limit', 'admins?limit=5&limit=6'],
    ['after', `admins?after=${NOBODY}&after=${NOBODY}`],
    ['tenant_id', 'users'],
    ['tenant_id', 'users?tenant_id='],
    ['tenant_id', `users?tenant_id=${NOBODY}&tenant_id=${NOBODY}`],
    ['search', `users?tenant_id=${NOBODY}&search=%00`],
    ['search', `users?tenant_id=${NOBODY}&search=a&search=b`],
    ['search', `users?tenant_id=${NOBODY}&search=${'x'.repeat(201)}`],
  ])('is refused for its %s: %s', async (field, query) => {
    expectError(await ask(`GET ${BASE}/${query}`), 400, 'validation_failed', [field]);
  });

  test('of any bytes is answered without a fault', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 12 }).map((value) => encodeURIComponent(value.toWellFormed()));
    const garbage = fc.oneof(text, fc.constantFrom('%', '%zz', '%c0%af', '%ff', '&&', '=', '__proto__[x]', '[]'));
    await fc.assert(
      fc.asyncProperty(garbage, garbage, async (name, value) => {
        const { status } = await ask(`GET ${BASE}/users?tenant_id=${tenant.id}&search=${value}&${name}=${value}`);
        expect([200, 400]).toContain(status);
      }),
      { numRuns: 60, seed: SEED },
    );
  });
});

test('who is not signed in learns nothing of what is wrong', async () => {
  for (const [operation] of bodies.filter(([name]) => !name.includes('login'))) {
    const [method, path] = operation.split(' ') as [string, string];
    const answer = await anonymous(app).rest(method, path, { nonsense: true });
    expectError(answer, 401, 'unauthenticated');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  }
});
