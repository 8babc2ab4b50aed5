import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Actor, agent, anonymous, provision, superAdmin, type Tenant } from './support/actors.ts';
import { SUPER_ADMIN, startApp, type TestApp } from './support/app.ts';
import { sql } from './support/database.ts';
import { expectError } from './support/errors.ts';
import { sendJson } from './support/http.ts';
import { decode } from './support/tokens.ts';

const LOGIN = '/api/auth/login';

let app: TestApp;
let admin: Actor;
let acme: Tenant;
let zenith: Tenant;

beforeAll(async () => {
  app = await startApp();
  admin = await superAdmin(app);
  [acme, zenith] = await Promise.all([provision(admin), provision(admin)]);
});
afterAll(() => app?.stop());

/** Each test comes from addresses where nobody has been. */
let addresses = 0;
let here: string;
const newAddress = () => `127.1.${Math.floor(++addresses / 200)}.${(addresses % 200) + 1}`;
beforeEach(() => {
  here = newAddress();
});

/** Signs in from an address, `here` unless told otherwise. */
const login = (email: string, password: string, more: object = {}, from = here, headers?: Record<string, string>) =>
  sendJson(app.url, 'POST', LOGIN, { email, password, ...more }, { from, headers });
const right = (tenant = acme, from?: string, headers?: Record<string, string>) =>
  login(tenant.adminEmail, tenant.adminPassword, {}, from, headers);
const wrong = (tenant = acme, from?: string, headers?: Record<string, string>) =>
  login(tenant.adminEmail, 'not the password', {}, from, headers);

describe("a tenant's user who signs in", () => {
  test('gets a token for a day, their profile and their tenant', async () => {
    const { status, body } = await right();
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        token: expect.any(String),
        agent: {
          id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          email: acme.adminEmail,
          full_name: 'Admin',
          role: 'admin',
          is_online: false,
          created_at: expect.stringMatching(/Z$/),
        },
        tenant: { id: acme.id, name: expect.any(String), slug: acme.slug },
      },
    });
    const { header, claims } = decode(body.token);
    expect(header.alg).toBe('HS256');
    expect(claims).toMatchObject({
      iss: 'omnistream',
      aud: 'omnistream:tenant',
      sub: body.agent.id,
      org: acme.id,
      role: 'admin',
      exp: claims.iat + 24 * 3600,
      jti: expect.any(String),
    });
    expect(claims.act).toBeUndefined();
  });

  test('gets the token as a cookie that no script and no other site can use', async () => {
    const { headers, body } = await right();
    const [value, ...attributes] = headers.get('set-cookie')!.split('; ');
    expect(value).toBe(`access_token=${body.token}`);
    expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=86400', 'Path=/', 'SameSite=Lax']);
    expect((await wrong()).headers.get('set-cookie')).toBeNull();
  });

  test('may come with the cookie alone; a header beside it decides', async () => {
    const cookie = `access_token=${(await right()).body.token}`;
    const me = async (headers: Record<string, string>) =>
      (await anonymous(app).rest('POST', '/graphql', { query: '{ me { tenantSlug } }' }, headers)).body;
    expect((await me({ cookie })).data.me.tenantSlug).toBe(acme.slug);
    const other = await agent(app, zenith.adminEmail, zenith.adminPassword);
    expect((await me({ cookie, authorization: `Bearer ${other.token}` })).data.me.tenantSlug).toBe(zenith.slug);
    for (const authorization of ['Bearer nonsense', 'Basic eDp5', '']) {
      expect((await me({ cookie, authorization })).errors[0].extensions.code).toBe('UNAUTHENTICATED');
    }
  });

  test('leaves an audit entry, and so does one who fails', async () => {
    const { body } = await right();
    await wrong();
    const rows = await sql(
      app.databaseUrl,
      `select action, actor_kind, actor_id, actor_email, org_id, target_id from audit_entries where address = $1 order by id`,
      [here],
    );
    const id = body.agent.id;
    expect(rows).toEqual([
      {
        action: 'user.login',
        actor_kind: 'agent',
        actor_id: id,
        actor_email: acme.adminEmail,
        org_id: acme.id,
        target_id: id,
      },
      {
        action: 'user.login_failed',
        actor_kind: 'anonymous',
        actor_id: null,
        actor_email: acme.adminEmail,
        org_id: acme.id,
        target_id: null,
      },
    ]);
  });
});

