import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { type Actor, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { holdTable } from './support/database.ts';
import { send } from './support/http.ts';
import { admittedSocket, bearer, closeSockets, follow, rawSocket, socketClient } from './support/sockets.ts';
import { decode } from './support/tokens.ts';

let app: TestApp;
let root: Actor;
let tenant: Tenant;

beforeAll(async () => {
  app = await startApp();
  root = await superAdmin(app);
  tenant = await provision(root);
});
afterAll(async () => {
  closeSockets();
  await app.stop();
});

/** Of 200 KB each: more than kernels keep on the way there and back. */
const PINGS = 300;
const TENANTS = 'subscription { tenantChanged { sequence kind } }';
const subscribe = (id: string, query = TENANTS) => ({ id, type: 'subscribe', payload: { query } });

describe('a socket that does not keep to the protocol is closed with the code for it', () => {
  test('one that never says who it is: 4408 after three seconds', async () => {
    const { code, after } = await (await rawSocket(app)).closed;
    expect(code).toBe(4408);
    expect(after).toBeGreaterThan(2500);
    expect(after).toBeLessThan(6000);
  });

  test.each([
    ['no JSON', '{'],
    ['no message', '{"type":"hello"}'],
    ['a number', '1'],
    ['a subscription without a query', JSON.stringify({ id: 'a', type: 'subscribe', payload: {} })],
    ['what only a server says', { type: 'next', id: '1', payload: {} }],
  ])('%s: 4400', async (_, message) => {
    const raw = await rawSocket(app);
    raw.send(message);
    expect((await raw.closed).code).toBe(4400);
  });

  test('a subscription before it was let in: 4401', async () => {
    const raw = await rawSocket(app);
    raw.send(subscribe('a'));
    expect((await raw.closed).code).toBe(4401);
  });

  test('the same id twice: 4409', async () => {
    const raw = await admittedSocket(app, bearer(root));
    raw.send(subscribe('a'));
    raw.send(subscribe('a'));
    expect((await raw.closed).code).toBe(4409);
  });

  test.each([
    ['ASCII', 'x'.repeat(150)],
    ['other letters', 'ü漢🙂'.repeat(20)],
  ])('the same long id in %s twice: 4409 too, and as much of the reason as fits', async (_, id) => {
    const raw = await admittedSocket(app, bearer(root));
    raw.send(subscribe(id));
    raw.send(subscribe(id));
    const { code, reason } = await raw.closed;
    expect(code).toBe(4409);
    expect(`Subscriber for ${id} already exists`.startsWith(reason)).toBe(true);
    expect(Buffer.byteLength(reason)).toBeGreaterThan(115);
  });

  test('saying who it is twice: 4429', async () => {
    const raw = await admittedSocket(app, bearer(root));
    raw.send({ type: 'connection_init' });
    expect((await raw.closed).code).toBe(4429);
  });

  test('another protocol: 4406', async () => {
    const raw = await rawSocket(app, {}, 'graphql-ws');
    expect((await raw.closed).code).toBe(4406);
  });

  test('a message of a megabyte: 1009', async () => {
    const raw = await admittedSocket(app, bearer(root));
    raw.send(subscribe('a', `${TENANTS} # ${'x'.repeat(1024 * 1024)}`));
    expect((await raw.closed).code).toBe(1009);
  });
});

describe('credentials', () => {
  test.each([
    ['a token that is none', { authorization: 'Bearer nonsense' }],
    ['a header that is no token', { Authorization: 'Basic eDp5' }],
    ['an API key that is none', { 'X-API-Key': 'osk_12345678_nonsense' }],
  ])('%s: 4403, saying why', async (_, payload) => {
    const raw = await rawSocket(app);
    raw.send({ type: 'connection_init', payload });
    const { code, reason } = await raw.closed;
    expect(code).toBe(4403);
    expect(reason).toMatch(/^unauthenticated: /);
  });

  test('without any, what is open to all can be followed and nothing else', async () => {
    const client = socketClient(app);
    const hours = follow(client, 'subscription ($slug: String) { workingHoursStatusChanged(tenant: $slug) { kind } }', {
      slug: tenant.slug,
    });
    expect(await hours.until(1)).toEqual([{ kind: 'SNAPSHOT' }]);
    const tenants = follow(client, TENANTS);
    await tenants.ended;
    expect(tenants.errors[0].extensions.code).toBe('UNAUTHENTICATED');
    expect(tenants.events).toEqual([]);
  });

  test("a tenant's admin cannot follow the platform", async () => {
    const ayu = await agent(app, tenant.adminEmail, tenant.adminPassword);
    for (const field of ['tenantChanged { kind }', 'systemHealthChanged { kind }', 'auditEntryAdded { kind }']) {
      const follower = follow(socketClient(app, bearer(ayu)), `subscription { ${field} }`);
      await follower.ended;
      expect(follower.errors[0].extensions.code).toBe('FORBIDDEN');
    }
  });

  test('the cookie lets in a page of this site, not one of another', async () => {
    const cookie = `access_token=${(await agent(app, tenant.adminEmail, tenant.adminPassword)).token}`;
    const own = await admittedSocket(app, undefined, { headers: { cookie, origin: app.url } });
    own.send(subscribe('me', '{ me { tenantSlug } }'));
    expect((await own.message('next')).payload).toEqual({ data: { me: { tenantSlug: tenant.slug } } });
    own.socket.close();

    const foreign = await rawSocket(app, { headers: { cookie, origin: 'https://evil.example' } });
    foreign.send({ type: 'connection_init' });
    expect(await foreign.closed).toMatchObject({ code: 4403, reason: expect.stringMatching(/^forbidden: /) });
  });

  test('a page of another site that says itself who it is comes in', async () => {
    const raw = await admittedSocket(app, bearer(root), { headers: { origin: 'https://dashboard.example' } });
    raw.send(subscribe('a'));
    expect((await raw.message('next')).payload.data.tenantChanged.kind).toBe('SNAPSHOT');
    raw.socket.close();
  });

  test('an API key speaks for its maker', async () => {
    const ayu = await agent(app, tenant.adminEmail, tenant.adminPassword);
    const { body } = await ayu.rest('POST', '/api/api-keys', { name: 'board', scopes: ['logs.view'] });
    const raw = await admittedSocket(app, { 'x-api-key': body.key });
    raw.send(subscribe('me', '{ me { apiKey { name } } }'));
    expect((await raw.message('next')).payload.data.me.apiKey.name).toBe('board');
    const { status } = await ayu.rest('DELETE', `/api/api-keys/${body.id}`);
    expect(status).toBe(200);
    const revokedAt = Date.now();
    expect((await raw.closed).code).toBe(4403);
    expect(Date.now() - revokedAt).toBeLessThan(1000);
  });
});

describe('whoever may no more is out within a second, with 4403', () => {
  test('when the token expires', async () => {
    const { claims } = decode(root.token!);
    const soon = { ...claims, exp: Math.floor(Date.now() / 1000) + 2 };
    const raw = await admittedSocket(app, bearer({ token: jwt.sign(soon, app.services.keys.signing) }));
    const { code, after } = await raw.closed;
    expect(code).toBe(4403);
    expect(after).toBeLessThan(3200);
  });

  test('when the token expires while the database does not say who the API key of another is', async () => {
    const ayu = await agent(app, tenant.adminEmail, tenant.adminPassword);
    const { body } = await ayu.rest('POST', '/api/api-keys', { name: 'hangs', scopes: ['logs.view'] });
    const keyed = await admittedSocket(app, { 'x-api-key': body.key });
    const held = await holdTable(app.databaseUrl, 'api_keys');
    try {
      app.services.apiKeys.forget();
      await held.wanted(1);
      const { claims } = decode(root.token!);
      const soon = { ...claims, exp: Math.floor(Date.now() / 1000) + 2 };
      const raw = await admittedSocket(app, bearer({ token: jwt.sign(soon, app.services.keys.signing) }));
      const open = sleep(6000, 'still open', { ref: false });
      expect(await Promise.race([raw.closed, open])).toMatchObject({ code: 4403 });
    } finally {
      await held.letGo();
      keyed.socket.close();
    }
  });

  test('when the session ends', async () => {
    const other = await superAdmin(app);
    const raw = await admittedSocket(app, bearer(other));
    await other.graphql('mutation { logout { id } }');
    const endedAt = Date.now();
    expect((await raw.closed).code).toBe(4403);
    expect(Date.now() - endedAt).toBeLessThan(1000);
  });

  test('when the tenant is suspended', async () => {
    const shut = await provision(root);
    const raw = await admittedSocket(app, bearer(await agent(app, shut.adminEmail, shut.adminPassword)));
    await root.rest('DELETE', `/api/super-admin/tenants/${shut.id}`);
    const suspendedAt = Date.now();
    expect(await raw.closed).toMatchObject({ code: 4403, reason: expect.stringMatching(/^tenant_suspended: /) });
    expect(Date.now() - suspendedAt).toBeLessThan(1000);
  });
});

describe('a mistake ends one operation alone, and is told', () => {
  const told = async (id: string, query: string) => {
    const raw = await admittedSocket(app, bearer(root));
    raw.send(subscribe(id, query));
    await eventually(
      async () => raw.messages,
      (messages) => ['complete', 'error'].includes(messages.at(-1).type),
    );
    raw.send(subscribe('another'));
    await eventually(
      async () => raw.messages,
      (messages) => messages.some(({ id, type }) => id === 'another' && type === 'next'),
    );
    raw.socket.close();
    return raw.messages.filter((message) => message.id === id);
  };

  test('by `error` where it is in the document', async () => {
    expect(await told('a', 'subscription { nothing }')).toMatchObject([
      { type: 'error', payload: [{ extensions: { code: 'VALIDATION_FAILED' } }] },
    ]);
  });

  test.each([
    ['an `after` of the future', 'tenantChanged(after: 4503599627370496) { kind }', 'VALIDATION_FAILED'],
    ['what is not there', 'tenantProvisioning(tenantId: "00000000-0000-7000-8000-000000000000") { kind }', 'NOT_FOUND'],
  ])('by `next` without data, and `complete`, where it is %s', async (_, field, code) => {
    const [next, complete, ...rest] = await told('a', `subscription { ${field} }`);
    expect(next).toMatchObject({ type: 'next', payload: { errors: [{ extensions: { code } }] } });
    expect(next.payload.data ?? null).toBeNull();
    expect([complete.type, rest]).toEqual(['complete', []]);
  });
});

describe('what one socket may ask', () => {
  test('a hundred operations at one time; the next one is refused, the others go on', async () => {
    const raw = await admittedSocket(app, bearer(root));
    for (let id = 1; id <= 101; id++) raw.send(subscribe(String(id)));
    const refused = await raw.message('error');
    expect(refused.payload[0].extensions.code).toBe('RATE_LIMITED');
    const snapshots = await eventually(
      async () => raw.messages.filter(({ type }) => type === 'next'),
      ({ length }) => length >= 100,
    );
    expect(snapshots).toHaveLength(100);
    expect(snapshots.map(({ id }) => id)).not.toContain(refused.id);
    // One that ends makes room for another.
    raw.send({ id: '1', type: 'complete' });
    raw.send(subscribe('again'));
    await eventually(
      async () => raw.messages,
      (messages) => messages.some(({ id, type }) => id === 'again' && type === 'next'),
    );
    raw.socket.close();
  });

  test('an operation that its client has ended counts for as long as it is worked on', async () => {
    const raw = await admittedSocket(app, bearer(root));
    const held = await holdTable(app.databaseUrl, 'audit_entries');
    for (let id = 1; id <= 101; id++) {
      raw.send(subscribe(String(id), '{ auditLog { nodes { id } } }'));
      raw.send({ id: String(id), type: 'complete' });
    }
    raw.send(subscribe('next', '{ auditLog { nodes { id } } }'));
    expect(await raw.message('error')).toMatchObject({
      id: 'next',
      payload: [{ extensions: { code: 'RATE_LIMITED' } }],
    });
    await held.letGo();
    let later = 0;
    await eventually(
      async () => {
        raw.send(subscribe(`later ${++later}`, '{ me { role } }'));
        return raw.messages;
      },
      (messages) => messages.some(({ type }) => type === 'next'),
    );
    raw.socket.close();
  });

  test('whoever asks and does not read is not read either, until they do: nothing piles up, and nothing is lost', async () => {
    // Let in before: writing so much holds this process up, gateway and all, for longer than one may be silent.
    const raw = await admittedSocket(app);
    const served = [...app.http.websocketServer.clients].at(-1);
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, served!.bufferedAmount);
    }, 5);
    raw.socket.pause();
    const payload = { text: 'x'.repeat(200_000) };
    for (let count = 0; count < PINGS; count++) {
      raw.send({ type: 'ping', payload });
      raw.socket.pong();
    }
    await eventually(async () => served!.isPaused, Boolean);
    expect(raw.socket.bufferedAmount).toBeGreaterThan(0);
    raw.socket.resume();
    await eventually(
      async () => raw.messages.filter(({ type }) => type === 'pong').length,
      (pongs) => pongs === PINGS,
      // Sixty megabytes, a megabyte at a time.
      60_000,
    );
    clearInterval(watch);
    expect(most).toBeLessThan(2 * 2 ** 20);
    raw.socket.close();
  });

  test('what is too deep, does not parse, is not in the schema or not one operation is refused in words', async () => {
    const raw = await admittedSocket(app, bearer(root));
    const deep = '{ a '.repeat(20) + '}'.repeat(20);
    const several = 'query A { me { role } } query B { me { role } }';
    for (const [id, query] of Object.entries({ deep, broken: '{', unknown: '{ nothing }', several }))
      raw.send(subscribe(id, query));
    const refused = await eventually(
      async () => raw.messages.filter(({ type }) => type === 'error'),
      ({ length }) => length >= 4,
    );
    for (const { payload } of refused) {
      expect(payload[0].extensions).toMatchObject({ code: 'VALIDATION_FAILED', requestId: expect.any(String) });
    }
    raw.socket.close();
  });

  test('the depth is limited over HTTP as well, for fragments too; the schema may be asked for', async () => {
    const nested = (levels: number) => 'nodes { id '.repeat(levels) + '}'.repeat(levels);
    const { errors } = await root.graphql(`{ tenants { ...A } } fragment A on TenantConnection { ${nested(13)} }`);
    expect(errors!.some(({ message }) => message.includes('nested deeper than 12 levels'))).toBe(true);
    const schema = await root.graphql(
      `{ __schema { types { fields { type { ofType { ofType { ofType { name } } } } } } } }`,
    );
    expect(schema.errors).toBeUndefined();
  });

  test('queries and mutations run too, and their mistakes look as over HTTP', async () => {
    const raw = await admittedSocket(app, bearer(root));
    raw.send(subscribe('tenant', `{ tenant(id: "${tenant.id}") { slug } }`));
    expect((await raw.message('next')).payload).toEqual({ data: { tenant: { slug: tenant.slug } } });
    raw.send(subscribe('none', '{ tenant(id: "00000000-0000-7000-8000-000000000000") { slug } }'));
    const answers = await eventually(
      async () => raw.messages.filter(({ id, type }) => id === 'none' && type === 'next'),
      ({ length }) => length === 1,
    );
    const { payload } = answers[0];
    expect(payload.errors[0]).toMatchObject({ message: 'There is no such tenant.', extensions: { code: 'NOT_FOUND' } });
    raw.socket.close();
  });
});

