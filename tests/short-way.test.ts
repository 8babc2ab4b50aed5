import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLog } from '../src/log.ts';
import { type Actor, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { exchange, newAddress, type RawRequest, send } from './support/http.ts';
import { reading, scrape } from './support/metrics.ts';

/** An instant to come: its answer stays the same. */
const PATH = '/api/working-hours/status?at=2030-01-07T08:30:00Z&tenant=';
/** Whoever sends a body, though an empty one, is answered by way of Fastify, anew. */
const LONG = { 'content-length': '0' };

let app: TestApp;
let root: Actor;
let path: string;
let etag: string;
let acme: Tenant;

beforeAll(async () => {
  app = await startApp({ TRUST_PROXY: '127.0.0.1', CORS_ORIGINS: 'https://named.example', BASE_DOMAIN: 'chat.test' });
  root = await superAdmin(app);
  acme = await provision(root, { slug: 'acme' });
  path = PATH + acme.slug;
  etag = (await send(app.url, 'GET', path)).headers.get('etag')!;
});
afterAll(() => app?.stop());

/** How often the status was worked out by now. */
const workedOut = async (on = app) =>
  reading(await scrape(on), 'graphql_resolver_duration_seconds_count', { field: 'Query.workingHoursStatus' }) ?? 0;

/** On a connection that is kept, an answer that stands ready is written before Node makes a response. */
const KEPT = { connection: 'keep-alive' };

/** An answer that stood ready: asked until it did. */
async function ready(on: TestApp, wanted: string, options: RawRequest = {}) {
  const asked = async () => {
    const before = await workedOut(on);
    const answer = await send(on.url, 'GET', wanted, options);
    return { answer, anew: (await workedOut(on)) - before };
  };
  return (await eventually(asked, ({ anew }) => anew === 0)).answer;
}

test('it is written before Node makes a response on a connection that is kept, and only there', async () => {
  let made = 0;
  const count = () => {
    made += 1;
  };
  app.http.server.on('request', count);
  try {
    for (const [headers, responses] of [
      [KEPT, 0],
      [{ ...KEPT, 'if-none-match': etag }, 0],
      [{ connection: 'close' }, 1],
    ] as const) {
      await ready(app, path, { headers });
      const { seen } = await eventually(
        async () => {
          made = 0;
          await send(app.url, 'GET', path, { headers });
          return { seen: made };
        },
        ({ seen }) => seen === responses,
      );
      expect([headers, seen]).toEqual([headers, responses]);
    }
  } finally {
    app.http.server.off('request', count);
  }
});

describe.each([
  ['is kept', KEPT],
  ['is to end', { connection: 'close' }],
])('on a connection that %s, a ready answer is, header by header, the one that is worked out', (_, connection) => {
  test.each<[what: string, headers: () => Record<string, string>, status?: number]>([
    ['to a program', () => ({})],
    ['to a page', () => ({ origin: 'https://shop.example', accept: '*/*', 'accept-encoding': 'gzip' })],
    ['to a page of a named origin', () => ({ origin: 'https://named.example' })],
    ['to whoever has it', () => ({ 'if-none-match': etag }), 304],
    ['to whoever has several', () => ({ 'if-none-match': `"other", W/${etag}` }), 304],
    ['to whoever has another', () => ({ 'if-none-match': '"other"' })],
    ['over TLS', () => ({ 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.7' })],
    ['over TLS, to whoever has it', () => ({ 'x-forwarded-proto': 'https', 'if-none-match': etag }), 304],
    ['over TLS to a proxy before the proxy', () => ({ 'x-forwarded-proto': 'https, http' })],
    ['to one who names the request', () => ({ 'x-request-id': 'my-own-1' })],
    ['to one who names it badly', () => ({ 'x-request-id': 'a name with spaces' })],
    ['about a tenant in a header', () => ({ 'x-tenant-slug': 'acme' })],
  ])('%s', async (_, given, status = 200) => {
    const headers = { ...connection, ...given() };
    const quick = await ready(app, path, { headers });
    const before = await workedOut();
    const slow = await send(app.url, 'GET', path, { headers: { ...headers, ...LONG } });
    expect(await workedOut()).toBe(before + 1);
    const without = ({ headers }: typeof quick, ...names: string[]) =>
      Object.fromEntries([...headers].filter(([name]) => !names.includes(name)));
    expect([quick.status, quick.text]).toEqual([slow.status, slow.text]);
    expect(quick.status).toBe(status);
    expect(without(quick, 'date', 'x-request-id')).toEqual(without(slow, 'date', 'x-request-id'));
    expect(Math.abs(Date.parse(quick.headers.get('date')!) - Date.now())).toBeLessThan(5000);
    if (given()['x-request-id'] === 'my-own-1') expect(quick.headers.get('x-request-id')).toBe('my-own-1');
    else expect(quick.headers.get('x-request-id')).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });
});

test('it is not for those who say who they are, nor for another method', async () => {
  const { token } = await agent(app, acme.adminEmail, acme.adminPassword);
  for (const [method, headers] of [
    ['GET', { authorization: `Bearer ${root.token}` }],
    ['GET', { 'x-api-key': 'none' }],
    ['GET', { cookie: `access_token=${token}` }],
    ['GET', { cookie: 'consent=all' }],
    ['HEAD', {}],
    ['OPTIONS', {}],
    ['POST', {}],
  ] as const) {
    await ready(app, path);
    const before = await workedOut();
    const quick = await send(app.url, method, path, { headers });
    if (method === 'GET' && quick.status === 200) expect(await workedOut()).toBe(before + 1);
    const slow = await send(app.url, method, path, { headers: { ...headers, ...LONG } });
    expect([method, headers, quick.status, quick.headers.get('cache-control')]).toEqual([
      ...[method, headers, slow.status, slow.headers.get('cache-control')],
    ]);
  }
});

test('it is counted, and has its line with its tenant, as any other', async () => {
  const lines: { requestId?: string }[] = [];
  const log = createLog('info', { write: (line) => void lines.push(JSON.parse(line)) });
  const told = await startApp({}, app.databaseUrl, log);
  try {
    const labels = { method: 'GET', route: '/api/working-hours/status' };
    for (const [headers, status] of [
      [{}, '2xx'],
      [{ 'if-none-match': etag }, '3xx'],
    ] as const) {
      const requests = async () =>
        reading(await scrape(told), 'http_request_duration_seconds_count', { ...labels, status });
      for (const more of [{}, KEPT, LONG]) {
        const requestId = randomUUID();
        const before = (await requests()) ?? 0;
        const wanted = { headers: { ...headers, ...more, 'x-request-id': requestId } };
        const answer = more === LONG ? await send(told.url, 'GET', path, wanted) : await ready(told, path, wanted);
        // A line may come a moment after its answer.
        const line = await eventually(
          async () => lines.findLast((one) => one.requestId === requestId),
          (found) => found !== undefined,
        );
        expect(line).toEqual({
          ...{ level: 30, time: expect.stringMatching(/^20\d\d-.*Z$/), msg: 'request' },
          ...{ requestId, orgId: acme.id, method: 'GET', path: '/api/working-hours/status' },
          ...{ status: answer.status, ms: expect.any(Number) },
        });
        expect(await requests()).toBeGreaterThan(before);
      }
    }
  } finally {
    await told.stop();
  }
});

/** Writes requests at once to one connection, the last of which ends it. @returns what comes back. */
const onOneConnection = (...requests: string[]) => exchange(app.url, requests.join(''), false);
const asked = (address: string, ...more: string[]) =>
  [`GET ${address} HTTP/1.1`, ...more, 'Host: one.test', '', ''].join('\r\n');
const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));

test('requests that came together are answered in their order, those that others have to wait for included', async () => {
  const one = { headers: { ...KEPT, host: 'one.test' } };
  const { text: body } = await ready(app, path, one);
  const id = (text: string) => [...text.matchAll(/x-request-id: (\S+)/gi)].map(([, given]) => given);
  const told = await onOneConnection(
    asked(path, 'X-Request-Id: first'),
    asked('/readyz', 'X-Request-Id: second'),
    asked(path, 'X-Request-Id: third', `If-None-Match: ${etag}`),
    asked('/api/nowhere', 'X-Request-Id: fourth'),
    asked(path, 'X-Request-Id: fifth'),
    asked(path, 'X-Request-Id: sixth', 'Connection: close'),
  );
  expect(id(told)).toEqual(['first', 'second', 'third', 'fourth', 'fifth', 'sixth']);
  expect(statuses(told)).toEqual([200, 200, 304, 404, 200, 200]);
  expect(told.split(body)).toHaveLength(4);
});

test('what HTTP wants of a request is wanted of one whose answer stands ready', async () => {
  await ready(app, path, { headers: { ...KEPT, host: 'one.test' } });
  const nameless = await exchange(app.url, `GET ${path} HTTP/1.1\r\n\r\n`);
  expect([statuses(nameless), /connection: close/i.test(nameless)]).toEqual([[400], true]);
  const old = await exchange(app.url, `GET ${path} HTTP/1.0\r\nHost: one.test\r\nConnection: keep-alive\r\n\r\n`);
  expect(statuses(old)).toEqual([200]);
  const waiting = await onOneConnection(asked(path, 'Expect: 100-continue'), asked(path, 'Connection: close'));
  expect(statuses(waiting)).toEqual([100, 200, 200]);
});

test('a connection is kept as long after it as after any other answer, and is not idle while one is worked out', async () => {
  await ready(app, path, { headers: { ...KEPT, host: 'one.test' } });
  const { hostname, port } = new URL(app.url);
  const accepted = once(app.http.server, 'connection') as Promise<[Socket]>;
  const client = connect(Number(port), hostname);
  try {
    const [socket] = await accepted;
    const answered = async (request: string) => {
      const told = once(client, 'data');
      client.write(request);
      await told;
      return await eventually(
        async () => socket.timeout,
        (ms) => ms !== 0,
      );
    };
    const asUsual = await answered(asked('/api/health'));
    expect(asUsual).toBeGreaterThan(70_000);
    expect(await answered(asked(path))).toBe(asUsual);
    let meanwhile: number | undefined;
    app.http.server.once('request', () => {
      meanwhile = socket.timeout;
    });
    expect(await answered(asked('/api/health'))).toBe(asUsual);
    expect(meanwhile).toBe(0);
    expect(await answered(asked(path))).toBe(asUsual);
  } finally {
    client.destroy();
  }
});

test('requests for it are limited like others, by the address that a trusted proxy names', async () => {
  const limited = await startApp({ RATE_LIMITS: 'public=6', TRUST_PROXY: '127.0.0.1' }, app.databaseUrl);
  try {
    const ask = (from: string) => send(limited.url, 'GET', path, { headers: { 'x-forwarded-for': from } });
    const statuses = async (from: string, count: number) => {
      const all: number[] = [];
      for (let n = 0; n < count; n++) all.push((await ask(from)).status);
      return all;
    };
    expect(await statuses('203.0.113.1', 8)).toEqual([200, 200, 200, 200, 200, 200, 429, 429]);
    const refused = await ask('203.0.113.1');
    expect(JSON.parse(refused.text)).toMatchObject({ code: 'rate_limited' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('access-control-allow-origin')).toBe('*');
    const before = await workedOut(limited);
    expect(await statuses('203.0.113.2', 7)).toEqual([200, 200, 200, 200, 200, 200, 429]);
    expect(await workedOut(limited)).toBe(before);
    const from = newAddress();
    const direct = () => send(limited.url, 'GET', path, { from, headers: { 'x-forwarded-for': '203.0.113.9' } });
    for (let n = 0; n < 6; n++) expect((await direct()).status).toBe(200);
    expect((await direct()).status).toBe(429);
  } finally {
    await limited.stop();
  }
});

test('whoever hangs up while being counted harms nobody', async () => {
  const limited = await startApp({ RATE_LIMITS: 'public=100000', TRUST_PROXY: '127.0.0.1' }, app.databaseUrl);
  const { hostname, port, host } = new URL(limited.url);
  const hangUp = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`, () => socket.resetAndDestroy());
      });
      socket.on('close', () => resolve()).on('error', reject);
    });
  try {
    await ready(limited, path, { headers: { host } });
    for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 50 }, hangUp));
    expect((await send(limited.url, 'GET', path)).status).toBe(200);
  } finally {
    await limited.stop();
  }
});

test('whoever asks a gateway that is about to stop is answered, and sent elsewhere', async () => {
  const going = await startApp({}, app.databaseUrl);
  try {
    const headers = { connection: 'keep-alive' };
    expect((await ready(going, path, { headers })).headers.get('connection')).toBe('keep-alive');
    going.leave();
    const { status, headers: told } = await send(going.url, 'GET', path, { headers });
    expect([status, told.get('connection')]).toEqual([200, 'close']);
  } finally {
    await going.stop();
  }
});
