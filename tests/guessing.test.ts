import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Actor, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { SUPER_ADMIN, startApp, type TestApp } from './support/app.ts';
import { sql } from './support/database.ts';
import { expectError } from './support/errors.ts';
import { newAddress, sendJson } from './support/http.ts';

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

describe('a wrong password and an unknown address', () => {
  test('get the same answer', async () => {
    const answers = [
      await wrong(),
      await login('nobody@nowhere.test', 'not the password'),
      await login('nobody@nowhere.test', ''),
      await login('nobody@nowhere.test', 'x', { tenant: 'gone' }),
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
    const answer = await sendJson(app.url, 'POST', '/api/super-admin/login', dotted, { from: newAddress() });
    expectError(answer, 400, 'validation_failed', ['email']);
  });

  test('a super admin password is slowed in the same way', async () => {
    const guess = (password: string, from = here) =>
      sendJson(app.url, 'POST', '/api/super-admin/login', { email: SUPER_ADMIN.email, password }, { from });
    for (let n = 0; n < 5; n++) expectError(await guess('not the password'), 401, 'unauthenticated');
    expectError(await guess(SUPER_ADMIN.password), 429, 'rate_limited');
    expect((await guess(SUPER_ADMIN.password, newAddress())).status).toBe(200);
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