describe('a wrong password and an unknown address', () => {
  test('get the same answer', async () => {
    const answers = [
      await wrong(),
      await login('nobody@nowhere.test', 'not the password'),
      await login('', ''),
      await login('x', 'x', { tenant: 'gone' }),
    ];
    for (const answer of answers) {
      expectError(answer, 401, 'unauthenticated');
      expect(answer.body.error).toBe(answers[0]!.body.error);
    }
  });

  test('take the same time', async () => {
    const took: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] };
    for (let round = 0; round < 15; round++) {
      for (const [kind, email] of [
        ['known', acme.adminEmail],
        ['unknown', `nobody${round}@nowhere.test`],
      ] as const) {
        const start = performance.now();
        await login(email, 'not the password', {}, newAddress());
        took[kind].push(performance.now() - start);
      }
    }
    const median = (times: number[]) => times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
    const [known, unknown] = [median(took.known), median(took.unknown)];
    expect(Math.max(known, unknown) / Math.min(known, unknown)).toBeLessThan(1.6);
  });
});

describe('guessing', () => {
  test('is refused for a while after five wrong passwords from one address', async () => {
    for (let guess = 0; guess < 5; guess++) expectError(await wrong(), 401, 'unauthenticated');
    for (const answer of [await wrong(), await right()]) {
      expectError(answer, 429, 'rate_limited');
      const seconds = Number(answer.headers.get('retry-after'));
      expect(seconds).toBeGreaterThanOrEqual(1);
      expect(seconds).toBeLessThanOrEqual(60);
    }
    expect((await right(zenith)).status).toBe(200);
    await sql(app.databaseUrl, 'update rate_limits set expire = 0');
    expect((await right()).status).toBe(200);
  });

  test('does not keep the owner at another address out', async () => {
    for (let guess = 0; guess < 8; guess++) await wrong();
    expect((await right(acme, newAddress())).status).toBe(200);
  });

  test('from many addresses does not keep the owner out where they have been before', async () => {
    const home = newAddress();
    expect((await right(acme, home)).status).toBe(200);
    for (let address = 0; address < 22; address++) {
      const from = newAddress();
      await Promise.all(Array.from({ length: 5 }, () => wrong(acme, from)));
    }
    expectError(await wrong(acme, newAddress()), 429, 'rate_limited');
    expect((await right(acme, home)).status).toBe(200);
    await sql(app.databaseUrl, 'delete from rate_limits');
  });

  test('goes by the real address, whatever a header claims', async () => {
    for (let guess = 0; guess < 8; guess++) {
      await wrong(acme, here, {
        'x-forwarded-for': `10.0.0.${guess}`,
        forwarded: `for=10.0.0.${guess}`,
        'x-real-ip': `10.0.0.${guess}`,
      });
    }
    expectError(await right(acme, here, { 'x-forwarded-for': '10.9.9.9' }), 429, 'rate_limited');
  });

  test('many at once gets no more guesses than one after the other', async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => wrong()));
    expect(answers.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(5);
    expect(answers.every(({ status }) => status === 401 || status === 429)).toBe(true);
  });

  test('is not what the owner does who signs in twelve times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => right()));
    expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200));
  });

  test('is counted for one account however its address is spelt', async () => {
    const { adminEmail } = acme;
    for (const email of [
      adminEmail,
      adminEmail.toUpperCase(),
      ` ${adminEmail}`,
      `${adminEmail}\t`,
      adminEmail.replace('a', 'A'),
    ]) {
      expectError(await login(email, 'not the password'), 401, 'unauthenticated');
    }
    expectError(await right(), 429, 'rate_limited');
    // Letters that some rule of Unicode brings to an ASCII one are other letters.
    for (const email of [adminEmail.replaceAll('i', '\u0130'), adminEmail.replaceAll('n', '\uff4e')]) {
      expectError(await login(email, acme.adminPassword, {}, newAddress()), 401, 'unauthenticated');
    }
    const root = SUPER_ADMIN.email.replaceAll('i', '\u0130');
    const platform = await sendJson(
      app.url,
      'POST',
      '/api/super-admin/login',
      { ...SUPER_ADMIN, email: root },
      { from: newAddress() },
    );
    expect(platform.status).toBe(root === SUPER_ADMIN.email ? 200 : 401);
  });

  test('a super admin password is slowed in the same way', async () => {
    const guess = (password: string, from = here) =>
      sendJson(app.url, 'POST', '/api/super-admin/login', { email: SUPER_ADMIN.email, password }, { from });
    for (let n = 0; n < 5; n++) expectError(await guess('not the password'), 401, 'unauthenticated');
    expectError(await guess(SUPER_ADMIN.password), 429, 'rate_limited');
    expect((await guess(SUPER_ADMIN.password, newAddress())).status).toBe(200);
  });
});

