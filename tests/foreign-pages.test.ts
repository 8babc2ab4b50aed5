import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { agent, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { openStream } from './support/event-streams.ts';
import { send } from './support/http.ts';
import { admittedSocket, closeSockets, rawSocket } from './support/sockets.ts';

const DASHBOARD = 'https://dashboard.example';
const json = { 'content-type': 'application/json' };

let app: TestApp;
let tenant: Tenant;
let open: TestApp;

beforeAll(async () => {
  app = await startApp();
  tenant = await provision(await superAdmin(app));
  open = await startApp({ CORS_ORIGINS: `${DASHBOARD},http://localhost:5173` }, app.databaseUrl);
});
afterAll(async () => {
  closeSockets();
  await open?.stop();
  await app?.stop();
});

describe('pages of another origin', () => {
  const preflight = (on: TestApp, origin: string, path = '/graphql') =>
    send(on.url, 'OPTIONS', path, {
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    });
  const cookieOf = async () => `access_token=${(await agent(app, tenant.adminEmail, tenant.adminPassword)).token}`;

  test('may not read anything, unless the operator names them', async () => {
    expect((await preflight(app, DASHBOARD)).headers.get('access-control-allow-origin')).toBeNull();
    const { headers } = await send(app.url, 'GET', '/api/health', { headers: { origin: DASHBOARD } });
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect((await preflight(open, 'https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  });

  test('that are named may, with the cookie', async () => {
    for (const path of ['/graphql', '/api/auth/me', '/graphql/stream']) {
      const { status, headers } = await preflight(open, DASHBOARD, path);
      expect([path, status, headers.get('access-control-allow-origin')]).toEqual([path, 204, DASHBOARD]);
      expect(headers.get('access-control-allow-credentials')).toBe('true');
    }
    const { status, headers } = await send(open.url, 'GET', '/api/auth/me', {
      headers: { origin: DASHBOARD, cookie: await cookieOf() },
    });
    expect([status, headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([
      200,
      DASHBOARD,
      'Origin',
    ]);
    expect(headers.get('access-control-expose-headers')).toMatch(/X-Request-Id/);
  });

  test('what is not there is still not there, and the public status is still for everybody', async () => {
    expect((await send(open.url, 'POST', '/nowhere')).status).toBe(404);
    const status = `/api/working-hours/status?tenant=${tenant.slug}`;
    const { headers } = await send(open.url, 'GET', status, { headers: { origin: 'https://any.example' } });
    expect(headers.get('access-control-allow-origin')).toBe('*');
  });

  test('that show the public status may name their tenant in a header, also while others are named', async () => {
    const headers = {
      origin: 'https://shop.example',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'x-tenant-slug',
    };
    for (const on of [app, open]) {
      const asked = await send(on.url, 'OPTIONS', '/api/working-hours/status', { headers });
      expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
      expect(asked.headers.get('access-control-allow-headers')).toMatch(/X-Tenant-Slug/);
      expect(asked.headers.get('access-control-allow-credentials')).toBeNull();
    }
  });

  test('that are named change nothing for an OPTIONS that is no preflight', async () => {
    for (const path of ['/api/auth/me', '/nowhere'])
      expect(JSON.parse((await send(open.url, 'OPTIONS', path)).text)).toEqual({
        ...JSON.parse((await send(app.url, 'OPTIONS', path)).text),
        request_id: expect.any(String),
      });
  });

  test("cannot use a visitor's cookie: not by REST, GraphQL or a stream; a named one can", async () => {
    const cookie = await cookieOf();
    const ask = async (on: TestApp, origin: string) => [
      (await send(on.url, 'GET', '/api/auth/me', { headers: { origin, cookie } })).status,
      JSON.parse(
        (
          await send(on.url, 'POST', '/graphql', {
            headers: { origin, cookie, ...json },
            body: '{"query":"{ me { id } }"}',
          })
        ).text,
      ).errors?.[0].extensions.code,
      /UNAUTHENTICATED/.test(await (await openStream(on, { query: '{ me { id } }' }, { origin, cookie })).text()),
    ];
    expect(await ask(open, 'https://evil.example')).toEqual([401, 'UNAUTHENTICATED', true]);
    expect(await ask(open, 'null')).toEqual([401, 'UNAUTHENTICATED', true]);
    expect(await ask(open, DASHBOARD)).toEqual([200, undefined, false]);
    expect(await ask(open, open.url)).toEqual([200, undefined, false]);
    expect(
      (await send(open.url, 'POST', '/api/auth/logout', { headers: { origin: 'https://evil.example', cookie } }))
        .status,
    ).toBe(401);
  });

  test('cannot renew their session by a link, which comes without an Origin, nor end it so', async () => {
    const follow = (path: string, site?: string) =>
      send(app.url, 'GET', path, { headers: { cookie, ...(site && { 'sec-fetch-site': site }) } });
    const cookie = await cookieOf();
    for (const site of ['cross-site', 'same-site']) {
      const { status, text, headers } = await follow('/api/auth/token', site);
      expect([site, status, JSON.parse(text).code]).toEqual([site, 401, 'unauthenticated']);
      expect(headers.get('set-cookie')).toBeNull();
      expect((await follow('/api/auth/me', site)).status).toBe(200);
    }
    for (const site of ['same-origin', 'none', undefined]) {
      const { status, headers } = await follow('/api/auth/token', site);
      expect([site, status, headers.get('set-cookie')]).toEqual([site, 200, expect.stringContaining('access_token=')]);
    }
    const token = cookie.replace('access_token=', '');
    const elsewhere = { 'sec-fetch-site': 'cross-site', authorization: `Bearer ${token}` };
    expect((await send(app.url, 'GET', '/api/auth/token', { headers: elsewhere })).status).toBe(200);
  });

  test('open sockets with the cookie where they are named, and only there', async () => {
    const headers = { cookie: await cookieOf(), origin: DASHBOARD };
    const named = await admittedSocket(open, undefined, { headers });
    named.socket.close();
    const other = await rawSocket(app, { headers });
    other.send({ type: 'connection_init' });
    expect((await other.closed).code).toBe(4403);
  });
});
