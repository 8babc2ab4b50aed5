import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { type Actor, agent, anonymous, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { ensureBuilt } from './support/built.ts';
import { sql } from './support/database.ts';
import { runKeys } from './support/gateway-process.ts';
import { closeSockets, follow, socketClient } from './support/sockets.ts';
import { at, type Gateways, inTurn, metric, startGateways } from './support/three-gateways.ts';
import { decode } from './support/tokens.ts';

const preload = fileURLToPath(new URL('./support/shifted-clock.mjs', import.meta.url));
const FIVE_MINUTES = 300_000;
const SHIFTS = [0, FIVE_MINUTES, -FIVE_MINUTES];
const TENANTS = '/api/super-admin/tenants';

let gateways: Gateways;
let admins: Actor[];
let shop: Tenant;
let owners: Actor[];
beforeAll(async () => {
  ensureBuilt();
  gateways = await startGateways(
    {},
    SHIFTS.map((shift) => ({ preload, env: { CLOCK_SHIFT_MS: String(shift) } })),
  );
  // Who is ahead signs them in.
  admins = at(gateways, (await superAdmin(gateways.all[1]!)).token);
  shop = await provision(admins[0]!);
  owners = at(gateways, (await agent(gateways.all[2]!, shop.adminEmail, shop.adminPassword)).token);
});
afterAll(async () => {
  closeSockets();
  await gateways?.stop();
});

const nearly = (time: number | string, wished = Date.now(), ms = 2000) =>
  expect(Math.abs(new Date(time).getTime() - wished)).toBeLessThan(ms);
const statusOf = async (actor: Actor, path: string, headers = {}) =>
  (await actor.rest('GET', path, undefined, headers)).status;

test('a process whose clock is five minutes off says so at /readyz, in metrics and once in its log', async () => {
  const [right, ahead, behind] = gateways.all;
  const notices = async (one: (typeof gateways.all)[number]) =>
    (await anonymous(one).rest('GET', '/readyz')).body.notices;
  expect(await notices(right!)).toEqual([]);
  expect(await notices(ahead!)).toEqual([
    expect.stringMatching(/^The clock of this machine is 300 seconds ahead of .+\.$/),
  ]);
  expect(await notices(behind!)).toEqual([
    expect.stringMatching(/^The clock of this machine is 300 seconds behind .+\.$/),
  ]);
  for (const [index, one] of gateways.all.entries()) {
    expect(Math.abs((await metric(one, 'clock_offset_seconds')) + SHIFTS[index]! / 1000)).toBeLessThan(1);
    expect(one.output().match(/The clock of this machine/g)?.length ?? 0).toBe(index === 0 ? 0 : 1);
  }
});

test('tokens begin now and live as long wherever they are made, and are taken everywhere', async () => {
  for (const gateway of gateways.all) {
    const { token } = await superAdmin(gateway);
    const { iat, exp } = decode(token!).claims;
    nearly(iat * 1000);
    expect(exp - iat).toBe(8 * 3600);
    for (const actor of at(gateways, token)) expect(await statusOf(actor, TENANTS)).toBe(200);
  }
  for (const admin of admins) {
    const { body } = await admin.rest('POST', `${TENANTS}/${shop.id}/impersonate`);
    nearly(decode(body.token).claims.exp * 1000, Date.now() + 15 * 60_000);
    for (const actor of at(gateways, body.token)) expect(await statusOf(actor, '/api/working-hours')).toBe(200);
  }
});

test('an API key ends everywhere at the same moment', async () => {
  const ends = Date.now() + 4000;
  const { body, status } = await owners[1]!.rest('POST', '/api/api-keys', {
    name: 'Short',
    scopes: ['logs.view'],
    expires_at: new Date(ends).toISOString(),
  });
  expect(status).toBe(201);
  const asked = () =>
    Promise.all(at(gateways).map((guest) => statusOf(guest, '/api/activity-logs', { 'x-api-key': body.key })));
  expect(await asked()).toEqual([200, 200, 200]);
  await eventually(asked, (statuses) => statuses.every((one) => one === 401));
  nearly(ends);
});

test('all tell of an opening when it is, and say the same of it before', async () => {
  const opens = DateTime.now().startOf('second').plus({ seconds: 3 });
  const time = (instant: DateTime) => instant.toUTC().toFormat('HH:mm:ss');
  const days = Array.from({ length: 7 }, (_, day) => ({
    day_of_week: day,
    start_time: time(opens),
    end_time: time(opens.plus({ hours: 1 })),
  }));
  expect((await owners[2]!.rest('PUT', '/api/working-hours', { days })).status).toBe(200);
  const said = () =>
    Promise.all(
      at(gateways).map(
        async (guest) => (await guest.rest('GET', `/api/working-hours/status?tenant=${shop.slug}`)).body,
      ),
    );
  const statuses = await eventually(
    said,
    (all) => all.every((one) => Date.parse(one.next_change_at) === opens.toMillis()),
    1500,
  );
  expect(new Set(statuses.map((one) => one.is_working_hours))).toEqual(new Set([false]));
  const followers = gateways.all.map((gateway) =>
    follow(
      socketClient(gateway),
      `subscription { workingHoursStatusChanged(tenant: "${shop.slug}") { sequence status { isWorkingHours localTime } } }`,
    ),
  );
  await Promise.all(followers.map((follower) => follower.untilSeen(({ status }) => status.isWorkingHours)));
  nearly(opens.toMillis(), Date.now(), 1000);
  const opened = followers.map(({ events }) => events.find(({ status }) => status.isWorkingHours));
  expect(new Set(opened.map((event) => JSON.stringify(event)))).toHaveProperty('size', 1);
});

test('what is done through one after the other is written down in that order, at the time that it was', async () => {
  const before = Date.now();
  const next = inTurn(admins);
  const names = Array.from({ length: 9 }, (_, index) => `In order ${index}`);
  for (const name of names) await next().rest('PATCH', `${TENANTS}/${shop.id}`, { name });
  const entries = await sql<{ name: string; at: Date }>(
    gateways.databaseUrl,
    `select after->>'name' as name, created_at as at from audit_entries where after->>'name' like 'In order%' order by id`,
  );
  expect(entries.map(({ name }) => name)).toEqual(names);
  for (const { at: time } of entries) {
    expect(time.getTime()).toBeGreaterThan(before - 1500);
    expect(time.getTime()).toBeLessThan(Date.now() + 1500);
  }
});

test('an answer that was kept by its Idempotency-Key is given by all, for the same day', async () => {
  for (const [index, admin] of admins.entries()) {
    const post = (actor: Actor) =>
      actor.rest(
        'POST',
        '/api/super-admin/admins',
        { email: `k${index}@p.test`, name: 'K', password: 'a password' },
        { 'idempotency-key': `kept-${index}` },
      );
    const first = await post(admin);
    expect(first.status).toBe(201);
    for (const other of admins) expect((await post(other)).body.id).toBe(first.body.id);
  }
  const kept = await sql<{ at: Date }>(gateways.databaseUrl, 'select created_at as at from idempotency_keys');
  for (const { at: time } of kept) nearly(time.getTime(), Date.now(), 10_000);
});

test('a key that was rotated on a machine whose clock is ahead signs in two seconds all the same, everywhere', async () => {
  const env = { ...gateways.env, NODE_OPTIONS: `--import ${preload}`, CLOCK_SHIFT_MS: String(FIVE_MINUTES) };
  expect((await runKeys(env, 'rotate')).code).toBe(0);
  await eventually(
    () => Promise.all(gateways.all.map(async (one) => decode((await superAdmin(one)).token!).header.kid)),
    (kids) => kids.every((kid) => kid !== undefined),
    15_000,
  );
});

test('whoever guesses is sent away for a minute at most, by whichever clock', async () => {
  const guest = inTurn(at(gateways));
  const refused: number[] = [];
  for (let guess = 0; guess < 24 && refused.length < 3; guess++) {
    const { status, headers } = await guest().rest('POST', '/api/auth/login', {
      email: shop.adminEmail,
      password: 'no',
    });
    if (status === 429) refused.push(Number(headers.get('retry-after')));
  }
  expect(refused.length).toBeGreaterThan(0);
  for (const seconds of refused) expect(seconds).toBeLessThanOrEqual(60);
});
