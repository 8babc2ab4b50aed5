import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Actor, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { contentOf } from './support/content.ts';
import { expectError, expectNoInnards } from './support/errors.ts';
import { exchange, type RawRequest, send } from './support/http.ts';

const NOBODY = '00000000-0000-7000-8000-000000000000';

let app: TestApp;
let admin: Actor;
let before: Record<string, string>;

beforeAll(async () => {
  app = await startApp();
  admin = await superAdmin(app);
  before = await contentOf(app);
});
afterAll(async () => {
  expect(await contentOf(app)).toEqual(before);
  await app.stop();
});

/** As the super admin, the path as it is written. */
async function ask(method: string, path: string, options: RawRequest = {}) {
  const headers = { authorization: `Bearer ${admin.token}`, ...options.headers };
  const answer = await send(app.url, method, path, { ...options, headers });
  return { ...answer, body: answer.text ? JSON.parse(answer.text) : undefined };
}

describe('an address', () => {
  test.each(['%', '%z1', '%c0%af', '%E0%A4%A', '%ff', '%u0041'])(
    'with the broken escape %s is refused',
    async (broken) => {
      expectError(await ask('GET', `/api/super-admin/tenants/${broken}`), 400, 'validation_failed');
      expectError(await ask('GET', `/${broken}`), 400, 'validation_failed');
    },
  );

  test('with an id of any length that is no UUID is refused', async () => {
    for (const length of [1, 35, 37, 200, 201, 2000]) {
      expectError(
        await ask('GET', `/api/super-admin/tenants/${'x'.repeat(length)}`),
        400,
        'validation_failed',
        length > 200 ? undefined : ['id'],
      );
    }
  });

  test('may end in a slash', async () => {
    expect((await ask('GET', '/api/super-admin/tenants/')).status).toBe(200);
    const answer = await ask('PUT', '/api/super-admin/tenants/');
    expectError(answer, 405, 'method_not_allowed');
    expect(answer.headers.get('allow')?.split(', ').sort()).toEqual(['GET', 'HEAD', 'POST']);
  });

  test.each([
    '/nowhere',
    '/api',
    '/api/super-admin',
    '/api/super-admin/tenant',
    '/api/super-admin/Tenants',
    '/api//super-admin/tenants',
    '/api/super-admin/../../etc/passwd',
    '/api/super-admin/tenants/..%2f..%2fetc%2fpasswd/impersonate/x',
    `/api/super-admin/tenants/${NOBODY}/impersonate/again`,
    '/%00',
    '/😀'.replace('😀', '%F0%9F%98%80'),
  ])('that is not there is a 404: %s', async (path) => {
    for (const method of ['GET', 'POST', 'DELETE']) expectError(await ask(method, path), 404, 'not_found');
  });
});

test('of the files that a page needs, no others can be had', async () => {
  const names = [
    '',
    'package.json',
    'swagger-ui.js',
    '..%2fpackage.json',
    '.%2e/package.json',
    '%5c..%5cpackage.json',
    '%00',
  ];
  for (const folder of ['swagger-ui', 'graphiql', 'react', 'react-dom']) {
    for (const name of names) {
      const { status, body } = await ask('GET', `/assets/${folder}/${name}`);
      expect([400, 404]).toContain(status);
      expect(['validation_failed', 'not_found']).toContain(body.code);
    }
  }
});

test.each([
  '.git/config',
  '.git/HEAD',
  '.env',
  '.env.example',
  'package.json',
  'dist/gateway/main.js',
  'data/secrets.json',
])('of a clone that a gateway runs in, %s cannot be had', async (file) => {
  for (const path of [`/${file}`, `//${file}`, `/api/${file}`, `/assets/${file}`])
    expectError(await ask('GET', path), 404, 'not_found');
  // The folder that files of the console come from is in the clone.
  expectError(await ask('GET', `/console/assets/../../../${file}`), 400, 'validation_failed');
});

