import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { networkOf } from '../src/network.ts';
import { type Actor, eventually, provision, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { describeIf, hasProgram } from './support/available.ts';
import { expectError } from './support/errors.ts';
import { newAddress, type RawRequest, send, sendJson } from './support/http.ts';
import { type RedisServer, startRedis } from './support/redis-server.ts';
import { admittedSocket, rawSocket } from './support/sockets.ts';

const WITHOUT = { 'content-type': 'application/json' };

let app: TestApp;
let root: Actor;
beforeAll(async () => {
  app = await startApp({ RATE_LIMITS: 'sign_in=4,export=2,graphql=3,public=5', TRUST_PROXY: '127.0.0.1' });
  root = await superAdmin(app);
});
afterAll(() => app?.stop());

const graphql = (on: TestApp, options: RawRequest) =>
  send(on.url, 'POST', '/graphql', {
    body: '{"query":"{ __typename }"}',
    ...options,
    headers: { ...WITHOUT, ...options.headers },
  });
/** Status codes of so many requests, one after the other. */
async function statuses(count: number, ask: () => Promise<{ status: number }>): Promise<number[]> {
  const all: number[] = [];
  for (let n = 0; n < count; n++) all.push((await ask()).status);
  return all;
}

describe('requests from one address', () => {
  test('that sign in are limited, whoever they sign in as', async () => {
    const from = newAddress();
    const login = (n: number) =>
      sendJson(
        app.url,
        'POST',
        n % 2 ? '/api/auth/login' : '/api/super-admin/login',
        { email: `a${n}@b.test`, password: 'x' },
        { from },
      );
    for (let n = 0; n < 4; n++) expectError(await login(n), 401, 'unauthenticated');
    const refused = await login(5);
    expectError(refused, 429, 'rate_limited');
    expect(refused.headers.get('cache-control')).toBe('no-store');
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
  });

  test('without credentials are limited on GraphQL, by POST, GET, stream and socket together', async () => {
    const from = newAddress();
    expect(await statuses(2, () => graphql(app, { from }))).toEqual([200, 200]);
    expect(
      (await send(app.url, 'GET', '/graphql', { from, headers: { 'apollo-require-preflight': '1' } })).status,
    ).toBe(400);
    const refused = await graphql(app, { from });
    expect([refused.status, refused.headers.get('cache-control')]).toEqual([429, 'no-store']);
    const stream = { from, headers: { accept: 'text/event-stream' } };
    expect((await send(app.url, 'GET', '/graphql/stream?query={__typename}', stream)).status).toBe(429);
    await expect(rawSocket(app, { localAddress: from })).rejects.toThrow('429');
  });

  test('with a cookie that is no credential are limited as those without one', async () => {
    const from = newAddress();
    const headers = { cookie: 'consent=all; access_token=' };
    expect(await statuses(4, () => graphql(app, { from, headers }))).toEqual([200, 200, 200, 429]);
  });

  test('on a socket without credentials count one by one, as they would by POST', async () => {
    const { socket, send, messages, message } = await admittedSocket(app, undefined, { localAddress: newAddress() });
    for (const id of ['1', '2', '3']) send({ id, type: 'subscribe', payload: { query: '{ __typename }' } });
    expect(await message('error')).toMatchObject({ id: '3', payload: [{ extensions: { code: 'RATE_LIMITED' } }] });
    expect(messages.filter(({ type }) => type === 'next')).toHaveLength(2);
    socket.close();
  });

  test('on a socket with credentials count where those by POST do, also when they came after the upgrade', async () => {
    const limiting = await startApp({ RATE_LIMITS: 'signed_in=2' }, app.databaseUrl);
    try {
      const payload = { authorization: `Bearer ${root.token}` };
      const { socket, send, messages, message } = await admittedSocket(limiting, payload);
      for (const id of ['1', '2', '3']) send({ id, type: 'subscribe', payload: { query: '{ me { id } }' } });
      expect(await message('error')).toMatchObject({ id: '3', payload: [{ extensions: { code: 'RATE_LIMITED' } }] });
      await eventually(
        async () => messages.filter(({ type }) => type === 'next'),
        (told) => told.length === 2,
      );
      socket.close();
    } finally {
      await limiting.stop();
    }
  });

  test('without credentials are limited elsewhere too; probes of operators as well, where they set it so', async () => {
    const from = newAddress();
    expect(await statuses(6, () => send(app.url, 'GET', '/api/health', { from }))).toEqual([
      200, 200, 200, 200, 200, 429,
    ]);
  });

  test('with credentials are not, but for files of a whole log', async () => {
    const from = newAddress();
    const headers = { authorization: `Bearer ${root.token}` };
    expect(await statuses(12, () => graphql(app, { from, headers }))).toEqual(Array(12).fill(200));
    expect(await statuses(3, () => send(app.url, 'GET', '/api/activity-logs/export', { from, headers }))).toEqual([
      403, 403, 429,
    ]);
  });

  test('do not count for another address', async () => {
    const from = newAddress();
    await statuses(4, () => graphql(app, { from }));
    expect((await graphql(app, { from: newAddress() })).status).toBe(200);
  });

  test('are told by IPv6 networks of /64, since every address in one is the same customer', async () => {
    const ask = (address: string) => graphql(app, { headers: { 'x-forwarded-for': address } });
    const codes = [];
    for (let n = 1; n <= 4; n++) codes.push((await ask(`2001:db8:7:7::${n}`)).status);
    expect(codes).toEqual([200, 200, 200, 429]);
    expect((await ask('2001:db8:7:8::1')).status).toBe(200);
  });

  test('guess no more passwords by changing the address within a network', async () => {
    const tenant = await provision(root);
    const throttled = await startApp({ TRUST_PROXY: '127.0.0.1' }, app.databaseUrl);
    try {
      const guess = (n: number) =>
        sendJson(
          throttled.url,
          'POST',
          '/api/auth/login',
          { email: tenant.adminEmail, password: 'not it' },
          {
            headers: { 'x-forwarded-for': `2001:db8:1:1:${n}::${n}` },
          },
        );
      const answers = [];
      for (let n = 1; n <= 6; n++) answers.push((await guess(n)).status);
      expect(answers).toEqual([401, 401, 401, 401, 401, 429]);
    } finally {
      await throttled.stop();
    }
  });
});

test('one address is the same however it is written', () => {
  for (const [address, network] of [
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['::1', '::/64'],
    ['nonsense', 'nonsense'],
  ]) {
    expect(networkOf(address!)).toBe(network);
  }
});

describeIf('with Redis', hasProgram('redis-server'), 'redis-server is not on PATH', () => {
  let redis: RedisServer;
  let here: TestApp;
  let there: TestApp;
  beforeAll(async () => {
    redis = await startRedis();
    const env = { REDIS_URL: redis.url, RATE_LIMITS: 'graphql=6' };
    here = await startApp(env, app.databaseUrl);
    there = await startApp(env, app.databaseUrl);
  });
  afterAll(async () => {
    await there?.stop();
    await here?.stop();
    await redis?.stop();
  });

  test('requests to all processes count together', async () => {
    // Until both are connected each counts for itself.
    await eventually(
      async () => {
        const from = newAddress();
        await statuses(3, () => graphql(here, { from }));
        return statuses(4, () => graphql(there, { from }));
      },
      (codes) => codes.join() === '200,200,200,429',
    );
  });

  test('while it is away, each process counts for itself, and asks it again when it is back', async () => {
    const { port } = redis;
    await redis.stop();
    const from = newAddress();
    expect(await statuses(7, () => graphql(here, { from }))).toEqual([...Array(6).fill(200), 429]);
    expect(await statuses(1, () => graphql(there, { from }))).toEqual([200]);
    redis = await startRedis({ port });
    await eventually(
      async () => {
        const other = newAddress();
        await statuses(6, () => graphql(here, { from: other }));
        return (await graphql(there, { from: other })).status;
      },
      (status) => status === 429,
      15_000,
    );
  });

  test('one that hangs holds nobody up', async () => {
    process.kill(redis.pid, 'SIGSTOP');
    try {
      const from = newAddress();
      const start = performance.now();
      expect(await statuses(7, () => graphql(here, { from }))).toEqual([...Array(6).fill(200), 429]);
      expect(performance.now() - start).toBeLessThan(7000);
    } finally {
      process.kill(redis.pid, 'SIGCONT');
    }
  });
});
