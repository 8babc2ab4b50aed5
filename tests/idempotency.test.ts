import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Actor, anonymous, provision, superAdmin, type Tenant } from './support/actors.ts';
import { SUPER_ADMIN, startApp, type TestApp } from './support/app.ts';
import { sql } from './support/database.ts';
import { expectError } from './support/errors.ts';

const TENANTS = '/api/super-admin/tenants';
const ADMINS = '/api/super-admin/admins';

let app: TestApp;
let admin: Actor;
let tenant: Tenant;
let userId: string;

beforeAll(async () => {
  app = await startApp();
  admin = await superAdmin(app);
  tenant = await provision(admin);
  userId = (await admin.rest('GET', `/api/super-admin/users?tenant_id=${tenant.id}`)).body[0].id;
});
afterAll(() => app?.stop());

/** A key and a slug that nobody has used. */
let made = 0;
let key: string;
let slug: string;
beforeEach(() => {
  key = `key-${++made}`;
  slug = `keyed-${made}`;
});

const post = (path: string, body?: unknown, by = admin, idempotencyKey = key) =>
  by.rest('POST', path, body, { 'idempotency-key': idempotencyKey });
const tenantsNamed = async (name: string) =>
  (await sql<{ id: string }>(app.databaseUrl, 'select id from organizations where name = $1', [name])).map(
    ({ id }) => id,
  );