describe('a method', () => {
  const taken: [path: string, methods: string[]][] = [
    ['/api/auth/login', ['POST']],
    ['/api/super-admin/login', ['POST']],
    ['/api/super-admin/tenants', ['GET', 'POST']],
    [`/api/super-admin/tenants/${NOBODY}`, ['GET', 'DELETE', 'PATCH']],
    [`/api/super-admin/tenants/${NOBODY}/impersonate`, ['POST']],
    ['/api/super-admin/usage', ['GET']],
    ['/api/super-admin/health', ['GET']],
    ['/api/super-admin/admins', ['GET', 'POST']],
    [`/api/super-admin/admins/${NOBODY}`, ['DELETE']],
    [`/api/super-admin/admins/${NOBODY}/reset-password`, ['POST']],
    ['/api/super-admin/users', ['GET', 'POST']],
    ...['reset-password', 'suspend', 'activate', 'impersonate'].map((action): [string, string[]] => [
      `/api/super-admin/users/${NOBODY}/${action}`,
      ['POST'],
    ]),
    ['/graphql', ['GET', 'POST']],
    ['/api/health', ['GET']],
    ['/api/openapi.json', ['GET']],
    ['/api/docs', ['GET']],
    ['/readyz', ['GET']],
    ['/metrics', ['GET']],
  ];

  test.each(taken)('that %s does not take is refused, naming those that it takes', async (path, methods) => {
    const allowed = methods.includes('GET') ? [...methods, 'HEAD'] : methods;
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'SEARCH']) {
      if (allowed.includes(method)) continue;
      const answer = await ask(method, path);
      expectError(answer, 405, 'method_not_allowed');
      expect(answer.headers.get('allow')?.split(', ').sort()).toEqual([...allowed].sort());
    }
  });

  test('HEAD answers as GET does, without a body', async () => {
    const [get, head] = [await ask('GET', '/api/super-admin/tenants'), await ask('HEAD', '/api/super-admin/tenants')];
    expect([head.status, head.text]).toEqual([200, '']);
    expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'));
  });
});

describe('a body', () => {
  test('of unknown length is measured as it comes', async () => {
    const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
    const body = JSON.stringify({ email: 'a@b.test', password: 'x'.repeat(300_000) });
    expectError(await ask('POST', '/api/super-admin/login', { headers, body }), 413, 'payload_too_large');
    expectError(await ask('POST', '/graphql', { headers, body }), 413, 'payload_too_large');
  });

  test('without a type, or for an operation that takes none, is refused', async () => {
    const bare = await ask('POST', '/api/super-admin/login', { body: '{"email":"a@b.test","password":"x"}' });
    expectError(bare, 415, 'unsupported_media_type');
    const headers = { 'content-type': 'application/json' };
    const surplus = await ask('POST', `/api/super-admin/tenants/${NOBODY}/impersonate`, {
      headers,
      body: '{"role":"admin"}',
    });
    expectError(surplus, 400, 'validation_failed', ['role']);
    const gone = await ask('DELETE', `/api/super-admin/tenants/${NOBODY}`, { headers, body: '{"force":true}' });
    expectError(gone, 400, 'validation_failed', ['force']);
  });

  test('that is compressed, or not text at all, is not JSON', async () => {
    for (const encoding of ['gzip', 'br', 'identity']) {
      const headers = { 'content-type': 'application/json', 'content-encoding': encoding };
      const body = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0xff, 0xfe]);
      expectError(await ask('POST', '/api/super-admin/login', { headers, body }), 400, 'validation_failed');
    }
  });

  test('that is not UTF-8, or said to be in other characters, is refused and not mended', async () => {
    const path = '/api/super-admin/tenants';
    const body = Buffer.from('{"slug":"latin","name":"Café"}', 'latin1');
    const broken = await ask('POST', path, { headers: { 'content-type': 'application/json' }, body });
    expectError(broken, 400, 'validation_failed');
    expect(broken.body.error).toBe('The body is not UTF-8 text.');
    for (const charset of ['latin1', 'ISO-8859-1', 'utf-16', '"utf-16le"', 'utf-8x']) {
      const headers = { 'content-type': `application/json; charset=${charset}` };
      expectError(await ask('POST', path, { headers, body }), 415, 'unsupported_media_type');
    }
    for (const charset of ['utf-8', 'UTF-8', '"utf-8"', 'utf8', ' utf-8', 'us-ascii']) {
      const headers = { 'content-type': `application/json; charset=${charset}` };
      expectError(await ask('POST', path, { headers, body: '{}' }), 400, 'validation_failed', ['slug', 'name']);
    }
  });

  test('with the mark of UTF-8 before it, or a vendor type of JSON, is taken', async () => {
    const body = '\ufeff{"email":"nobody@b.test","password":"wrong"}';
    for (const type of ['application/json; charset=utf-8', 'application/vnd.api+json']) {
      const answer = await ask('POST', '/api/super-admin/login', { headers: { 'content-type': type }, body });
      expectError(answer, 401, 'unauthenticated');
    }
  });
});

