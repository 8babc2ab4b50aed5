import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Actor, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, startTwoApps, type TestApp, type TwoApps } from './support/app.ts';
import { type Entrance, entranceTo } from './support/entrance.ts';
import { expectError } from './support/errors.ts';
import { statementsOf } from './support/statements.ts';
import { addUser } from './support/tenants.ts';
import { decode } from './support/tokens.ts';

const TENANTS = '/api/super-admin/tenants';
const USERS = '/api/super-admin/users';
const ADMINS = '/api/super-admin/admins';
const PASSWORD = 'a password';
/** Contract section 2, "Tokens". */
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

let made = 0;
/** A user of the tenant with a token. */
async function user(tenant = acme) {
  const email = `user${++made}@acme.test`;
  const { id } = await addUser(here, tenant.id, { email, password: PASSWORD });
  const login = () => agent(here, email, PASSWORD);
  return {
    id,
    email,
    login,
    token: (await login()).token!,
    path: (action: string) => `${USERS}/${id}/${action}?tenant_id=${tenant.id}`,
  };
}

/** Another super admin with a token. */
async function otherAdmin() {
  const credentials = { email: `admin${++made}@platform.test`, password: PASSWORD };
  const { body } = await root.rest('POST', ADMINS, { ...credentials, name: 'Other' });
  return { id: body.id, credentials, token: (await superAdmin(here, credentials)).token! };
}

const codeOn = async (app: TestApp, token: string): Promise<string | undefined> =>
  (await new Actor(app.url, token).graphql('{ me { id } }')).errors?.[0]?.extensions.code;
const expectAlive = async (...tokens: string[]) => {
  for (const token of tokens) for (const app of [here, there]) expect(await codeOn(app, token)).toBeUndefined();
};

/** After the answer to `act`, each of the tokens is refused by both processes within a second, and stays so. */
async function expectDead(
  tokens: string | string[],
  code: string,
  act: () => Promise<{ status: number }>,
): Promise<void> {
  const each = [tokens].flat().flatMap((token) => [here, there].map((app) => () => codeOn(app, token)));
  expect(await Promise.all(each.map((ask) => ask()))).toEqual(each.map(() => undefined));
  expect((await act()).status).toBe(200);
  const start = performance.now();
  await Promise.all(each.map((ask) => eventually(ask, (found) => found === code, WITHIN_MS)));
  expect(performance.now() - start).toBeLessThan(WITHIN_MS);
  for (const ask of each) expect(await ask()).toBe(code);
}

