import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Actor, anonymous, superAdmin } from './support/actors.ts';
import { SUPER_ADMIN, startApp, type TestApp } from './support/app.ts';
import { holdTable, sql } from './support/database.ts';
import { expectError, expectGraphqlError } from './support/errors.ts';
import { decode } from './support/tokens.ts';

const ADMINS = '/api/super-admin/admins';
const PASSWORD = 'a password of eight or more';
const NOBODY = '00000000-0000-7000-8000-000000000000';

let app: TestApp;
let root: Actor;
let rootId: string;

beforeAll(async () => {
  app = await startApp();
  root = await superAdmin(app);
  rootId = decode(root.token!).claims.sub;
});
afterAll(() => app?.stop());

/** A fresh account for each test. */
let email: string;
let made = 0;
beforeEach(() => {
  email = `Person.${++made}@Platform.test`;
});

const create = (input: object = {}, by = root) =>
  by.rest('POST', ADMINS, { email, name: 'A Person', password: PASSWORD, ...input });
const login = (password = PASSWORD, address = email) =>
  anonymous(app).rest('POST', '/api/super-admin/login', { email: address, password });
const list = async (): Promise<{ id: string; email: string }[]> => (await root.rest('GET', ADMINS)).body;
const audited = (action: string, targetId: string) =>
  sql<Record<string, unknown>>(app.databaseUrl, 'select * from audit_entries where action = $1 and target_id = $2', [
    action,
    targetId,
  ]);

describe('signing in', () => {
  test('gives a token for eight hours that says who, for whom and under which number', async () => {
    const before = Math.floor(Date.now() / 1000);
    const { status, body } = await login(SUPER_ADMIN.password, SUPER_ADMIN.email);
    expect([status, Object.keys(body)]).toEqual([200, ['token']]);
    const { header, claims } = decode(body.token);
    expect(header).toEqual({ alg: 'HS256', typ: 'JWT' });
    expect(claims).toMatchObject({
      iss: 'omnistream',
      aud: 'omnistream:platform',
      sub: rootId,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      exp: claims.iat + 8 * 3600,
    });
    expect(claims.iat - before).toBeLessThanOrEqual(2);
    expect(JSON.stringify(claims)).not.toContain(SUPER_ADMIN.password);
    expect(decode((await login(SUPER_ADMIN.password, SUPER_ADMIN.email)).body.token).claims.jti).not.toBe(claims.jti);
  });

  test('compares the address without case and without the blanks around it', async () => {
    await create();
    for (const address of [email.toLowerCase(), email.toUpperCase(), ` ${email}\n`]) {
      expect((await login(PASSWORD, address)).status).toBe(200);
    }
  });

  test('is the same over GraphQL, where the one who signed in may ask who they are', async () => {
    const { data } = await anonymous(app).graphql(
      'mutation ($email: String!, $password: String!) { superAdminLogin(email: $email, password: $password) { token } }',
      SUPER_ADMIN,
    );
    const me = await new Actor(app.url, data.superAdminLogin.token).graphql(
      '{ me { id email name role tenantId tenantSlug impersonatedBy { id } } }',
    );
    expect(me.data.me).toEqual({
      id: rootId,
      email: SUPER_ADMIN.email,
      name: 'First super admin',
      role: 'super_admin',
      tenantId: null,
      tenantSlug: null,
      impersonatedBy: null,
    });
  });

  test('answers a wrong password and an unknown address alike', async () => {
    await create();
    const answers = [await login('wrong password'), await login(PASSWORD, 'unknown@platform.test')];
    for (const answer of answers) expectError(answer, 401, 'unauthenticated');
    expect(answers[0]!.body.error).toBe(answers[1]!.body.error);
  });

  test('leaves an audit entry, whether it succeeds or fails', async () => {
    const { body } = await create();
    await login('wrong password');
    await login();
    expect(await audited('super_admin.login', body.id)).toMatchObject([
      { actor_kind: 'super_admin', actor_id: body.id, address: '127.0.0.1' },
    ]);
    const failed = await sql(
      app.databaseUrl,
      `select actor_kind from audit_entries where action = 'super_admin.login_failed' and actor_email = $1`,
      [email],
    );
    expect(failed).toEqual([{ actor_kind: 'anonymous' }]);
  });
});

describe('a super admin', () => {
  test('is made with an id, an address and a name, and listed in the order of making', async () => {
    const before = await list();
    const { status, body } = await create({ name: '  Ada  ' });
    expect(status).toBe(201);
    expect(body).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), email, name: 'Ada' });
    expect(await list()).toEqual([...before, { ...body, created_at: expect.stringMatching(/^\d{4}-.+\.\d{3}Z$/) }]);
    expect((await login()).status).toBe(200);
  });

  test('has an address that no other one has, without case', async () => {
    await create();
    for (const taken of [email, email.toUpperCase(), ` ${email.toLowerCase()} `]) {
      expectError(await create({ email: taken }), 409, 'email_taken');
    }
    const input = { email: email.toLowerCase(), name: 'X', password: PASSWORD };
    const answer = await root.graphql(
      'mutation ($input: CreateSuperAdminInput!) { createSuperAdmin(input: $input) { id } }',
      { input },
    );
    expectGraphqlError(answer, 'EMAIL_TAKEN');
  });

  test('is made once, however many ask at the same moment', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) => create(n % 2 ? { email: email.toUpperCase() } : {})),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(409)]);
  });

  test('is not made by one whose session was ended meanwhile', async () => {
    const { body } = await create();
    const leaving = new Actor(app.url, (await login()).body.token);
    const held = await holdTable(app.databaseUrl, 'super_admins');
    const late = { email: `late.${email}` };
    const asked = create(late, leaving);
    try {
      await held.wanted(1);
      await sql(app.databaseUrl, 'update sessions set ended_at = now() where subject_id = $1', [body.id]);
    } finally {
      await held.letGo();
    }
    expectError(await asked, 401, 'unauthenticated');
    expect(await sql(app.databaseUrl, 'select from super_admins where lower(email) = lower($1)', [late.email])).toEqual(
      [],
    );
  });

  test.each([
    ['email', { email: 'nobody' }],
    ['email', { email: '' }],
    ['name', { name: '  ' }],
    ['password', { password: '7 chars' }],
    ['password', { password: '🔑🔑🔑🔑🔑🔑🔑' }],
    ['created_at', { created_at: '2026-01-01T00:00:00Z' }],
  ])('is refused for its %s in %j', async (field, input) => {
    expectError(await create(input), 400, 'validation_failed', [field]);
  });

  test('has a password that nobody can read, neither stored nor logged', async () => {
    const { body } = await create();
    await root.rest('POST', `${ADMINS}/${body.id}/reset-password`, { new_password: `${PASSWORD} again` });
    const everything = await sql<{ text: string }>(
      app.databaseUrl,
      'select a::text as text from audit_entries a union all select s::text from super_admins s',
    );
    const text = JSON.stringify(everything);
    expect(text).not.toContain(PASSWORD);
    expect(text).toContain('$argon2id$v=19$m=19456,t=2,p=1$');
    expect(JSON.stringify(await list())).not.toMatch(/password|argon/);
  });
});