describe('someone who is shut out', () => {
  test('is told so only with the right password', async () => {
    const tenant = await provision(admin);
    const { body } = await right(tenant);
    const path = `/api/super-admin/users/${body.agent.id}`;
    await admin.rest('POST', `${path}/suspend?tenant_id=${tenant.id}`);
    expectError(await right(tenant), 403, 'user_suspended');
    expectError(await wrong(tenant), 401, 'unauthenticated');
    await admin.rest('DELETE', `/api/super-admin/tenants/${tenant.id}`);
    expectError(await right(tenant), 403, 'tenant_suspended');
    expectError(await wrong(tenant), 401, 'unauthenticated');
    await admin.rest('PATCH', `/api/super-admin/tenants/${tenant.id}`, { status: 'active' });
    await admin.rest('POST', `${path}/activate?tenant_id=${tenant.id}`);
    expect((await right(tenant)).status).toBe(200);
  });

  test('because the tenant is not made yet is asked to come again', async () => {
    const tenant = await provision(admin);
    await sql(app.databaseUrl, `update organizations set status = 'provisioning' where id = $1`, [tenant.id]);
    const answer = await right(tenant);
    expectError(answer, 409, 'tenant_not_ready');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expectError(await wrong(tenant), 401, 'unauthenticated');
  });
});

describe('one address in two tenants', () => {
  const email = 'both@companies.test';
  let first: Tenant;
  let second: Tenant;
  beforeAll(async () => {
    [first, second] = await Promise.all([
      provision(admin, { admin_email: email }),
      provision(admin, { admin_email: email }),
    ]);
  });
  const password = 'a tenant admin password';

  test('has to say which one, and is asked that only with the right password', async () => {
    expectError(await login(email, password), 409, 'tenant_required');
    expectError(await login(email, 'not the password'), 401, 'unauthenticated');
    for (const tenant of [first, second]) {
      expect((await login(email, password, { tenant: tenant.slug })).body.tenant.slug).toBe(tenant.slug);
    }
    expectError(await login(email, password, { tenant: acme.slug }), 401, 'unauthenticated');
    expectError(await login(email, password, { tenant: 'there-is-none' }), 401, 'unauthenticated');
  });

  test('needs not say it where the password does', async () => {
    const { body } = await login(email, password, { tenant: second.slug });
    await admin.rest('POST', `/api/super-admin/users/${body.agent.id}/reset-password?tenant_id=${second.id}`, {
      new_password: 'another password',
    });
    expect((await login(email, password)).body.tenant.slug).toBe(first.slug);
    expect((await login(email, 'another password')).body.tenant.slug).toBe(second.slug);
  });
});