describe('within a second, and on every process, the tokens die', () => {
  test('of a user whose password is reset', async () => {
    const { token, path, id, email } = await user();
    await expectDead(token, 'UNAUTHENTICATED', () =>
      root.rest('POST', path('reset-password'), { new_password: 'another password' }),
    );
    const fresh = await agent(there, email, 'another password');
    await expectAlive(fresh.token!);
    expect(decode(fresh.token!).claims.sub).toBe(id);
  });

  test('of a user who is suspended; activating does not bring them back to life', async () => {
    const { token, path, login } = await user();
    await expectDead(token, 'USER_SUSPENDED', () => root.rest('POST', path('suspend')));
    expectError(await new Actor(there.url, token).rest('GET', TENANTS), 403, 'user_suspended');
    await root.rest('POST', path('activate'));
    for (const app of [here, there]) {
      await eventually(
        () => codeOn(app, token),
        (code) => code === 'UNAUTHENTICATED',
        WITHIN_MS,
      );
    }
    await expectAlive((await login()).token!);
    expect(await codeOn(there, token)).toBe('UNAUTHENTICATED');
  });

  test('of all the users of a tenant that is suspended; restoring it lets them sign in anew', async () => {
    const tenant = await provision(root);
    const people = [await user(tenant), await user(tenant)];
    const impersonation = (await root.rest('POST', `${TENANTS}/${tenant.id}/impersonate`)).body.token;
    const bystander = await user();
    await expectDead(people[0]!.token, 'TENANT_SUSPENDED', () => root.rest('DELETE', `${TENANTS}/${tenant.id}`));
    for (const token of [people[1]!.token, impersonation]) {
      for (const app of [here, there]) expect(await codeOn(app, token)).toBe('TENANT_SUSPENDED');
    }
    expectError(await new Actor(there.url, people[0]!.token).rest('GET', TENANTS), 403, 'tenant_suspended');
    await expectAlive(bystander.token);

    await root.rest('PATCH', `${TENANTS}/${tenant.id}`, { status: 'active' });
    for (const token of [people[0]!.token, impersonation]) {
      for (const app of [here, there]) {
        await eventually(
          () => codeOn(app, token),
          (code) => code === 'UNAUTHENTICATED',
          WITHIN_MS,
        );
      }
    }
    await expectAlive((await people[0]!.login()).token!);
  });

  test('of a super admin who is deleted or given a new password, on either process', async () => {
    const deleted = await otherAdmin();
    await expectDead(deleted.token, 'UNAUTHENTICATED', async () =>
      (await superAdmin(there)).rest('DELETE', `${ADMINS}/${deleted.id}`),
    );
    const reset = await otherAdmin();
    await expectDead(reset.token, 'UNAUTHENTICATED', () =>
      root.rest('POST', `${ADMINS}/${reset.id}/reset-password`, { new_password: 'another password' }),
    );
    await expectAlive((await superAdmin(there, { ...reset.credentials, password: 'another password' })).token!);
  });

  test.each([
    ['deleted', (id: string) => root.rest('DELETE', `${ADMINS}/${id}`)],
    [
      'given a new password',
      (id: string) => root.rest('POST', `${ADMINS}/${id}/reset-password`, { new_password: 'another password' }),
    ],
  ])('of every impersonation by a super admin who is %s, wherever it was begun', async (_, harm) => {
    const { id, token } = await otherAdmin();
    const person = await user();
    const begin = async (app: TestApp, path: string, by = token): Promise<string> =>
      (await new Actor(app.url, by).rest('POST', path)).body.token;
    const paths = [`${TENANTS}/${acme.id}/impersonate`, person.path('impersonate')];
    const theirs = await Promise.all([here, there].flatMap((app) => paths.map((path) => begin(app, path))));
    const others = await Promise.all(paths.map((path) => begin(there, path, root.token)));
    await expectDead(theirs, 'UNAUTHENTICATED', () => harm(id));
    await expectAlive(person.token, ...others);
  });

  test('of everything that they made before, however often it happens', async () => {
    const { path, login, token: first } = await user();
    const dead = [first];
    for (let round = 0; round < 3; round++) {
      await expectDead(dead.at(-1)!, 'USER_SUSPENDED', () => root.rest('POST', path('suspend')));
      await root.rest('POST', path('activate'));
      dead.push((await login()).token!);
    }
    await expectAlive(dead.pop()!);
    for (const token of dead) for (const app of [here, there]) expect(await codeOn(app, token)).toBe('UNAUTHENTICATED');
  });

  test('also for a process that starts later', async () => {
    const { token, path } = await user();
    await expectDead(token, 'USER_SUSPENDED', () => root.rest('POST', path('suspend')));
    const late = await startApp({}, here.databaseUrl);
    try {
      expect(await codeOn(late, token)).toBe('USER_SUSPENDED');
    } finally {
      await late.stop();
    }
  });

  test('when twelve are suspended at once', async () => {
    const people = await Promise.all(Array.from({ length: 12 }, () => user()));
    await Promise.all(people.map(({ path }) => root.rest('POST', path('suspend'))));
    const start = performance.now();
    const ask = () => Promise.all([here, there].flatMap((app) => people.map(({ token }) => codeOn(app, token))));
    await eventually(ask, (codes) => codes.every((code) => code === 'USER_SUSPENDED'), WITHIN_MS);
    expect(performance.now() - start).toBeLessThan(2 * WITHIN_MS);
  });

  test('although the connection that tells of it was cut', async () => {
    const { token, path } = await user();
    await expectAlive(token);
    const cut = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'omnistream events' and datname = current_database()`;
    await here.services.control.pool.query(cut);
    await root.rest('POST', path('suspend'));
    for (const app of [here, there]) {
      await eventually(
        () => codeOn(app, token),
        (code) => code === 'USER_SUSPENDED',
        2 * WITHIN_MS,
      );
    }
  });
});

describe('a process that cannot read the event log', () => {
  let entrance: Entrance;
  let deaf: TestApp;
  beforeAll(async () => {
    const through = await entranceTo(here.databaseUrl);
    entrance = through.entrance;
    deaf = await startApp({}, through.url);
  });
  afterAll(async () => {
    entrance?.thaw();
    await deaf?.stop();
    await entrance?.close();
  });
  /** Its connections to PostgreSQL are all well, but the one on which it is told. */
  const goDeaf = () => entrance.freeze('omnistream events');
  const hearAgain = () => entrance.thaw();
  const becomes = (token: string, code: string | undefined) =>
    eventually(
      () => codeOn(deaf, token),
      (found) => found === code,
      20 * WITHIN_MS,
    );

  test('honours no token that it cannot judge, is not ready, and tells a super admin how things stand', async () => {
    const [one, other] = [await user(), await user()];
    const admin = await agent(here, acme.adminEmail, acme.adminPassword);
    const { body: made } = await admin.rest('POST', '/api/api-keys', { name: 'Deaf', scopes: ['logs.view'] });
    const byKey = () => fetch(`${deaf.url}/api/activity-logs`, { headers: { 'x-api-key': made.key } });
    expect((await byKey()).status).toBe(200);
    goDeaf();
    expect((await root.rest('POST', one.path('suspend'))).status).toBe(200);
    const start = performance.now();
    for (let askedAt = start; ; askedAt = performance.now()) {
      const code = await codeOn(deaf, one.token);
      if (code === 'UNAVAILABLE') break;
      expect(code).toBeUndefined();
      expect(askedAt - start).toBeLessThan(WITHIN_MS);
    }
    expect(await codeOn(deaf, other.token)).toBe('UNAVAILABLE');
    const refused = await new Actor(deaf.url, root.token).rest('GET', ADMINS);
    expectError(refused, 503, 'unavailable');
    expect(refused.headers.get('retry-after')).toBe('1');
    expect((await fetch(`${deaf.url}/readyz`)).status).toBe(503);
    expect((await new Actor(deaf.url, root.token).rest('GET', '/api/super-admin/health')).status).toBe(200);
    // The database says whether a key holds.
    expect((await byKey()).status).toBe(200);
    hearAgain();
    await becomes(one.token, 'USER_SUSPENDED');
    expect(await codeOn(deaf, other.token)).toBeUndefined();
    expect((await fetch(`${deaf.url}/readyz`)).status).toBe(200);
  });

  test('makes no impersonation for a super admin whose password was reset a moment ago: it would outlive the reset', async () => {
    for (let known: string | undefined = 'UNAVAILABLE'; known === 'UNAVAILABLE'; ) {
      const admin = await otherAdmin();
      goDeaf();
      await root.rest('POST', `${ADMINS}/${admin.id}/reset-password`, { new_password: 'another password' });
      let made: Awaited<ReturnType<Actor['rest']>>;
      [made, known] = await Promise.all([
        new Actor(deaf.url, admin.token).rest('POST', `${TENANTS}/${acme.id}/impersonate`),
        codeOn(deaf, admin.token),
      ]);
      hearAgain();
      await becomes(admin.token, 'UNAUTHENTICATED');
      // Where the reset took too long it could not be judged any more.
      if (known === 'UNAVAILABLE') continue;
      // It had not heard of it, and let the token in.
      expect(known).toBeUndefined();
      expectError(made, 401, 'unauthenticated');
    }
  });

  test('only because it was held up itself refuses nobody, and lets nobody in who was shut out meanwhile', async () => {
    const [one, other] = [await user(), await user()];
    const answers = () => Promise.all([other.token, one.token].map((token) => codeOn(deaf, token)));
    expect(await answers()).toEqual([undefined, undefined]);
    await root.rest('POST', one.path('suspend'));
    const held = answers();
    const until = performance.now() + 2 * WITHIN_MS;
    while (performance.now() < until);
    expect((await held)[0]).toBeUndefined();
    expect(await answers()).toEqual([undefined, 'USER_SUSPENDED']);
  });
});

test('knowing who asks takes no statement at all', async () => {
  const statements = statementsOf(here);
  const { token } = await user();
  const ask = (query: string, bearer: string) => new Actor(here.url, bearer).graphql(query);
  expect(await statements.during(() => ask('{ __typename }', token))).toEqual([]);
  expect(await statements.during(() => ask('{ systemHealth { status } }', token))).toEqual([]);
  expect(await statements.during(() => new Actor(here.url, token).rest('GET', ADMINS))).toEqual([]);
  expect(await statements.during(() => ask('{ systemHealth { status } }', root.token!))).toEqual([]);
  expect(await statements.during(() => root.rest('GET', ADMINS))).toHaveLength(1);
});
