import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Actor, agent, eventually, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { expectError } from './support/errors.ts';
import { askStatus, type StatusRequest } from './support/hours-status.ts';
import { send } from './support/http.ts';
import { reading, scrape } from './support/metrics.ts';
import { statementsOf } from './support/statements.ts';
import { addUser, inZone } from './support/tenants.ts';

const TENANTS = '/api/super-admin/tenants';
const NOBODY = '00000000-0000-7000-8000-000000000000';
/** How old an answer may be, in milliseconds. */
const MOST_LAG = 1000;
/** Zones, by which answers show whose they are. */
const [ACME, OTHER] = ['Asia/Jakarta', 'Europe/Berlin'];

/** Two processes of one installation. */
let here: TestApp;
let there: TestApp;
let root: Actor;
let acme: Tenant;
let admin: Actor;
let otherAdmin: Actor;
/** While acme was the only tenant. */
let alone: { status: number; timezone: string };

beforeAll(async () => {
  here = await startApp({ BASE_DOMAIN: 'chat.test' });
  there = await startApp({ BASE_DOMAIN: 'chat.test' }, here.databaseUrl);
  root = await superAdmin(here);
  [acme, admin] = await inZone(here, root, 'acme', ACME!);
  const { status, body } = await ask('');
  alone = { status, timezone: body.timezone };
  [, otherAdmin] = await inZone(here, root, 'other', OTHER!);
});
afterAll(async () => {
  await there?.stop();
  await here?.stop();
});

const ask = (query: string, { app = here, ...options }: StatusRequest & { app?: TestApp } = {}) =>
  askStatus(app.url, query, options);
const bearer = (actor: Actor) => ({ authorization: `Bearer ${actor.token}` });
const cookie = (value: string) => ({ cookie: `access_token=${value}` });

describe('whose hours are meant', () => {
  const slug = (value: string) => ({ 'x-tenant-slug': value });
  const host = (value: string) => ({ host: value });

  test("is the only active tenant's, where there is just one", () => {
    expect(alone).toEqual({ status: 200, timezone: ACME });
  });

  test.each<[what: string, query: string, headers: () => Record<string, string>, timezone: string]>([
    ['a token', '?tenant=acme', () => ({ ...bearer(otherAdmin), ...slug('acme'), ...host('acme.chat.test') }), OTHER!],
    ['a cookie', '?tenant=acme', () => ({ ...cookie(otherAdmin.token!), ...slug('acme') }), OTHER!],
    ['the header', '?tenant=other', () => ({ ...slug('acme'), ...host('other.chat.test') }), ACME!],
    ['the query', '?tenant=acme', () => host('other.chat.test'), ACME!],
    ['the host', '', () => host('other.chat.test'), OTHER!],
    ['the host in capitals, with a port', '', () => host('ACME.Chat.Test:4000'), ACME!],
    ['the query beside the token of a super admin', '?tenant=acme', () => bearer(root), ACME!],
    ['the header beside a stale cookie', '', () => ({ ...slug('acme'), ...cookie('stale') }), ACME!],
    ['the header in capitals', '?tenant=other', () => slug('ACME'), ACME!],
    ['the query in capitals', '?tenant=Acme', () => ({}), ACME!],
    ['the query beside an empty cookie', '?tenant=other', () => cookie(''), OTHER!],
  ])('is told by %s', async (_, query, headers, timezone) => {
    for (const app of [here, there]) {
      const { status, body } = await ask(query, { app, headers: headers() });
      expect([status, body.timezone]).toEqual([200, timezone]);
    }
  });

  test.each<[what: string, query: string, headers: Record<string, string>, status: number, code: string]>([
    ['nothing says it', '', {}, 400, 'tenant_required'],
    ['the host is the domain itself', '', host('chat.test'), 400, 'tenant_required'],
    ['the host is of another domain', '', host('acme.evil.test'), 400, 'tenant_required'],
    ['the label of the host can be no slug', '', host('www.chat.test'), 400, 'tenant_required'],
    ['only a stale cookie says it', '', cookie('stale'), 400, 'tenant_required'],
    ['the query names nobody', '?tenant=nobody', {}, 404, 'not_found'],
    ['the query can be no slug', '?tenant=No%20Slug', {}, 404, 'not_found'],
    ['the header names nobody, whatever the query says', '?tenant=acme', slug('nobody'), 404, 'not_found'],
    ['the host names nobody', '', host('nobody.chat.test'), 404, 'not_found'],
    [
      'the token is no good, whatever the query says',
      '?tenant=acme',
      { authorization: 'Bearer x' },
      401,
      'unauthenticated',
    ],
    ['it is no token at all', '?tenant=acme', { authorization: 'Basic eDp5' }, 401, 'unauthenticated'],
    ['the key is no good', '?tenant=acme', { 'x-api-key': 'x' }, 401, 'unauthenticated'],
  ])('is not known when %s', async (_, query, headers, status, code) => {
    expectError(await ask(query, { headers }), status, code);
  });

  test('is told by the Host header alone, also behind a trusted proxy: caches keep answers apart by it', async () => {
    const proxied = await startApp({ BASE_DOMAIN: 'chat.test', TRUST_PROXY: '127.0.0.1' }, here.databaseUrl);
    try {
      const headers = { ...host('acme.chat.test'), 'x-forwarded-host': 'other.chat.test' };
      expect((await ask('', { app: proxied, headers })).body.timezone).toBe(ACME);
    } finally {
      await proxied.stop();
    }
  });

  test.each<[what: string, headers: (value: string) => Record<string, string>]>([
    ['a token', (token) => ({ authorization: `Bearer ${token}` })],
    ['a cookie', cookie],
  ])('is refused to a user who is suspended, by %s', async (_, headers) => {
    const { id, email } = await addUser(here, acme.id, { email: `${randomUUID()}@acme.test` });
    const { token } = await agent(here, email, 'a password');
    expect((await ask('?tenant=other', { headers: headers(token!) })).body.timezone).toBe(ACME);
    await root.rest('POST', `/api/super-admin/users/${id}/suspend?tenant_id=${acme.id}`);
    const asked = () => ask('?tenant=other', { headers: headers(token!) });
    expectError(await eventually(asked, ({ status }) => status !== 200, MOST_LAG), 403, 'user_suspended');
  });
});

