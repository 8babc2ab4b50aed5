/** That the checker of `npm run chaos` finds secrets where nobody is to find one, and not where they belong. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { ADMIN_PASSWORD, type Installation } from '../chaos/installation.ts';
import { leaks } from '../chaos/leaks.ts';
import { startApp, type TestApp } from './support/app.ts';
import { SUPER_ADMIN } from './support/super-admin.ts';

let app: TestApp;
let client: pg.Client;
beforeAll(async () => {
  // With the hash of the first super admin's password, where it belongs.
  app = await startApp();
  client = new pg.Client({ connectionString: app.databaseUrl });
  await client.connect();
  await client.query('create table planted (note text, kept jsonb)');
});
afterAll(async () => {
  await client.end();
  await app.stop();
});

const found = (logs = '', refusals: string[] = []) =>
  leaks(client, { databaseUrl: app.databaseUrl, logs, refusals } as Installation, [['the password of a role', 'r0le']]);

test('nothing is found where nothing was left', async () => {
  expect(await found()).toEqual([]);
});

const hash = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g';
test.each([
  ["a tenant admin's password", () => ADMIN_PASSWORD],
  ["the super admin's password", () => SUPER_ADMIN.password],
  ["the password of the server's superuser", () => decodeURIComponent(new URL(app.databaseUrl).password)],
  ['the password of a role', () => 'r0le'],
  ['the hash of a password', () => hash],
  ['a token', () => `${btoa('{"alg":"HS256"}')}.${btoa('{"sub":"somebody"}')}.c2lnbmF0dXJl`],
])('%s is found in a table, in a log and in an answer', async (what, secret) => {
  const text = `before ${secret()} after`;
  expect(await found(text)).toEqual([`${what} stands in a log`]);
  expect(await found('', ['{}', text])).toEqual([`${what} stands in an answer that refuses something`]);
  for (const row of [
    [text, null],
    [null, JSON.stringify({ text })],
  ]) {
    await client.query('insert into planted values ($1, $2)', row);
    expect(await found()).toEqual([`${what} stands in public.planted`]);
    await client.query('delete from planted');
  }
});

test('the hash of a password is found beside the column that is made for it', async () => {
  await client.query('update super_admins set name = $1', [hash]);
  expect(await found()).toEqual(['the hash of a password stands in public.super_admins']);
});