test('what is told arrives whole, of whatever length and in whatever letters', async () => {
  const raw = await admittedSocket(app, bearer(root));
  const query = 'subscription { tenantChanged { kind tenant { name } } }';
  // A length of each form that frames have: up to 125 bytes, up to 64 KB, and longer ones.
  const ids = ['a', 'ö'.repeat(100), 'ü'.repeat(40_000)];
  for (const id of ids) raw.send(subscribe(id, query));
  const told = (count: number) =>
    eventually(
      async () => raw.messages.filter(({ type }) => type === 'next'),
      ({ length }) => length >= count,
    );
  await told(3);
  const name = 'Kopi “Kita” ☕ \\ Söhne 😀';
  await root.rest('PATCH', `/api/super-admin/tenants/${tenant.id}`, { name });
  await told(6);
  for (const id of ids) {
    expect(raw.messages.filter((message) => message.id === id)).toEqual([
      { id, type: 'next', payload: { data: { tenantChanged: { kind: 'SNAPSHOT', tenant: null } } } },
      { id, type: 'next', payload: { data: { tenantChanged: { kind: 'CHANGE', tenant: { name } } } } },
    ]);
  }
  raw.socket.close();
});

test('a gateway that stops says so: 1001', async () => {
  const other = await startApp({}, app.databaseUrl);
  const raw = await admittedSocket(other, bearer(await superAdmin(other)));
  raw.send(subscribe('a'));
  await raw.message('next');
  await other.stop();
  expect((await raw.closed).code).toBe(1001);
});

test('an offer of another protocol is passed over, a socket to nowhere refused', async () => {
  const offer = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAAP__' };
  expect((await send(app.url, 'GET', '/api/health', { headers: offer })).status).toBe(200);
  await expect(rawSocket({ url: `${app.url}/elsewhere` })).rejects.toThrow('404');
});
