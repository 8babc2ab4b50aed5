/** Signing up, staying signed in, signing out: of people who belong to tenants. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Actor, active, agent, anonymous, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startTwoApps, type TestApp, type TwoApps } from './support/app.ts';
import { sql } from './support/database.ts';
import { expectError, expectGraphqlError } from './support/errors.ts';
import { addUser, holdProvisioning } from './support/tenants.ts';
import { decode } from './support/tokens.ts';

const WITHIN_MS = 1000;

let apps: TwoApps;
let here: TestApp;
let there: TestApp;
let root: Actor;
let acme: Tenant;

beforeAll(async () => {
  apps = await startTwoApps();
  ({ here, there } = apps);
  root = await superAdmin(here);
  acme = await provision(root);
});
afterAll(() => apps?.stop());

const as = (token: string | undefined, app = here) => new Actor(app.url, token);
const me = (token: string | undefined, app = here) => as(token, app).rest('GET', '/api/auth/me');
const admin = () => agent(here, acme.adminEmail, acme.adminPassword);
let made = 0;
const company = (name = `Company ${++made}`) => ({
  org_name: name,
  admin_email: `admin${++made}@company.test`,
  admin_password: 'secret',
});
const register = (body: object, headers = {}) => anonymous(here).rest('POST', '/api/auth/register', body, headers);
/** Dead on both processes within a second. */
const expectDead = async (...tokens: (string | undefined)[]) => {
  const start = performance.now();
  for (const token of tokens) {
    for (const app of [here, there]) {
      expectError(
        await eventually(
          () => me(token, app),
          ({ status }) => status !== 200,
          WITHIN_MS,
        ),
        401,
        'unauthenticated',
      );
    }
  }
  expect(performance.now() - start).toBeLessThan(WITHIN_MS);
};
const slugOf = async (id: string) => (await root.rest('GET', `/api/super-admin/tenants/${id}`)).body.slug;