describe('deleting a super admin', () => {
  test('takes their sign-in away, and leaves an audit entry', async () => {
    const { body } = await create();
    expect(await root.rest('DELETE', `${ADMINS}/${body.id}`)).toMatchObject({
      status: 200,
      body: { status: 'deleted' },
    });
    expectError(await login(), 401, 'unauthenticated');
    expectError(await root.rest('DELETE', `${ADMINS}/${body.id}`), 404, 'not_found');
    expect((await list()).some(({ id }) => id === body.id)).toBe(false);
    expect(await audited('super_admin.delete', body.id)).toMatchObject([
      { actor_id: rootId, before: { email, name: 'A Person' } },
    ]);
    expect((await create()).status).toBe(201);
  });

  test('is not possible for oneself, nor for one who is not there', async () => {
    expectError(await root.rest('DELETE', `${ADMINS}/${rootId}`), 409, 'cannot_delete_self');
    expectError(await root.rest('DELETE', `${ADMINS}/${NOBODY}`), 404, 'not_found');
    const answer = await root.graphql('mutation ($id: UUID!) { deleteSuperAdmin(id: $id) { id } }', {
      id: rootId.toUpperCase(),
    });
    expectGraphqlError(answer, 'CANNOT_DELETE_SELF');
  });

  test('each other at the same moment leaves one', async () => {
    for (let round = 0; round < 5; round++) {
      const pair: { actor: Actor; id: string }[] = [];
      for (const side of ['a', 'b']) {
        const address = `${side}${round}.${email}`;
        const { body } = await create({ email: address });
        pair.push({ actor: await superAdmin(app, { email: address, password: PASSWORD }), id: body.id });
      }
      const [a, b] = pair as [(typeof pair)[0], (typeof pair)[0]];
      const answers = await Promise.all([
        a.actor.rest('DELETE', `${ADMINS}/${b.id}`),
        b.actor.rest('DELETE', `${ADMINS}/${a.id}`),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
      const left = (await list()).filter(({ id }) => id === a.id || id === b.id);
      expect(left).toHaveLength(1);
    }
  });

  test('never empties the platform, however many delete each other', async () => {
    const other = await startApp();
    try {
      const first = await superAdmin(other);
      const people = [{ actor: first, id: decode(first.token!).claims.sub }];
      for (let n = 0; n < 3; n++) {
        const credentials = { email: `p${n}@platform.test`, password: PASSWORD };
        const { body } = await first.rest('POST', ADMINS, { ...credentials, name: 'P' });
        people.push({ actor: await superAdmin(other, credentials), id: body.id });
      }
      const answers = await Promise.all(
        people.flatMap(({ actor, id }) =>
          people.filter((p) => p.id !== id).map((p) => actor.rest('DELETE', `${ADMINS}/${p.id}`)),
        ),
      );
      for (const { status } of answers) expect([200, 401, 404, 409]).toContain(status);
      const rows = await sql<{ id: string }>(other.databaseUrl, 'select id from super_admins');
      expect(rows.length).toBeGreaterThanOrEqual(1);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(people.length - rows.length);
    } finally {
      await other.stop();
    }
  });
});

describe("resetting a super admin's password", () => {
  test('lets the new password in and the old one not', async () => {
    const { body } = await create();
    const reset = await root.rest('POST', `${ADMINS}/${body.id}/reset-password`, { new_password: 'another password' });
    expect(reset).toMatchObject({ status: 200, body: { status: 'password_reset' } });
    expectError(await login(), 401, 'unauthenticated');
    expect((await login('another password')).status).toBe(200);
    expect(await audited('super_admin.reset_password', body.id)).toMatchObject([
      { actor_id: rootId, actor_email: SUPER_ADMIN.email },
    ]);
  });

  test('may be done to oneself, which ends the token that did it', async () => {
    const { body } = await create();
    const self = await superAdmin(app, { email, password: PASSWORD });
    expect(
      (await self.rest('POST', `${ADMINS}/${body.id}/reset-password`, { new_password: 'another password' })).status,
    ).toBe(200);
    expect((await login('another password')).status).toBe(200);
  });

  test('answers 404 for one who is not there', async () => {
    expectError(
      await root.rest('POST', `${ADMINS}/${NOBODY}/reset-password`, { new_password: PASSWORD }),
      404,
      'not_found',
    );
  });
});