describe('the question', () => {
  test('may be of a division, of the past and of the future', async () => {
    const { id } = (await admin.rest('POST', '/api/divisions', { name: 'Night' })).body;
    await admin.rest('PUT', `/api/working-hours/divisions/${id}`, {
      days: [{ day_of_week: 1, start_time: '22:00', end_time: '06:00' }],
    });
    const at = async (instant: string, more = '') =>
      (await ask(`?tenant=acme&at=${encodeURIComponent(instant)}${more}`)).body;
    expect(await at('2030-01-07T08:30:00+07:00')).toEqual({
      is_working_hours: true,
      timezone: ACME,
      current_time: '08:30',
      local_time: '2030-01-07T08:30:00+07:00',
      next_change_at: '2030-01-07T10:00:00.000Z',
      explanation: 'Monday 08:00–17:00, Asia/Jakarta',
    });
    expect(await at('2030-01-07T16:30:00Z', `&division_id=${id}`)).toMatchObject({
      is_working_hours: true,
      local_time: '2030-01-07T23:30:00+07:00',
      next_change_at: '2030-01-07T23:00:00.000Z',
      explanation: expect.stringContaining('division Night'),
    });
    expect((await at('2030-01-07T08:30:00+07:00', `&division_id=${id}`)).is_working_hours).toBe(false);
    expect((await at('1999-12-31T09:00:00Z')).is_working_hours).toBe(true);
    expectError(await ask(`?tenant=other&division_id=${id}`), 404, 'not_found');
    expectError(await ask(`?tenant=acme&division_id=${NOBODY}`), 404, 'not_found');
  });

  test('is answered from memory the second time, also when it is of nobody', async () => {
    const control = statementsOf(here);
    const { rows } = here.services.tenants;
    const inTenants: string[] = [];
    here.services.tenants.rows = ((...args: Parameters<typeof rows>) => {
      if (args[1].name !== 'usage_counters') inTenants.push(args[1].name);
      return rows.apply(here.services.tenants, args);
    }) as typeof rows;
    const questions: [query: string, headers?: Record<string, string>][] = [
      ['?tenant=acme'],
      ['?tenant=acme&at=2031-01-01T00:00:00Z'],
      ['', { host: 'other.chat.test' }],
      ['', bearer(otherAdmin)],
      ['', {}],
      ['?tenant=made-up'],
      ['?tenant=made-up-as-well', { origin: 'https://evil.test' }],
    ];
    const all = () => control.during(() => Promise.all(questions.map(([query, headers]) => ask(query, { headers }))));
    await all();
    inTenants.length = 0;
    expect([await all(), await all(), inTenants]).toEqual([[], [], []]);
    const slugs = Array.from({ length: 30 }, () => '?tenant=a-new-name');
    expect(await control.during(() => Promise.all(slugs.map((query) => ask(query))))).toHaveLength(1);
    expect(await control.during(() => ask('?tenant=x'))).toEqual([]);
    here.services.tenants.rows = rows;
  });

  test('is answered from memory as well when another tenant was changed meanwhile', async () => {
    const { directory } = here.services;
    await ask('?tenant=acme');
    const before = directory.edition;
    const { body } = await root.rest('GET', TENANTS);
    const { id } = (body as { id: string; slug: string }[]).find(({ slug }) => slug === 'other')!;
    expect((await root.rest('PATCH', `${TENANTS}/${id}`, { name: 'Other and Sons' })).status).toBe(200);
    await eventually(
      async () => directory.edition,
      (edition) => edition > before,
    );
    expect(await statementsOf(here).during(() => ask('?tenant=acme'))).toEqual([]);
  });
});