describe('registering', () => {
  test('answers at once with a token that works while the rest is being made', async () => {
    const makers = [here, there].map((app) => [app, app.services.servers.home.createRole] as const);
    for (const [app] of makers) holdProvisioning(app);
    const wanted = company('Kopi Kenangan');
    const { status, body, headers } = await register(wanted);
    expect({ status, body }).toEqual({
      status: 201,
      body: {
        token: expect.any(String),
        org_id: expect.any(String),
        message: expect.stringContaining('kopi-kenangan'),
      },
    });
    expect(headers.get('set-cookie')).toMatch(/^access_token=eyJ.+HttpOnly/);
    for (const app of [here, there]) {
      expect((await me(body.token, app)).body).toEqual({
        id: decode(body.token).claims.sub,
        email: wanted.admin_email,
        full_name: wanted.admin_email,
        role: 'admin',
        permissions: expect.arrayContaining(['agents.manage', 'settings.manage']),
        org_id: body.org_id,
        org_slug: 'kopi-kenangan',
        org_status: 'provisioning',
      });
      const early = await as(body.token, app).rest('GET', '/api/agents');
      expectError(early, 409, 'tenant_not_ready');
      expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0);
      expectGraphqlError(await as(body.token, app).graphql('{ agents { id } }'), 'TENANT_NOT_READY');
    }
    expect((await as(body.token).rest('GET', '/api/auth/sessions')).body).toHaveLength(1);
    expect((await as(body.token).rest('GET', '/api/auth/token')).status).toBe(200);
    for (const [app, createRole] of makers) app.services.servers.home.createRole = createRole;
    const ready = () => as(body.token, there).rest('GET', '/api/agents');
    const { body: agents } = await eventually(ready, ({ status }) => status === 200, 60_000);
    expect(agents).toEqual([expect.objectContaining({ email: wanted.admin_email, role: 'admin' })]);
    expect((await me(body.token, there)).body).toMatchObject({ org_status: 'active', full_name: 'Admin' });
    expect((await agent(here, wanted.admin_email, 'secret')).token).toBeDefined();
  });

  test('makes a slug of any name, and another one where it is taken', async () => {
    const slugs = [];
    for (const name of ['Same Name', 'Same Name!', '東京コーヒー', '7-Eleven', 'www', 'É', 'x'.repeat(200)]) {
      const { status, body } = await register(company(name));
      expect([name, status]).toEqual([name, 201]);
      slugs.push(await slugOf(body.org_id));
    }
    expect(slugs[0]).toBe('same-name');
    expect(slugs[1]).toMatch(/^same-name-[0-9a-f]{6}$/);
    expect(slugs[3]).toBe('org-7-eleven');
    for (const slug of slugs) expect(slug).toMatch(/^[a-z][a-z0-9-]{1,61}[a-z0-9]$/);
    expect(new Set(slugs).size).toBe(slugs.length);
  });

  test('twenty at once of one name are twenty companies', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => register(company('Twenty'))));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => body.org_id)).size).toBe(20);
  });

  test.each([
    ['a short password', { admin_password: '12345' }, ['admin_password']],
    ['no name', { org_name: ' ' }, ['org_name']],
    ['no address', { admin_email: 'nobody' }, ['admin_email']],
    ['something else', { role: 'admin' }, ['role']],
  ])('refuses %s and makes nothing', async (_, change, fields) => {
    const count = () => sql(here.databaseUrl, 'select count(*) from organizations');
    const before = await count();
    expectError(await register({ ...company(), ...change }), 400, 'validation_failed', fields);
    expect(await count()).toEqual(before);
  });

  test('with an Idempotency-Key makes one company, however often it is sent', async () => {
    const wanted = company();
    const sent = await Promise.all([1, 2, 3].map(() => register(wanted, { 'idempotency-key': 'register-once' })));
    expect(new Set(sent.map(({ body }) => body.org_id)).size).toBe(1);
  });

  test('and signing in are open to the owner of an address that strangers have taken in many organizations', async () => {
    const wanted = company();
    const email = wanted.admin_email;
    const crowd = `organizations where slug like 'crowd-%'`;
    await sql(
      here.databaseUrl,
      `insert into organizations select (jsonb_populate_record(o, jsonb_build_object('id', gen_random_uuid(), 'slug', 'crowd-' || n,
              'mongo_database', 'crm_crowd_' || n))).* from organizations o, generate_series(1, 11) n where o.id = '${acme.id}'`,
    );
    try {
      const [{ hash }] = (await sql(
        here.databaseUrl,
        `select password_hash as hash from identities where org_id = '${acme.id}' limit 1`,
      )) as [{ hash: string }];
      // Older than that of the owner.
      await sql(
        here.databaseUrl,
        `insert into identities (id, org_id, email, password_hash, token_version, created_at)
         select ('00000000-0000-4000-8000-' || right(id::text, 12))::uuid, id, $1, $2, 0, now() from ${crowd}`,
        [email, hash],
      );
      const { status, body } = await register(wanted);
      expect(status).toBe(201);
      await active(root, body.org_id);
      const slug = await slugOf(body.org_id);
      const login = (more: object) =>
        anonymous(here).rest('POST', '/api/auth/login', { email, password: wanted.admin_password, ...more });
      expectError(await login({}), 409, 'tenant_required');
      expectError(await login({ password: 'not it' }), 409, 'tenant_required');
      expect((await login({ tenant: slug })).status).toBe(200);
      await sql(here.databaseUrl, `delete from identities where org_id in (select id from ${crowd} limit 2)`);
      expect((await login({})).status).toBe(200);
    } finally {
      await sql(here.databaseUrl, `delete from ${crowd}`);
    }
  });

  test('is slowed where one address signs up too many', async () => {
    const { throttle } = here.services;
    for (let n = 0; n < 60; n++) await throttle.countRegistration('198.51.100.7');
    await expect(throttle.countRegistration('198.51.100.7')).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfter: expect.any(Number),
    });
  });
});

describe('one address in several tenants', () => {
  test('is told to say which one, and only somebody with a right password is told', async () => {
    const other = await provision(root);
    const email = 'both@acme.test';
    for (const { id } of [acme, other]) await addUser(here, id, { email, password: 'a password' });
    const login = (body: object) => anonymous(here).rest('POST', '/api/auth/login', { email, ...body });
    expectError(await login({ password: 'a password' }), 409, 'tenant_required');
    expectError(await login({ password: 'not it' }), 401, 'unauthenticated');
    for (const { id, slug } of [acme, other]) {
      const { status, body } = await login({ password: 'a password', tenant: slug });
      expect([status, body.tenant.id]).toEqual([200, id]);
    }
    expectError(await login({ password: 'a password', tenant: 'nobody' }), 401, 'unauthenticated');
  });
});

