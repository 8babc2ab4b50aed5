/** Companies that sign themselves up. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Actor, active, agent, anonymous, eventually, provision, superAdmin } from './support/actors.ts';
import { startTwoApps, type TestApp, type TwoApps } from './support/app.ts';
import { sql } from './support/database.ts';
import { expectError, expectGraphqlError } from './support/errors.ts';
import { holdProvisioning } from './support/tenants.ts';
import { decode } from './support/tokens.ts';

let apps: TwoApps;
let here: TestApp;
let there: TestApp;
let root: Actor;

beforeAll(async () => {
  apps = await startTwoApps();
  ({ here, there } = apps);
  root = await superAdmin(here);
});
afterAll(() => apps?.stop());

const as = (token: string | undefined, app = here) => new Actor(app.url, token);
const me = (token: string | undefined, app = here) => as(token, app).rest('GET', '/api/auth/me');
let made = 0;
const company = (name = `Company ${++made}`) => ({
  org_name: name,
  admin_email: `admin${++made}@company.test`,
  admin_password: 'secret',
});
const register = (body: object, headers = {}) => anonymous(here).rest('POST', '/api/auth/register', body, headers);
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
    const acme = await provision(root);
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