describe('a POST that is repeated with its Idempotency-Key', () => {
  test('gets the status, the body and the address of the first answer, and does nothing more', async () => {
    const first = await post(TENANTS, { name: 'Once', slug });
    const again = [await post(TENANTS, { name: 'Once', slug }), await post(TENANTS, { name: 'Once', slug })];
    expect(first.status).toBe(201);
    expect(first.headers.get('idempotent-replayed')).toBeNull();
    for (const answer of again) {
      expect([answer.status, answer.body]).toEqual([first.status, first.body]);
      expect(answer.headers.get('location')).toBe(`${TENANTS}/${first.body.id}`);
      expect(answer.headers.get('idempotent-replayed')).toBe('true');
    }
    expect(await tenantsNamed('Once')).toEqual([first.body.id]);
    const audited = await sql(
      app.databaseUrl,
      `select id from audit_entries where action = 'tenant.provision' and org_id = $1`,
      [first.body.id],
    );
    expect(audited).toHaveLength(1);
  });

  test('twenty times at once makes one tenant and gives twenty identical answers', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(TENANTS, { name: 'Twenty', slug })));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(201));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(await tenantsNamed('Twenty')).toEqual([answers[0]!.body.id]);
  });

  test('gets the same answer from another process', async () => {
    const other = await startApp({}, app.databaseUrl);
    try {
      const there = await superAdmin(other);
      const bodies = await Promise.all(
        Array.from(
          { length: 10 },
          async (_, n) =>
            (
              await post(
                ADMINS,
                { email: `${slug}@platform.test`, name: 'A', password: 'a password' },
                n % 2 ? there : admin,
              )
            ).body,
        ),
      );
      expect(new Set(bodies.map(({ id }) => id)).size).toBe(1);
    } finally {
      await other.stop();
    }
  });

  test('is another request when anything of it differs', async () => {
    const { body } = await post(TENANTS, { name: 'First', slug });
    expectError(await post(TENANTS, { name: 'Second', slug }), 409, 'idempotency_key_reused');
    expectError(await post(TENANTS, { name: 'First', slug, limits: {} }), 409, 'idempotency_key_reused');
    expectError(
      await post(ADMINS, { email: 'x@y.test', name: 'First', password: 'a password' }),
      409,
      'idempotency_key_reused',
    );
    expectError(await post(`${TENANTS}/${body.id}/impersonate`), 409, 'idempotency_key_reused');
    expect(await tenantsNamed('Second')).toEqual([]);
  });

  test("is another's own when another sends it", async () => {
    const credentials = { email: `${slug}@platform.test`, password: 'a password' };
    await admin.rest('POST', ADMINS, { ...credentials, name: 'Other' });
    const other = await superAdmin(app, credentials);
    const mine = await post(TENANTS, { name: 'Mine', slug });
    const theirs = await post(TENANTS, { name: 'Theirs', slug: `${slug}-2` }, other);
    expect([mine.body.name, theirs.status, theirs.body.name]).toEqual(['Mine', 201, 'Theirs']);
    expectError(await post(TENANTS, { name: 'Mine', slug }, anonymous(app)), 401, 'unauthenticated');
  });

  test('gets the same error, where the state refused it', async () => {
    await admin.rest('POST', TENANTS, { name: 'Taken', slug });
    const first = await post(TENANTS, { name: 'Late', slug });
    expectError(first, 409, 'slug_taken');
    const again = await post(TENANTS, { name: 'Late', slug });
    expect([again.status, again.body]).toEqual([409, first.body]);
    const nobody = '00000000-0000-7000-8000-000000000000';
    const missing = await post(`${TENANTS}/${nobody}/impersonate`, undefined, admin, `${key}-404`);
    expectError(missing, 404, 'not_found');
    expect((await post(`${TENANTS}/${nobody}/impersonate`, undefined, admin, `${key}-404`)).body).toEqual(missing.body);
  });

  test('may be mended and sent again, where it was not valid or not allowed', async () => {
    expectError(await post(TENANTS, { name: '', slug }), 400, 'validation_failed', ['name']);
    expectError(await post(TENANTS, { name: 'Mended', slug, more: 1 }), 400, 'validation_failed', ['more']);
    expectError(await post(TENANTS, '{'), 400, 'validation_failed');
    expectError(await post(TENANTS, { name: 'Mended', slug }, anonymous(app)), 401, 'unauthenticated');
    expect((await post(TENANTS, { name: 'Mended', slug })).status).toBe(201);
    const login = (password: string) =>
      post('/api/super-admin/login', { ...SUPER_ADMIN, password }, anonymous(app), `${key}-login`);
    expectError(await login('not the password'), 401, 'unauthenticated');
    expect((await login(SUPER_ADMIN.password)).status).toBe(200);
  });

  test('cannot keep a failed sign-in out of the audit log', async () => {
    const credentials = { email: `${slug}@nowhere.test`, password: 'not the password' };
    for (const path of ['/api/auth/login', '/api/super-admin/login']) {
      expectError(await post(path, credentials, anonymous(app)), 401, 'unauthenticated');
    }
    const rows = await sql(app.databaseUrl, 'select action from audit_entries where actor_email = $1 order by id', [
      credentials.email,
    ]);
    expect(rows).toEqual([{ action: 'user.login_failed' }, { action: 'super_admin.login_failed' }]);
  });

  test('replays an impersonation with its one token, which nobody can read in the table', async () => {
    const path = `/api/super-admin/users/${userId}/impersonate?tenant_id=${tenant.id}`;
    const first = await post(path);
    const again = await post(path);
    expect(again.body).toEqual(first.body);
    const rows = await sql<Record<string, string>>(app.databaseUrl, 'select * from idempotency_keys');
    const stored = JSON.stringify(rows);
    for (const secret of [first.body.token, first.body.token.split('.')[1], key, tenant.adminEmail]) {
      expect(stored).not.toContain(secret);
    }
    expect(rows.length).toBeGreaterThan(0);
  });

  test('gets the cookie of the first answer as well, for as long as that one is good', async () => {
    const credentials = { email: tenant.adminEmail, password: tenant.adminPassword };
    const login = () => post('/api/auth/login', credentials, anonymous(app));
    const [first, again] = [await login(), await login()].map(({ headers }) => headers.get('set-cookie')!.split('; '));
    const [cookie, ...attributes] = first!;
    expect(cookie).toMatch(/^access_token=eyJ/);
    expect(again![0]).toBe(cookie);
    const seconds = (all: string[]) => Number(all.find((one) => one.startsWith('Max-Age='))!.slice('Max-Age='.length));
    expect(seconds(again!)).toBeLessThan(seconds(first!));
    expect(seconds(again!)).toBeGreaterThan(seconds(first!) - 60);
    expect(again!.slice(1).filter((one) => !one.startsWith('Max-Age'))).toEqual(
      attributes.filter((one) => !one.startsWith('Max-Age')),
    );
  });

  test('is done anew after a day', async () => {
    const body = { email: `${slug}@platform.test`, name: 'Old', password: 'a password' };
    const { body: first } = await post(ADMINS, body);
    await admin.rest('DELETE', `${ADMINS}/${first.id}`);
    expect((await post(ADMINS, body)).body).toEqual(first);
    await sql(app.databaseUrl, `update idempotency_keys set created_at = created_at - interval '24 hours'`);
    const { status, body: second } = await post(ADMINS, body);
    expect(status).toBe(201);
    expect(second.id).not.toBe(first.id);
    expect((await post(ADMINS, body)).body).toEqual(second);
  });
});

describe('an Idempotency-Key', () => {
  test.each(['', ' ', 'x'.repeat(256), 'two words', 'é'])('that cannot be one is refused: %j', async (unfit) => {
    expectError(await post(TENANTS, { name: 'Unfit', slug }, admin, unfit), 400, 'validation_failed', [
      'Idempotency-Key',
    ]);
    expect(await tenantsNamed('Unfit')).toEqual([]);
  });

  test('means nothing to other methods', async () => {
    for (let time = 0; time < 2; time++) {
      const { headers, status } = await admin.rest('GET', TENANTS, undefined, { 'idempotency-key': key });
      expect([status, headers.get('idempotent-replayed')]).toEqual([200, null]);
    }
  });

  test('in sixty requests at once, each with its own, lets all through', async () => {
    const path = `/api/super-admin/users/${userId}`;
    const start = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        n % 2
          ? post(`${path}/impersonate?tenant_id=${tenant.id}`, undefined, admin, `${key}-${n}`)
          : post(
              '/api/auth/login',
              { email: tenant.adminEmail, password: tenant.adminPassword },
              anonymous(app),
              `${key}-${n}`,
            ),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(60).fill(200));
    expect(performance.now() - start).toBeLessThan(15_000);
  });
});
