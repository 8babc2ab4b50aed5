import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Actor, anonymous, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { SUPER_ADMIN, startApp, type TestApp } from './support/app.ts';
import { describeIf } from './support/available.ts';
import { hasBrowser, openPage, startBrowser } from './support/browser.ts';
import { openStream } from './support/event-streams.ts';
import { exchange, send } from './support/http.ts';
import { bearer } from './support/sockets.ts';

let app: TestApp;
let root: Actor;
let tenant: Tenant;
let behind: TestApp;

beforeAll(async () => {
  app = await startApp();
  root = await superAdmin(app);
  tenant = await provision(root);
  behind = await startApp({ TRUST_PROXY: '127.0.0.1' }, app.databaseUrl);
});
afterAll(async () => {
  await behind?.stop();
  await app?.stop();
});

const headersOf = async (path: string, method = 'GET', headers: Record<string, string> = {}, body?: string) =>
  (await send(app.url, method, path, { headers, body })).headers;
const json = { 'content-type': 'application/json' };

describe('every answer says that it is not to be guessed at, framed or shown elsewhere', () => {
  test.each<[string, () => Promise<Headers>]>([
    ['a liveness probe', () => headersOf('/api/health')],
    ['metrics', () => headersOf('/metrics')],
    ['the API description', () => headersOf('/api/openapi.json')],
    ['a list', () => headersOf('/api/super-admin/tenants', 'GET', bearer(root))],
    ['a refusal', () => headersOf('/api/super-admin/tenants')],
    ['nothing found', () => headersOf('/nowhere')],
    ['another method', () => headersOf('/api/health', 'PUT')],
    ['a body that is none', () => headersOf('/api/auth/login', 'POST', json, '{')],
    ['GraphQL', () => headersOf('/graphql', 'POST', json, '{"query":"{ me { id } }"}')],
    ['an address that is no URL', () => headersOf('/%E0%A4%A')],
    [
      'bytes that are no HTTP',
      async () => {
        const [head] = (await exchange(app.url, 'nonsense\r\n\r\n')).split('\r\n\r\n');
        return new Headers(
          head!
            .split('\r\n')
            .slice(1)
            .map((line) => line.split(': ') as [string, string]),
        );
      },
    ],
    [
      'a stream',
      async () => {
        const answer = await openStream(app, { query: '{ me { id } }' }, bearer(root));
        await answer.text();
        return answer.headers;
      },
    ],
    ['a script of a page', () => headersOf('/assets/api-docs.js')],
  ])('so does %s', async (_, ask) => {
    const headers = await ask();
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; .*frame-ancestors 'none'/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(headers.get('x-request-id')).toBeTruthy();
    for (const telltale of ['server', 'x-powered-by', 'strict-transport-security', 'access-control-allow-origin'])
      expect([telltale, headers.get(telltale)]).toEqual([telltale, null]);
  });

  test.each(['/console', '/console/tenants', '/graphql', '/api/docs'])(
    'the page %s, which runs scripts of this server alone',
    async (path) => {
      const headers = await headersOf(path, 'GET', { accept: 'text/html' });
      const policy = headers.get('content-security-policy')!;
      for (const part of [
        "default-src 'none'",
        "script-src 'self'",
        "script-src-attr 'none'",
        "connect-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ])
        expect(policy.split('; ')).toContain(part);
      expect(policy).not.toMatch(/unsafe-eval|script-src[^;]*unsafe-inline|https?:/);
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    },
  );
});

describe('answers of GraphQL', () => {
  const me = '{ me { id } }';
  const [email, password] = [SUPER_ADMIN.email, SUPER_ADMIN.password].map((text) => JSON.stringify(text));
  const post =
    (query: string, headers: Record<string, string> = {}) =>
    () =>
      headersOf('/graphql', 'POST', { ...bearer(root), ...json, ...headers }, JSON.stringify({ query }));
  const byGet = { 'apollo-require-preflight': '1' };

  test.each<[string, () => Promise<Headers>]>([
    ['a question', post(me)],
    ['one that is known', post(me)],
    ['a question in the newer form', post(me, { accept: 'application/graphql-response+json' })],
    ['a change', post(`mutation { superAdminLogin(email: ${email}, password: ${password}) { token } }`)],
    ['one that is refused', post('{ nothing }')],
    [
      'a question by GET',
      () => headersOf(`/graphql?query=${encodeURIComponent(me)}`, 'GET', { ...bearer(root), ...byGet }),
    ],
    [
      'a stream',
      async () => {
        const answer = await openStream(app, { query: me }, bearer(root));
        await answer.text();
        return answer.headers;
      },
    ],
  ])('are kept by nobody: %s', async (_, ask) => {
    expect((await ask()).get('cache-control')).toBe('no-store');
  });
});

describe('refusals that come before what was asked for is looked at', () => {
  const large = JSON.stringify({ query: ' '.repeat(300 * 1024) });
  const asked = '{"query":"{ me { id } }"}';
  const nobody = bearer({ token: 'none' });
  const form = { 'content-type': 'application/x-www-form-urlencoded' };

  test.each<[path: string, status: number, method: string, headers?: Record<string, string>, body?: string]>([
    ['/graphql', 400, 'POST', json, '{'],
    // Of Apollo's own, against requests that pages of others send.
    ['/graphql?query={me{id}}', 400, 'GET'],
    ['/graphql', 405, 'PUT', json, asked],
    ['/graphql', 406, 'POST', { ...json, accept: 'text/html' }, asked],
    ['/graphql', 413, 'POST', json, large],
    ['/graphql', 415, 'POST', form, asked],
    ['/graphql/stream', 401, 'POST', { ...json, accept: 'text/event-stream', ...nobody }, asked],
    ['/graphql/stream', 415, 'POST', form, asked],
    ['/api/super-admin/tenants', 401, 'GET', nobody],
    ['/api/super-admin/tenants/x', 400, 'GET'],
    ['/api/super-admin/tenants', 413, 'POST', json, large],
    ['/api/super-admin/tenants', 415, 'POST', form, asked],
    ['/api/super-admin/nothing', 404, 'GET'],
  ])('are kept by nobody: %s, %i', async (path, status, method, headers = {}, body) => {
    const answer = await send(app.url, method, path, { headers: { ...bearer(root), ...headers }, body });
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([status, 'no-store']);
  });
});

describe('behind a proxy that speaks TLS', () => {
  const login = (on: TestApp, headers: Record<string, string>) =>
    anonymous(on).rest(
      'POST',
      '/api/auth/login',
      { email: tenant.adminEmail, password: tenant.adminPassword },
      headers,
    );

  test('the cookie is for TLS alone, and browsers are told to come by it for a year', async () => {
    const { headers } = await login(behind, { 'x-forwarded-proto': 'https' });
    expect(headers.get('set-cookie')).toMatch(/; HttpOnly; Secure; SameSite=Lax$/);
    expect(headers.get('strict-transport-security')).toBe('max-age=31536000');
  });

  test('neither where the proxy says that there was none, nor where nobody is trusted to say', async () => {
    for (const [on, proto] of [
      [behind, 'http'],
      [app, 'https'],
    ] as const) {
      const { headers } = await login(on, { 'x-forwarded-proto': proto });
      expect(headers.get('set-cookie')).not.toMatch(/Secure/);
      expect(headers.get('strict-transport-security')).toBeNull();
    }
  });
});

describe('whoever sends slowly', () => {
  /** Sends a byte now and then. @returns what comes back, and after how long. */
  async function drip(url: string, beginning: string): Promise<{ answer: string; ms: number }> {
    const start = performance.now();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => {
      answer += data;
    });
    socket.on('error', () => {});
    socket.write(beginning);
    const dripping = setInterval(() => socket.write('x'), 200);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(dripping);
    return { answer, ms: performance.now() - start };
  }

  test('has ten seconds for the headers and thirty for all of it', () => {
    const { headersTimeout, requestTimeout } = app.http.server;
    expect({ headersTimeout, requestTimeout }).toEqual({ headersTimeout: 10_000, requestTimeout: 30_000 });
  });

  test('is told so and cut off, and others are answered meanwhile', async () => {
    const slow = await startApp({}, app.databaseUrl);
    try {
      Object.assign(slow.http.server, { headersTimeout: 700, requestTimeout: 1500 });
      const dripped = [
        drip(slow.url, 'GET /api/health HTTP/1.1\r\nhost: x\r\nx-slow: '),
        drip(
          slow.url,
          'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n{',
        ),
      ];
      await sleep(300);
      expect((await send(slow.url, 'GET', '/api/health')).status).toBe(200);
      for (const { answer, ms } of await Promise.all(dripped)) {
        expect(answer).toMatch(/^HTTP\/1\.1 408 .*"code":"validation_failed"/s);
        expect(ms).toBeLessThan(6000);
      }
    } finally {
      await slow.stop();
    }
  });
});

describe('what is no HTTP, behind a request that is worked on', () => {
  const bytes = (way: string, body: string, ...more: string[]) =>
    [
      `${way} HTTP/1.1`,
      'host: x',
      `authorization: Bearer ${root.token}`,
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      ...more,
      '',
      body,
    ].join('\r\n');

  test('is refused once that is answered, and not in its place', async () => {
    const renamed = bytes(`PATCH /api/super-admin/tenants/${tenant.id}`, JSON.stringify({ name: 'Renamed' }));
    const answers = await exchange(app.url, `${renamed}nonsense\r\n\r\nand more of it\r\n\r\n`, false);
    expect([...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['200', '400']);
  });

  test('ends a stream of events, and is not answered in the midst of it', async () => {
    const { hostname, port } = new URL(app.url);
    const socket = connect(Number(port), hostname);
    let told = '';
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket
      .on('error', () => {})
      .on('data', (data) => {
        told += data;
      });
    const query = JSON.stringify({ query: 'subscription { tenantChanged { kind } }' });
    socket.write(bytes('POST /graphql/stream', query, 'accept: text/event-stream'));
    await eventually(
      async () => told,
      (text) => text.includes('SNAPSHOT'),
    );
    socket.write('nonsense\r\n\r\n');
    await closed;
    expect(told.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200']);
  });
});

describe('a setting', () => {
  test('that makes no sense is named at start', async () => {
    for (const bad of ['nonsense=1', 'graphql', 'graphql=-1', 'graphql=x'])
      await expect(startApp({ RATE_LIMITS: bad })).rejects.toThrow(/RATE_LIMITS must be/);
    for (const bad of ['https://a.example/', '*', 'null', 'dashboard.example'])
      await expect(startApp({ CORS_ORIGINS: bad })).rejects.toThrow(/CORS_ORIGINS must be/);
  });
});

describeIf('in a browser', hasBrowser, 'chromium is not on PATH', () => {
  test('the API description lives under its policy, and a script that is slipped into a page does not run', async () => {
    const browser = await startBrowser();
    try {
      const { page, problems } = await openPage(browser, app);
      for (const path of ['/api/docs', '/graphql', '/console/tenants']) {
        await page.goto(app.url + path, { waitUntil: 'load' });
        await page.locator('body *').first().waitFor();
        await sleep(500);
        expect([path, problems]).toEqual([path, []]);
      }
      await page.goto(`${app.url}/api/docs`);
      await page.getByText('OmniStream', { exact: false }).first().waitFor();
      // Until the picture has failed: then its handler has run, or never will.
      await page.evaluate(
        `new Promise((failed) => {
           document.body.insertAdjacentHTML('beforeend', '<img src="/none" onerror="window.hacked = 1">');
           document.body.lastElementChild.addEventListener('error', failed);
           document.head.append(Object.assign(document.createElement('script'), { textContent: 'window.hacked = 2' }));
         }).then(() => {})`,
      );
      await eventually(
        async () => problems,
        (told) => told.some((problem) => /Content Security Policy/.test(problem)),
      );
      expect(await page.evaluate('window.hacked')).toBeUndefined();
      await page.context().close();
    } finally {
      await browser.close();
    }
  });
});
