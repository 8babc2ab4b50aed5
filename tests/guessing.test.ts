import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createLog } from '../src/log.ts';
import { type Actor, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { SUPER_ADMIN, startApp, type TestApp } from './support/app.ts';
import { sql } from './support/database.ts';
import { expectError } from './support/errors.ts';
import { newAddress, sendJson } from './support/http.ts';
import { addUser } from './support/tenants.ts';

const LOGIN = '/api/auth/login';
const PLATFORM_LOGIN = '/api/super-admin/login';

let app: TestApp;
let admin: Actor;
let acme: Tenant;
let zenith: Tenant;
/** Suspended itself. */
let shut: Tenant;
/** The address of somebody who is suspended. */
let suspended: string;
/** What the gateway logs of errors. */
const told: { level: number; msg: string; requestId?: string; err?: object }[] = [];

beforeAll(async () => {
  const log = createLog('error', { write: (line) => void told.push(JSON.parse(line)) });
  app = await startApp({}, undefined, log);
  admin = await superAdmin(app);
  [acme, zenith, shut] = await Promise.all([provision(admin), provision(admin), provision(admin)]);
  const { id, email } = await addUser(app, acme.id, { email: 'suspended@acme.test' });
  suspended = email;
  const shutting = [
    await admin.rest('POST', `/api/super-admin/users/${id}/suspend?tenant_id=${acme.id}`),
    await admin.rest('DELETE', `/api/super-admin/tenants/${shut.id}`),
  ];
  expect(shutting.map(({ status }) => status)).toEqual([200, 200]);
});
afterAll(() => app?.stop());

/** Each test comes from addresses where nobody has been. */
let here: string;
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

/** A way in. Its answer has, besides the bytes, what was in them. */
type Way = (email: string, password: string, from: string) => ReturnType<typeof sendJson>;
const byRest =
  (path: string): Way =>
  (email, password, from) =>
    sendJson(app.url, 'POST', path, { email, password }, { from });
const byGraphql =
  (mutation: string): Way =>
  (email, password, from) => {
    const query = `mutation ($email: String!, $password: String!) { ${mutation}(email: $email, password: $password) { token } }`;
    return sendJson(app.url, 'POST', '/graphql', { query, variables: { email, password } }, { from });
  };

/** Addresses that somebody has. */
const ofPeople = () => ({ known: acme.adminEmail, suspended, 'of a suspended tenant': shut.adminEmail });
const ofPlatform = () => ({ known: SUPER_ADMIN.email });

describe.each<[string, Way, () => Record<string, string>]>([
  ["a tenant's people, by REST", byRest(LOGIN), ofPeople],
  ["a tenant's people, by GraphQL", byGraphql('login'), ofPeople],
  ['super admins, by REST', byRest(PLATFORM_LOGIN), ofPlatform],
  ['super admins, by GraphQL', byGraphql('superAdminLogin'), ofPlatform],
])('of %s: a wrong password, whoever has the address, and an unknown address', (_, way, taken) => {
  test('get the same answer', async () => {
    const tell = async (email: string, password: string) => {
      const { status, headers, text, body } = await way(email, password, newAddress());
      expect((body.errors?.[0].extensions ?? body).code.toLowerCase()).toBe('unauthenticated');
      const id = headers.get('x-request-id')!;
      expect(text).toContain(id);
      const told = [...headers].filter(([name]) => !['x-request-id', 'date'].includes(name));
      return { status, told, text: text.replaceAll(id, 'an id') };
    };
    const unknown = await tell('nobody@nowhere.test', 'not the password');
    for (const email of ['nobody@nowhere.test', ...Object.values(taken())]) {
      for (const password of ['not the password', '']) {
        expect({ email, ...(await tell(email, password)) }).toEqual({ email, ...unknown });
      }
    }
  });

  test('take the same time', async () => {
    const kinds = ['unknown', ...Object.keys(taken())].map((kind) => ({ kind, took: [] as number[] }));
    for (let round = 0; round < 15; round++) {
      for (const { kind, took } of kinds) {
        const email = taken()[kind] ?? `nobody${round}@nowhere.test`;
        const start = performance.now();
        await way(email, 'not the password', newAddress());
        took.push(performance.now() - start);
      }
    }
    // Not the median: what else the machine does makes some slower, none quicker.
    const quartiles = kinds.map(({ took }) => took.sort((a, b) => a - b)[took.length >> 2]!);
    expect(Math.max(...quartiles) / Math.min(...quartiles)).toBeLessThan(1.6);
  });
});

test('the right password at a tenant that is not theirs is a wrong one', async () => {
  const unknown = await login('nobody@nowhere.test', 'x', { tenant: acme.slug });
  for (const tenant of [zenith.slug, 'gone']) {
    const answer = await login(acme.adminEmail, acme.adminPassword, { tenant }, newAddress());
    expectError(answer, 401, 'unauthenticated');
    expect(answer.body.error).toBe(unknown.body.error);
  }
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
    expectError(await wrong(acme, newAddress()), 401, 'unauthenticated');
    // As if a hundred had failed from twenty addresses.
    await sql(app.databaseUrl, `update rate_limits set points = 100 where key like 'account:%'`);
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

  test('at many accounts from one address is slowed as well', async () => {
    const guesses = Array.from({ length: 66 }, (_, n) => login(`person${n}@acme.test`, 'not the password'));
    const refused = (await Promise.all(guesses)).filter(({ status }) => status !== 401);
    expect(refused).toHaveLength(6);
    for (const answer of refused) expectError(answer, 429, 'rate_limited');
    expect((await right(zenith, newAddress())).status).toBe(200);
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
  });

  test('is not helped by letters that some rule of Unicode brings to other ones', async () => {
    for (const [email, letter] of [
      [acme.adminEmail.replace('i', '\u0130'), 'i'],
      [acme.adminEmail.replace('n', '\uff4e'), 'n'],
    ]) {
      expect(acme.adminEmail).toContain(letter);
      expectError(await login(email!, acme.adminPassword, {}, newAddress()), 400, 'validation_failed', ['email']);
    }
    const dotted = { email: 'admİn@platform.test', password: SUPER_ADMIN.password };
    await admin.rest('POST', '/api/super-admin/admins', { ...dotted, email: 'admin@platform.test', name: 'Admin' });
    const answer = await sendJson(app.url, 'POST', PLATFORM_LOGIN, dotted, { from: newAddress() });
    expectError(answer, 400, 'validation_failed', ['email']);
  });

  test('a super admin password is slowed in the same way', async () => {
    const guess = (password: string, from = here) =>
      sendJson(app.url, 'POST', PLATFORM_LOGIN, { email: SUPER_ADMIN.email, password }, { from });
    for (let n = 0; n < 5; n++) expectError(await guess('not the password'), 401, 'unauthenticated');
    expectError(await guess(SUPER_ADMIN.password), 429, 'rate_limited');
    expect((await guess(SUPER_ADMIN.password, newAddress())).status).toBe(200);
  });

  test('leaves an entry in the audit log where it comes to be refused, not one for each refusal', async () => {
    const refusedFrom = (address: string) =>
      sql(
        app.databaseUrl,
        `select action, org_id, actor_kind, actor_email from audit_entries
          where address = $1 and after ->> 'reason' = 'rate_limited' order by id`,
        [address],
      );
    const anonymous = { actor_kind: 'anonymous', actor_email: acme.adminEmail };
    const [known, shared, at] = [newAddress(), newAddress(), newAddress()];
    for (const from of [here, known]) {
      if (from === known) await right(acme, known);
      for (let guess = 0; guess < 9; guess++) await wrong(acme, from);
      expect(await refusedFrom(from)).toEqual([{ action: 'user.login_failed', org_id: acme.id, ...anonymous }]);
    }
    for (let n = 0; n < 9; n++)
      await sendJson(app.url, 'POST', '/api/super-admin/login', { ...SUPER_ADMIN, password: 'no' }, { from: at });
    expect(await refusedFrom(at)).toMatchObject([{ action: 'super_admin.login_failed', org_id: null }]);
    // Over the limit of its own address nobody fills the log with the names of others.
    for (let n = 0; n < 62; n++) await login(`person${n}@nowhere.test`, 'no', {}, shared);
    for (let n = 0; n < 40; n++) await login(`another${n % 4}@nowhere.test`, 'no', {}, shared);
    expect(await refusedFrom(shared)).toMatchObject([{ org_id: null, actor_email: 'person60@nowhere.test' }]);
  });

  test.each([
    ["a tenant's people", LOGIN, () => acme.adminEmail],
    ['super admins', PLATFORM_LOGIN, () => SUPER_ADMIN.email],
  ])('of %s is refused as ever where that entry cannot be written, and the log says so', async (_, path, email) => {
    const guess = () => sendJson(app.url, 'POST', path, { email: email(), password: 'no' }, { from: here });
    for (let n = 0; n < 5; n++) expectError(await guess(), 401, 'unauthenticated');
    const refuse = "alter table audit_entries add constraint refused check (after ->> 'reason' is null) not valid";
    await sql(app.databaseUrl, refuse);
    try {
      told.length = 0;
      const answer = await guess();
      expectError(answer, 429, 'rate_limited');
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(told).toMatchObject([{ msg: expect.stringMatching(/not in the audit log/), err: { code: '23514' } }]);
      expect(told[0]!.requestId).toBe(answer.headers.get('x-request-id'));
      expect(JSON.stringify(told)).not.toContain(email());
    } finally {
      await sql(app.databaseUrl, 'alter table audit_entries drop constraint refused');
    }
    expectError(await guess(), 429, 'rate_limited');
  });
});

test('ten thousand guesses from one address let none through, and the owner comes in from another', async () => {
  const tries = 10_000;
  const codes = new Map<number, number>();
  const began = Date.now();
  for (let done = 0; done < tries; done += 200) {
    const answers = await Promise.all(Array.from({ length: 200 }, () => wrong()));
    for (const { status } of answers) codes.set(status, (codes.get(status) ?? 0) + 1);
  }
  const minutes = Math.floor((Date.now() - began) / 60_000);
  expect((codes.get(401) ?? 0) + (codes.get(429) ?? 0)).toBe(tries);
  expect(codes.get(401)).toBeLessThanOrEqual(5 * (minutes + 1));
  // Not even the right one is let through, in a minute that is not about to end.
  await eventually(wrong, ({ status, headers }) => status === 429 && Number(headers.get('retry-after')) > 10, 30_000);
  const lucky = await Promise.all(Array.from({ length: 10 }, () => right()));
  expect(lucky.map(({ status }) => status)).toEqual(Array(10).fill(429));
  expect((await right(acme, newAddress())).status).toBe(200);
});
