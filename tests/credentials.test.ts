import { createHmac, createSecretKey, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { Actor, agent, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { expectError, expectGraphqlError } from './support/errors.ts';
import { decode } from './support/tokens.ts';

const NOBODY = '00000000-0000-7000-8000-000000000000';

let app: TestApp;
let root: Actor;
let person: Actor;
let tenant: Tenant;

beforeAll(async () => {
  app = await startApp();
  root = await superAdmin(app);
  tenant = await provision(root);
  person = await agent(app, tenant.adminEmail, tenant.adminPassword);
});
afterAll(() => app?.stop());

const platform: [method: string, path: string, body?: object][] = [
  ['GET', '/api/super-admin/tenants'],
  ['POST', '/api/super-admin/tenants', { name: 'X', slug: 'not-made' }],
  ['GET', `/api/super-admin/tenants/${NOBODY}`],
  ['PATCH', `/api/super-admin/tenants/${NOBODY}`, { name: 'X' }],
  ['DELETE', `/api/super-admin/tenants/${NOBODY}`],
  ['POST', `/api/super-admin/tenants/${NOBODY}/impersonate`],
  ['GET', '/api/super-admin/usage'],
  ['GET', '/api/super-admin/health'],
  ['GET', '/api/super-admin/admins'],
  ['POST', '/api/super-admin/admins', { email: 'x@y.test', name: 'X', password: 'a password' }],
  ['DELETE', `/api/super-admin/admins/${NOBODY}`],
  ['POST', `/api/super-admin/admins/${NOBODY}/reset-password`, { new_password: 'a password' }],
  ['GET', `/api/super-admin/users?tenant_id=${NOBODY}`],
  ['POST', `/api/super-admin/users?tenant_id=${NOBODY}`, { email: 'x@y.test', password: 'a password' }],
  ['POST', `/api/super-admin/users/${NOBODY}/reset-password?tenant_id=${NOBODY}`, { new_password: 'a password' }],
  ...['suspend', 'activate', 'impersonate'].map((action): [string, string] => [
    'POST',
    `/api/super-admin/users/${NOBODY}/${action}?tenant_id=${NOBODY}`,
  ]),
];

describe.each(platform)('%s %s', (method, path, body) => {
  test('takes a super admin, and neither a stranger nor a tenant', async () => {
    const stranger = await new Actor(app.url).rest(method, path, body);
    expectError(stranger, 401, 'unauthenticated');
    expect(stranger.headers.get('www-authenticate')).toBe('Bearer');
    expectError(await person.rest(method, path, body), 403, 'forbidden');
    // Who may not come in is not told what is wrong with the rest either.
    expectError(await person.rest(method, path, method === 'GET' ? undefined : { nonsense: 1 }), 403, 'forbidden');
    if (method === 'GET' || path.includes(NOBODY))
      expect([200, 404]).toContain((await root.rest(method, path, body)).status);
  });
});

/** The claims of a token with one of them of another type, each in turn; those of the acting party within it as well. */
function* ofOtherTypes(said: Record<string, unknown>): Generator<object> {
  for (const [name, value] of Object.entries(said)) {
    const others = [typeof value === 'number' ? String(value) : 1, value !== true, [value], { of: value }, null, ''];
    for (const other of others) yield { ...said, [name]: other };
    if (typeof value === 'object')
      for (const other of ofOtherTypes(value as Record<string, unknown>)) yield { ...said, [name]: other };
  }
}

describe('a token', () => {
  const claims = () => decode(root.token!).claims;
  const sign = (payload: object, options: jwt.SignOptions = {}) =>
    jwt.sign(payload, app.services.keys.signing, { algorithm: 'HS256', ...options });
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  /** Signed by our own key, whatever it says. */
  const forge = (header: object, payload: unknown) => {
    const text = `${part(header)}.${part(payload)}`;
    return `${text}.${createHmac('sha256', app.services.keys.signing).update(text).digest('base64url')}`;
  };
  const refused = async (token: string) => {
    const holder = new Actor(app.url, token);
    for (const path of ['/api/super-admin/admins', '/api/auth/me'])
      expectError(await holder.rest('GET', path), 401, 'unauthenticated');
    expectGraphqlError(await holder.graphql('{ me { id } }'), 'UNAUTHENTICATED');
  };

  test('signed as ours are is taken: the other tests refuse what differs from it', async () => {
    expect((await new Actor(app.url, sign(claims())).rest('GET', '/api/super-admin/admins')).status).toBe(200);
  });

  test('signed with another secret, or with what the secret was, is refused', async () => {
    for (const secret of ['another secret of at least 32 bytes!', 'a secret of the tests, which is long enough']) {
      await refused(jwt.sign(claims(), createSecretKey(Buffer.from(secret)), { algorithm: 'HS256' }));
    }
  });

  test('of another algorithm, or of none, is refused', async () => {
    await refused(sign(claims(), { algorithm: 'HS512' }));
    await refused(sign(claims(), { algorithm: 'HS384' }));
    const none = [{ alg: 'none', typ: 'JWT' }, claims()].map(part);
    await refused(`${none.join('.')}.`);
    await refused(`${none.join('.')}.${root.token!.split('.')[2]}`);
  });

  test('of an algorithm by key pairs is refused: under a key of its own, or under our own secret as if it were a public key', async () => {
    const pairs = [
      ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
      ['PS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
      ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ] as const;
    for (const [alg, { privateKey, publicKey }] of pairs) {
      await refused(jwt.sign(claims(), privateKey, { algorithm: alg }));
      // With the key in the header, as RFC 7515 allows and nobody may believe.
      const jwk = publicKey.export({ format: 'jwk' }) as jwt.JwtHeader & object;
      await refused(jwt.sign(claims(), privateKey, { algorithm: alg, header: { alg, jwk } as never }));
      // Our own signature under the name of another algorithm.
      await refused(forge({ alg, typ: 'JWT' }, claims()));
    }
    // The other way round: the public key of somebody as the secret of an HMAC.
    const pem = pairs[0][1].publicKey.export({ type: 'spki', format: 'pem' });
    await refused(jwt.sign(claims(), createSecretKey(Buffer.from(pem)), { algorithm: 'HS256' }));
  });

  test('that was changed, or cut, is refused', async () => {
    const [header, payload, signature] = root.token!.split('.') as [string, string, string];
    const forged = part({ ...claims(), sub: NOBODY });
    for (const token of [
      `${header}.${forged}.${signature}`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      payload,
      `${root.token}x`,
    ]) {
      await refused(token);
    }
  });

  test('that is over, endless, for someone else or from someone else is refused', async () => {
    const { exp, ...endless } = claims();
    await refused(sign({ ...endless, exp: Math.floor(Date.now() / 1000) - 1 }));
    await refused(sign(endless));
    await refused(sign({ ...claims(), aud: 'another' }));
    await refused(sign({ ...claims(), iss: 'another' }));
    await refused(sign({ ...claims(), nbf: Math.floor(Date.now() / 1000) + 60 }));
    expect(exp).toBeGreaterThan(Date.now() / 1000);
  });

  test('without what every token of ours says is refused', async () => {
    const without = (name: string, all: object) =>
      Object.fromEntries(Object.entries(all).filter(([key]) => key !== name));
    await refused(sign(without('ver', claims())));
    for (const name of ['org', 'slug', 'role', 'ver', 'orgVer', 'email'])
      await refused(sign(without(name, decode(person.token!).claims)));
  });

  const HEADER = { alg: 'HS256', typ: 'JWT' };

  test('of another type than ours is refused', async () => {
    expect((await new Actor(app.url, forge(HEADER, claims())).rest('GET', '/api/auth/me')).status).toBe(200);
    for (const typ of ['at+jwt', 'JWE', '', null, 1, ['JWT'], { JWT: 'JWT' }])
      await refused(forge({ ...HEADER, typ }, claims()));
    await refused(forge({ alg: 'HS256' }, claims()));
    for (const payload of [[claims()], 'claims', 1, null]) await refused(forge(HEADER, payload));
  });

  test('that says something of another type than ours do is refused, and is no fault of ours', async () => {
    const path = `/api/super-admin/tenants/${tenant.id}/impersonate`;
    const { body: impersonation } = await root.rest('POST', path, { read_only: true });
    const forged: object[] = [];
    for (const token of [root.token!, person.token!, impersonation.token]) {
      const said = decode(token).claims;
      forged.push(...ofOtherTypes(said), { ...said, sub: 'nobody' }, { ...said, sid: 'none' });
    }
    expect(forged.length).toBeGreaterThan(150);
    for (const claims of forged) await refused(forge(HEADER, claims));
  });

  test("of a tenant does not become the platform's by another audience in it", async () => {
    const mine = decode(person.token!).claims;
    const { org, slug, role, orgVer, ...rest } = mine;
    expect([org, slug, role, orgVer]).toEqual([tenant.id, tenant.slug, 'admin', 0]);
    await refused(sign({ ...rest, aud: ['omnistream:tenant', 'omnistream:platform'] }));
  });

  test('is taken whatever the case of the word before it', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER', 'Bearer  ']) {
      const { status } = await new Actor(app.url).rest('GET', '/api/super-admin/admins', undefined, {
        authorization: `${scheme} ${root.token}`,
      });
      expect(status).toBe(200);
    }
  });

  test('in the query or the body is none', async () => {
    const guest = new Actor(app.url);
    const refusedBy = async (...request: Parameters<Actor['rest']>) =>
      expectError(await guest.rest(...request), 401, 'unauthenticated');
    const said = { access_token: root.token, authorization: `Bearer ${root.token}`, token: root.token };
    const wanted = { email: 'body@platform.test', name: 'Body', password: 'a password' };
    await refusedBy('GET', `/api/super-admin/admins?access_token=${root.token}`);
    await refusedBy('GET', '/api/super-admin/admins', undefined, { 'x-access-token': root.token! });
    await refusedBy('POST', '/api/super-admin/admins', { ...wanted, ...said });
    await refusedBy('POST', '/api/super-admin/admins', { access_token: root.token });
    await refusedBy('PATCH', `/api/super-admin/tenants/${tenant.id}`, said);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const formed = await guest.rest('POST', '/api/super-admin/admins', `access_token=${root.token}`, form);
    expectError(formed, 415, 'unsupported_media_type');

    const query = '{ superAdmins { id } }';
    for (const body of [{ variables: said }, { extensions: said }, { extensions: { headers: said } }, said])
      expectGraphqlError((await guest.rest('POST', '/graphql', { query, ...body })).body, 'UNAUTHENTICATED');
  });
});

test('a token that is no good does not keep anyone from signing in', async () => {
  const stale = { cookie: 'access_token=stale', authorization: 'Bearer stale' };
  const credentials = { email: tenant.adminEmail, password: tenant.adminPassword };
  expect((await new Actor(app.url).rest('POST', '/api/auth/login', credentials, stale)).status).toBe(200);
});