describe('the profile', () => {
  test('tells the role and what it allows now', async () => {
    const { id } = await addUser(here, acme.id, { email: 'sup@acme.test', role: 'supervisor', fullName: 'Sup' });
    const { token } = await agent(here, 'sup@acme.test', 'a password');
    expect((await me(token)).body).toEqual({
      id,
      email: 'sup@acme.test',
      full_name: 'Sup',
      role: 'supervisor',
      permissions: ['analytics.view', 'developer.access', 'divisions.manage', 'divisions.view', 'logs.view'],
      org_id: acme.id,
      org_slug: acme.slug,
      org_status: 'active',
    });
    expect((await root.rest('GET', '/api/auth/me')).body).toMatchObject({ role: 'super_admin', permissions: [] });
    expectError(await me(undefined), 401, 'unauthenticated');
  });

  test('under an impersonation names who is behind it', async () => {
    const { body } = await root.rest('POST', `/api/super-admin/tenants/${acme.id}/impersonate`, { read_only: true });
    expect((await me(body.token)).body).toMatchObject({
      role: 'admin',
      read_only: true,
      impersonated_by: { id: decode(root.token!).claims.sub },
    });
  });
});

describe('signing out', () => {
  test('clears the cookie, and the token is dead everywhere within a second', async () => {
    const [one, other] = await Promise.all([admin(), admin()]);
    const { status, body, headers } = await one.rest('POST', '/api/auth/logout');
    expect([status, body]).toEqual([200, { message: expect.any(String) }]);
    expect(headers.get('set-cookie')).toMatch(/^access_token=;.*Max-Age=0/);
    await expectDead(one.token);
    expect((await me(other.token)).status).toBe(200);
    expectError(await one.rest('POST', '/api/auth/logout'), 401, 'unauthenticated');
  });

  test('leaves no dead cookie behind', async () => {
    const person = await admin();
    await person.rest('POST', '/api/auth/logout');
    const cookie = { cookie: `access_token=${person.token}` };
    const refused = await eventually(
      () => anonymous(here).rest('GET', '/api/auth/me', undefined, cookie),
      ({ status }) => status === 401,
      WITHIN_MS,
    );
    expect(refused.headers.get('set-cookie')).toMatch(/^access_token=;.*Max-Age=0/);
  });

  test('works by cookie, for super admins, and for who impersonates', async () => {
    const person = await admin();
    const cookie = { cookie: `access_token=${person.token}` };
    expect((await anonymous(here).rest('POST', '/api/auth/logout', undefined, cookie)).status).toBe(200);
    const { body } = await root.rest('POST', `/api/super-admin/tenants/${acme.id}/impersonate`);
    expect((await as(body.token).rest('POST', '/api/auth/logout')).status).toBe(200);
    const another = await superAdmin(here);
    expect((await another.rest('POST', '/api/auth/logout')).status).toBe(200);
    await expectDead(person.token, body.token, another.token);
  });
});

describe('a fresh token', () => {
  const fresh = (actor: Actor) => actor.rest('GET', '/api/auth/token');
  const age = (token: string, interval: string) =>
    sql(here.databaseUrl, `update sessions set created_at = now() - interval '${interval}' where id = $1`, [
      decode(token).claims.sid,
    ]);

  test('is of the same session, for 24 hours; the old one goes on', async () => {
    const person = await admin();
    const { status, body, headers } = await fresh(person);
    expect([status, body]).toEqual([200, { token: expect.any(String), expires_at: expect.any(String) }]);
    expect(headers.get('set-cookie')).toContain(`access_token=${body.token}`);
    expect(headers.get('cache-control')).toBe('no-store');
    const head = await fetch(`${here.url}/api/auth/token`, {
      method: 'HEAD',
      headers: { authorization: `Bearer ${person.token}` },
    });
    expect(head.status).toBe(405);
    const { claims } = decode(body.token);
    expect(claims.sid).toBe(decode(person.token!).claims.sid);
    expect(claims.exp - claims.iat).toBeGreaterThan(86_390);
    expect(Math.abs(Date.parse(body.expires_at) / 1000 - claims.exp)).toBeLessThan(3);
    for (const token of [body.token, person.token]) expect((await me(token)).status).toBe(200);
    await as(body.token).rest('POST', '/api/auth/logout');
    await expectDead(body.token, person.token);
  });

  test('ends seven days after the sign-in at the latest', async () => {
    const person = await admin();
    await age(person.token!, '6 days 23 hours');
    const { claims } = decode((await fresh(person)).body.token);
    expect(claims.exp - claims.iat).toBeLessThanOrEqual(3600);
    expect(claims.exp - claims.iat).toBeGreaterThan(3590);
    await age(person.token!, '7 days');
    expectError(await fresh(person), 401, 'unauthenticated');
  });

  test('is not for impersonations, nor for super admins, nor for one who is shut out', async () => {
    const { body } = await root.rest('POST', `/api/super-admin/tenants/${acme.id}/impersonate`);
    expectError(await fresh(as(body.token)), 403, 'forbidden');
    expectError(await fresh(root), 403, 'forbidden');
    const { id } = await addUser(here, acme.id, { email: 'shut@acme.test' });
    const person = await agent(here, 'shut@acme.test', 'a password');
    await root.rest('POST', `/api/super-admin/users/${id}/suspend?tenant_id=${acme.id}`);
    await eventually(
      () => fresh(person),
      ({ status }) => status === 403,
      WITHIN_MS,
    );
  });
});