describe('an answer', () => {
  test('comes with an ETag, and is not sent again where it is the same', async () => {
    const query = '?tenant=acme&at=2030-01-07T08:30:00Z';
    const { status, headers, text } = await ask(query);
    const etag = headers.get('etag')!;
    expect([status, etag, headers.get('cache-control')]).toEqual([
      200,
      expect.stringMatching(/^(W\/)?".+"$/),
      'public, max-age=5',
    ]);
    const again = await ask(query, { headers: { 'if-none-match': etag } });
    expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', etag]);
    expect(again.headers.get('cache-control')).toBe('public, max-age=5');
    const head = await ask(query, { method: 'HEAD' });
    expect([head.status, head.text, head.headers.get('etag'), head.headers.get('content-length')]).toEqual([
      ...[200, '', etag, String(Buffer.byteLength(text))],
    ]);
    const changed = await ask('?tenant=other&at=2030-01-07T08:30:00Z', { headers: { 'if-none-match': etag } });
    expect(changed.status).toBe(200);
    for (const [tags, expected] of [
      ['*', 304],
      [`W/${etag}`, 304],
      [`"another one", ${etag}`, 304],
      ['"another one"', 200],
    ] as const) {
      for (const method of ['GET', 'HEAD']) {
        const asked = await ask(query, { method, headers: { 'if-none-match': tags } });
        expect([method, tags, asked.status]).toEqual([method, tags, expected]);
      }
    }
  });

  test('that nobody has to be sent is worked out once as well, and says nothing of a body', async () => {
    const field = { field: 'Query.workingHoursStatus' };
    const workedOut = async () => reading(await scrape(here), 'graphql_resolver_duration_seconds_count', field)!;
    const query = '?tenant=acme&at=2030-01-07T09:30:00Z';
    const etag = (await ask(query)).headers.get('etag')!;
    // Whatever was kept is worked out anew after that.
    await otherAdmin.rest('PUT', '/api/settings/timezone', { timezone: OTHER });
    const answers = await eventually(
      async () => {
        const before = await workedOut();
        const five = [];
        for (let n = 0; n < 5; n++) five.push(await ask(query, { headers: { 'if-none-match': etag } }));
        return { five, times: (await workedOut()) - before };
      },
      ({ times }) => times === 0,
    );
    expect(answers.five.map(({ status }) => status)).toEqual(Array(5).fill(304));
    for (const name of ['content-length', 'content-type', 'transfer-encoding'])
      expect(answers.five.map(({ headers }) => headers.get(name))).toEqual(Array(5).fill(null));
  });

  test('is kept for five seconds at most, and never past the minute that it tells', async () => {
    for (let round = 0; round < 3; round++) {
      const { body, headers } = await ask('?tenant=acme');
      const seconds = Number(/max-age=(\d+)$/.exec(headers.get('cache-control')!)![1]);
      const left = (Date.parse(body.local_time) + 60_000 - Date.now()) / 1000;
      expect(seconds).toBeLessThanOrEqual(5);
      expect(seconds).toBeGreaterThanOrEqual(Math.min(5, Math.floor(left)));
      expect(seconds).toBeLessThanOrEqual(left + 1);
    }
  });

  test.each<[query: string, status: number, headers: Record<string, string>]>([
    ['', 400, {}],
    ['?tenant=nobody', 404, {}],
    ['?tenant=acme&at=x', 400, {}],
    ['?tenant=acme', 401, { authorization: 'Bearer x' }],
  ])('that is an error is kept by nobody: %s', async (query, status, headers) => {
    const answer = await ask(query, { headers });
    expect([answer.status, answer.headers.get('cache-control'), answer.headers.get('etag')]).toEqual([
      ...[status, 'no-store', null],
    ]);
  });

  test('to one with credentials is kept by nobody else', async () => {
    const { headers } = await ask('', { headers: bearer(admin) });
    expect(headers.get('cache-control')).toMatch(/^private, max-age=\d+$/);
    for (const name of ['Authorization', 'Cookie', 'X-API-Key', 'X-Tenant-Slug']) {
      expect(headers.get('vary')).toContain(name);
    }
  });

  test('is never kept past the next change, and the change is answered at once', async () => {
    const time = (ms: number) => new Date(ms).toISOString().slice(11, 19);
    await eventually(
      async () => Date.now() % 86_400_000,
      (ms) => ms < 86_380_000 && ms > 1000,
      25_000,
    );
    await otherAdmin.rest('PUT', '/api/settings/timezone', { timezone: 'UTC' });
    const closes = Math.ceil(Date.now() / 1000) * 1000 + 4000;
    const days = [{ day_of_week: new Date().getUTCDay(), start_time: '00:00', end_time: time(closes) }];
    expect((await otherAdmin.rest('PUT', '/api/working-hours', { days })).status).toBe(200);
    const seen = new Set<boolean>();
    while (Date.now() < closes + 500) {
      const asked = Date.now();
      const { body, headers } = await ask('?tenant=other');
      const seconds = Number(/max-age=(\d+)$/.exec(headers.get('cache-control')!)![1]);
      expect(asked + seconds * 1000).toBeLessThanOrEqual(Date.parse(body.next_change_at));
      if (asked >= closes || Date.now() < closes) expect(body.is_working_hours).toBe(asked < closes);
      seen.add(body.is_working_hours);
      await sleep(40);
    }
    expect(seen).toEqual(new Set([true, false]));
    await otherAdmin.rest('PUT', '/api/settings/timezone', { timezone: OTHER });
  });
});

