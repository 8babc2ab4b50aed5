/** Staying signed in, signing out: of people who belong to tenants. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Actor, agent, anonymous, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startTwoApps, type TestApp, type TwoApps } from './support/app.ts';
import { sql } from './support/database.ts';
import { expectError } from './support/errors.ts';
import { addUser } from './support/tenants.ts';
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