describe('sessions', () => {
  test('are listed, ended one by one, and all but this one', async () => {
    const email = 'sessions@acme.test';
    await addUser(here, acme.id, { email });
    const [one, two, three] = [
      await agent(here, email, 'a password'),
      await agent(here, email, 'a password'),
      await agent(here, email, 'a password'),
    ];
    const { body } = await one.rest('GET', '/api/auth/sessions', undefined, { 'user-agent': 'the tests' });
    const ids = [one, two, three].map(({ token }) => decode(token!).claims.sid);
    expect(body.map(({ id, current }: { id: string; current: boolean }) => [id, current])).toEqual([
      [ids[0], true],
      [ids[1], false],
      [ids[2], false],
    ]);
    expect(body[0]).toMatchObject({
      address: '127.0.0.1',
      user_agent: expect.any(String),
      created_at: expect.any(String),
    });
    expect((await one.rest('DELETE', `/api/auth/sessions/${ids[1]}`)).status).toBe(200);
    await expectDead(two.token);
    expectError(await one.rest('DELETE', `/api/auth/sessions/${ids[1]}`), 404, 'not_found');
    expect((await one.rest('DELETE', '/api/auth/sessions')).body).toEqual({ ended: 1 });
    await expectDead(three.token);
    expect((await one.rest('GET', '/api/auth/sessions')).body).toHaveLength(1);
  });

  test('are fifty at most, and ended together in one go', async () => {
    const email = 'many@acme.test';
    const { id } = await addUser(here, acme.id, { email });
    await sql(
      here.databaseUrl,
      `insert into sessions (id, subject_id, email, org_id, address, created_at, last_used_at, expires_at)
         select uuidv7(interval '-1 hour'), $1, $2, $3, '', now(), now(), now() + interval '1 day' from generate_series(1, 3000)`,
      [id, email, acme.id],
    );
    const person = await agent(here, email, 'a password');
    expect((await person.rest('GET', '/api/auth/sessions')).body).toHaveLength(50);
    const start = performance.now();
    expect((await person.rest('DELETE', '/api/auth/sessions')).body).toEqual({ ended: 49 });
    process.stdout.write(`    measured: ended 49 sessions in ${Math.round(performance.now() - start)} ms\n`);
  });

  test("of others are nobody's business", async () => {
    const [person, other] = [await admin(), await superAdmin(here)];
    for (const [by, whose] of [
      [person, other],
      [other, person],
    ] as const) {
      const { sid } = decode(whose.token!).claims;
      expectError(await by.rest('DELETE', `/api/auth/sessions/${sid}`), 404, 'not_found');
      expect((await me(whose.token)).status).toBe(200);
    }
  });

  test('end with a new password, a suspension, and their tenant', async () => {
    const tenant = await provision(root);
    const { id } = await addUser(here, tenant.id, { email: 'ends@acme.test' });
    const listed = async () => {
      const person = await agent(here, 'ends@acme.test', 'a password');
      return (await person.rest('GET', '/api/auth/sessions')).body.length;
    };
    const user = (action: string, body?: object) =>
      root.rest('POST', `/api/super-admin/users/${id}/${action}?tenant_id=${tenant.id}`, body);
    expect(await listed()).toBe(1);
    await user('reset-password', { new_password: 'a password' });
    expect(await listed()).toBe(1);
    await user('suspend');
    await user('activate');
    expect(await listed()).toBe(1);
    await root.rest('DELETE', `/api/super-admin/tenants/${tenant.id}`);
    await root.rest('PATCH', `/api/super-admin/tenants/${tenant.id}`, { status: 'active' });
    expect(await listed()).toBe(1);
  });

  test('tell when they were used last', async () => {
    const person = await admin();
    await sql(here.databaseUrl, "update sessions set last_used_at = now() - interval '1 hour' where id = $1", [
      decode(person.token!).claims.sid,
    ]);
    await me(person.token);
    await here.services.lastUse.flush();
    const { body } = await person.rest('GET', '/api/auth/sessions');
    const own = body.find(({ current }: { current: boolean }) => current);
    expect(Date.now() - Date.parse(own.last_used_at)).toBeLessThan(60_000);
  });
});