describe('pages of any origin', () => {
  const origin = { origin: 'https://shop.test' };
  const allowed = (headers: Headers) => [
    headers.get('access-control-allow-origin'),
    headers.get('access-control-allow-credentials'),
  ];

  test.each(['?tenant=acme', '', '?tenant=nobody', '?tenant=acme&at=x', `?tenant=acme&division_id=${NOBODY}`])(
    'may read the answer, good or bad: %s',
    async (query) => {
      expect(allowed((await ask(query, { headers: origin })).headers)).toEqual(['*', null]);
    },
  );

  test('may read that their token is no good, that nothing has changed, and a HEAD', async () => {
    const bad = await ask('?tenant=acme', { headers: { ...origin, authorization: 'Bearer x' } });
    const { headers } = await ask('?tenant=acme&at=2030-01-01T00:00:00Z');
    const same = await ask('?tenant=acme&at=2030-01-01T00:00:00Z', {
      headers: { ...origin, 'if-none-match': headers.get('etag')! },
    });
    const head = await ask('?tenant=acme', { method: 'HEAD', headers: origin });
    expect([bad, same, head].map((answer) => [answer.status, ...allowed(answer.headers)])).toEqual([
      ...[
        [401, '*', null],
        [304, '*', null],
        [200, '*', null],
      ],
    ]);
  });

  test('may ask whether they may', async () => {
    const preflight = {
      ...origin,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'x-tenant-slug',
    };
    const { status, headers, text } = await ask('', { method: 'OPTIONS', headers: preflight });
    expect([status, text, ...allowed(headers)]).toEqual([204, '', '*', null]);
    expect(headers.get('access-control-allow-methods')).toContain('GET');
    expect(headers.get('access-control-allow-headers')).toMatch(/x-tenant-slug/i);
  });

  test('may read nothing else', async () => {
    for (const [method, path] of [
      ['GET', '/api/working-hours'],
      ['GET', '/api/working-hours/changes'],
      ['GET', '/api/health'],
      ['GET', '/api/working-hours/nothing'],
      ['OPTIONS', '/api/working-hours'],
      ['POST', '/graphql'],
    ] as const) {
      const { headers } = await send(here.url, method, path, { headers: { ...origin, ...bearer(admin) } });
      expect([path, ...allowed(headers)]).toEqual([path, null, null]);
    }
  });

  test('may read that another method is not taken', async () => {
    const answer = await ask('', { method: 'POST', headers: origin });
    expectError(answer, 405, 'method_not_allowed');
    expect([answer.headers.get('allow'), ...allowed(answer.headers)]).toEqual(['GET, HEAD, OPTIONS', '*', null]);
  });
});