describe("a request's id", () => {
  test.each(['abc-123', 'a.b:c/d+e=f_g', 'x'.repeat(128)])('that is fit for a log line is echoed: %s', async (id) => {
    const headers = { 'x-request-id': id };
    for (const path of ['/api/health', '/nowhere', '/%', '/api/super-admin/tenants/x']) {
      expect((await ask('GET', path, { headers })).headers.get('x-request-id')).toBe(id);
    }
  });

  test.each(['a b', '<script>', 'x'.repeat(129), 'é', '"; drop table', ''])(
    'that is not is replaced: %j',
    async (id) => {
      const { headers, body } = await ask('GET', '/nowhere', { headers: { 'x-request-id': id } });
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
      expect(body.request_id).toBe(headers.get('x-request-id'));
    },
  );
});

/** Each of so many bytes, and its name. */
const fourHeaders = (bytes: number) => `x-long: ${'x'.repeat(bytes)}\r\n`.repeat(4);

describe('bytes that are not HTTP', () => {
  test.each([
    ['no request at all', 'hello\r\n\r\n'],
    ['a method nobody knows', 'BREW /api/health HTTP/1.1\r\nhost: x\r\n\r\n'],
    ['two lengths', 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello'],
    [
      'a length and chunks',
      'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a header that is far too long', `GET /api/health HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(70_000)}\r\n\r\n`],
    ['headers of more than 16 KiB together', `GET /api/health HTTP/1.1\r\nhost: x\r\n${fourHeaders(4096)}\r\n`],
    ['a header with a NUL', 'GET /api/health HTTP/1.1\r\nhost: x\r\nx-nul: a\0b\r\n\r\n'],
  ])('such as %s are refused in the same form', async (_, bytes) => {
    const answer = await exchange(app.url, bytes);
    const [head, text] = answer.split('\r\n\r\n') as [string, string];
    expect(head).toMatch(/^HTTP\/1\.1 400 /);
    const headers = new Headers(
      head
        .split('\r\n')
        .slice(1)
        .map((line) => line.split(': ') as [string, string]),
    );
    expectError({ status: 400, headers, body: JSON.parse(text) }, 400, 'validation_failed');
  });
});

test('headers of nearly 16 KiB are read', async () => {
  const bytes = `GET /api/health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${fourHeaders(4000)}\r\n`;
  expect(await exchange(app.url, bytes)).toMatch(/^HTTP\/1\.1 200 /);
});

test('a host that is none is refused', async () => {
  for (const host of ['x y', 'a<b', 'a%zz']) {
    for (const [method, path] of [
      ['GET', '/api/super-admin/tenants'],
      ['GET', '/graphql?query={me{id}}'],
      ['POST', '/graphql'],
    ] as const) {
      const body = method === 'POST' ? '{"query":"{ me { id } }"}' : undefined;
      const headers = { host, ...(body && { 'content-type': 'application/json' }) };
      const { status, body: answer } = await ask(method, path, { headers, body });
      expect({ host, status, code: answer.code }).toEqual({ host, status: 400, code: 'validation_failed' });
    }
  }
});

test('HTTP/1.0 needs no host: probes of balancers send none', async () => {
  for (const path of ['/api/health', '/readyz']) {
    expect(await exchange(app.url, `GET ${path} HTTP/1.0\r\n\r\n`, false)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await exchange(app.url, `GET ${path} HTTP/1.1\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
    expect(await exchange(app.url, `GET ${path} HTTP/1.0\r\nhost: x y\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
  }
  // The host may say whose the hours are; without one, nothing does.
  const status = await exchange(app.url, 'GET /api/working-hours/status HTTP/1.0\r\n\r\n', false);
  expect(status).toMatch(/^HTTP\/1\.1 400 /);
  expect(status).toContain('"tenant_required"');
});

test('an expectation that nobody knows is passed over', async () => {
  expect((await ask('GET', '/api/super-admin/tenants', { headers: { expect: 'a-miracle' } })).status).toBe(200);
});

test('a cookie or a header that makes no sense is a missing sign-in, not a fault', async () => {
  const senseless: Record<string, string>[] = [
    { cookie: 'access_token=%E0%A4%A' },
    { cookie: 'access_token=a.b.c; access_token=; =; ;;' },
    { authorization: 'Bearer' },
    { authorization: 'Basic cm9vdDpyb290' },
    { authorization: `Bearer ${'x'.repeat(10_000)}` },
    { authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' },
  ];
  for (const headers of senseless) {
    const answer = await send(app.url, 'GET', '/api/super-admin/tenants', { headers });
    expectError({ ...answer, body: JSON.parse(answer.text) }, 401, 'unauthenticated');
    expectNoInnards(answer.text);
  }
});
