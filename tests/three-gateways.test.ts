import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import {
  type Actor,
  agent,
  anonymous,
  Actor as Caller,
  eventually,
  provision,
  superAdmin,
  type Tenant,
} from './support/actors.ts';
import { ensureBuilt } from './support/built.ts';
import { expectNothingWrong } from './support/checker.ts';
import { sql } from './support/database.ts';
import { type GatewayProcess, runKeys } from './support/gateway-process.ts';
import { newAddress, send } from './support/http.ts';
import { provisionMany, took } from './support/many-tenants.ts';
import { bearer, closeSockets, follow, socketClient } from './support/sockets.ts';
import { at, eventsAfter, type Gateways, inTurn, startGateways } from './support/three-gateways.ts';
import { decode } from './support/tokens.ts';

const TENANTS = '/api/super-admin/tenants';
const USERS = '/api/super-admin/users';
/** Contract section 2, "Tokens"; an edit of hours is seen as soon. */
const WITHIN_MS = 1000;

let gateways: Gateways;
/** The same super admin at each. */
let admins: Actor[];
let next: () => Actor;
let shop: Tenant;
/** The shop's admin at each. */
let owners: Actor[];
beforeAll(async () => {
  ensureBuilt();
  // Who leads is told at level info.
  gateways = await startGateways({ RATE_LIMITS: 'export=3', LOG_LEVEL: 'info' });
  const { token } = await superAdmin(gateways.all[0]!);
  admins = at(gateways, token);
  next = inTurn(admins);
  shop = await provision(admins[0]!);
  owners = at(gateways, (await agent(gateways.all[1]!, shop.adminEmail, shop.adminPassword)).token);
});
afterAll(async () => {
  closeSockets();
  await gateways?.stop();
});

/** Until all three answer so, which has to be within a second. */
async function everywhere<T>(actors: Actor[], ask: (actor: Actor) => Promise<T>, wished: (answer: T) => boolean) {
  await Promise.all(actors.map((actor) => eventually(() => ask(actor), wished, WITHIN_MS)));
}
const answered = (ask: (actor: Actor) => Promise<{ status: number }>) => async (actor: Actor) =>
  (await ask(actor)).status;

describe('three gateways behind a balancer that goes round', () => {
  test('tell every follower of every change once and in order, whichever of them made it', async () => {
    const followers = gateways.all.map((gateway) =>
      follow(
        socketClient(gateway, bearer(admins[0]!)),
        'subscription { tenantChanged { sequence kind tenant { name } } }',
      ),
    );
    await Promise.all(followers.map((follower) => follower.until(1)));
    const start = Math.max(...followers.map(({ events }) => events[0].sequence));
    const names = Array.from({ length: 12 }, (_, index) => `Renamed ${index}`);
    for (const name of names) await next().rest('PATCH', `${TENANTS}/${shop.id}`, { name });
    const log = (await eventsAfter(gateways.databaseUrl, 'tenant', start)).map(({ seq }) => seq);
    expect(log).toHaveLength(names.length);
    for (const follower of followers) {
      await follower.until(1 + names.length, WITHIN_MS);
      const told = follower.events.slice(1);
      expect(told.map(({ sequence }) => sequence)).toEqual(log);
      expect(told.map(({ tenant }) => tenant.name)).toEqual(names);
      follower.stop();
    }
  });

  test('show a change at once, wherever it is read next', async () => {
    for (let round = 0; round < 6; round++) {
      const name = `Seen ${round}`;
      await next().rest('PATCH', `${TENANTS}/${shop.id}`, { name });
      for (const reader of [next(), next()]) {
        expect((await reader.rest('GET', `${TENANTS}/${shop.id}`)).body.name).toBe(name);
        expect((await reader.graphql(`{ tenant(id: "${shop.id}") { name } }`)).data.tenant.name).toBe(name);
      }
    }
  });

  test('let nobody in within a second of their being shut out, whichever was told', async () => {
    const { body: user } = await owners[0]!.rest('POST', '/api/agents', {
      email: 'out@shop.test',
      full_name: 'Out',
      password: 'a password',
      role: 'agent',
    });
    const theirs = at(gateways, (await agent(gateways.all[2]!, 'out@shop.test', 'a password')).token);
    const me = answered((actor) => actor.rest('GET', '/api/auth/sessions'));
    for (const actor of theirs) expect(await me(actor)).toBe(200);
    const start = performance.now();
    expect((await admins[1]!.rest('POST', `${USERS}/${user.id}/suspend?tenant_id=${shop.id}`)).status).toBe(200);
    await everywhere(theirs, me, (status) => status !== 200);
    took('until all three shut them out', performance.now() - start);
  });

  test('go by the newest rights, and know a suspended tenant for one, within a second', async () => {
    const { body: role } = await owners[0]!.rest('POST', '/api/roles', { name: 'Reader', permissions: ['logs.view'] });
    await owners[0]!.rest('POST', '/api/agents', {
      email: 'reader@shop.test',
      full_name: 'Reader',
      password: 'a password',
      role: 'reader',
    });
    const theirs = at(gateways, (await agent(gateways.all[0]!, 'reader@shop.test', 'a password')).token);
    const logs = answered((actor) => actor.rest('GET', '/api/activity-logs'));
    for (const actor of theirs) expect(await logs(actor)).toBe(200);
    expect((await owners[1]!.rest('PATCH', `/api/roles/${role.id}`, { permissions: [] })).status).toBe(200);
    await everywhere(theirs, logs, (status) => status === 403);

    const doomed = await provision(next());
    const guests = at(gateways);
    const open = answered((actor) => actor.rest('GET', `/api/working-hours/status?tenant=${doomed.slug}`));
    for (const guest of guests) expect(await open(guest)).toBe(200);
    await admins[2]!.rest('DELETE', `${TENANTS}/${doomed.id}`);
    await everywhere(guests, open, (status) => status === 404);
  });

  test('know new hours within a second, and tell of an opening once each, at the same moment by the same number', async () => {
    const opens = DateTime.now().startOf('second').plus({ seconds: 3 });
    const time = (instant: DateTime) => instant.toUTC().toFormat('HH:mm:ss');
    const HOURS = `subscription { workingHoursStatusChanged(tenant: "${shop.slug}") { sequence status { isWorkingHours } } }`;
    const followers = gateways.all.map((gateway) => follow(socketClient(gateway), HOURS));
    await Promise.all(followers.map((follower) => follower.until(1)));
    const days = Array.from({ length: 7 }, (_, day) => ({
      day_of_week: day,
      start_time: time(opens),
      end_time: time(opens.plus({ hours: 2 })),
    }));
    expect((await owners[1]!.rest('PUT', '/api/working-hours', { days })).status).toBe(200);
    await everywhere(
      at(gateways),
      (guest) => guest.rest('GET', `/api/working-hours/status?tenant=${shop.slug}`),
      ({ body }) => Date.parse(body.next_change_at) === opens.toMillis(),
    );
    await Promise.all(followers.map((follower) => follower.untilSeen(({ status }) => status.isWorkingHours)));
    const late = Date.now() - opens.toMillis();
    took('the opening, after it', late);
    expect(late).toBeLessThan(WITHIN_MS);
    // One that is told twice comes with the next timer or the next event.
    await sleep(500);
    const [first, ...others] = followers.map(({ events }) => events.slice(-1));
    for (const other of others) expect(other).toEqual(first);
    for (const { events } of followers) expect(events.filter(({ status }) => status.isWorkingHours)).toHaveLength(1);
  });

  test('do once what comes to all of them at once with one Idempotency-Key', async () => {
    const post = (actor: Actor) =>
      actor.rest('POST', TENANTS, { name: 'Once', slug: 'once' }, { 'idempotency-key': 'three-at-once' });
    const answers = await Promise.all([...admins, ...admins, ...admins].map(post));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.id}`))).toEqual(
      new Set([`201 ${answers[0]!.body.id}`]),
    );
    const replayed = answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true');
    expect(replayed).toHaveLength(answers.length - 1);
    expect(await sql(gateways.databaseUrl, `select from organizations where name = 'Once'`)).toHaveLength(1);
  });

  test('count guesses at a password together', async () => {
    const guest = inTurn(at(gateways));
    const statuses: number[] = [];
    for (let guess = 0; guess < 7; guess++) {
      const { status } = await guest().rest('POST', '/api/auth/login', { email: shop.adminEmail, password: 'not it' });
      statuses.push(status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
  });

  test('without Redis count requests each for itself', async () => {
    const from = newAddress();
    const gateway = inTurn(gateways.all);
    const statuses: number[] = [];
    for (let request = 0; request < 12; request++) {
      const { status } = await send(gateway().url, 'GET', '/api/activity-logs/export', { from });
      statuses.push(status);
    }
    expect(statuses).toEqual([...Array(9).fill(401), 429, 429, 429]);
  });

  test('sign with a new key before long, and refuse no token of either meanwhile', async () => {
    const rotated = runKeys(gateways.env, 'rotate');
    const seen = new Set<string | undefined>();
    const signIn = inTurn(gateways.all);
    const tokens: string[] = [];
    await eventually(
      async () => {
        const { token } = await superAdmin(signIn());
        tokens.push(token!);
        seen.add(decode(token!).header.kid);
        for (const actor of at(gateways, token))
          expect(await answered((one) => one.rest('GET', TENANTS))(actor)).toBe(200);
        const lately = tokens.slice(-3).map((one) => decode(one).header.kid);
        return lately.length === 3 && lately.every((kid) => kid !== undefined && kid === lately[0]);
      },
      (all) => all,
      20_000,
    );
    expect((await rotated).code).toBe(0);
    expect(seen.size).toBe(2);
  });

  test('write down when an API key was last used, whichever it was used at', async () => {
    const { body: made } = await owners[0]!.rest('POST', '/api/api-keys', { name: 'Used', scopes: ['logs.view'] });
    expect(made.last_used_at ?? null).toBeNull();
    const before = Date.now();
    for (const guest of at(gateways)) {
      expect((await guest.rest('GET', '/api/activity-logs', undefined, { 'x-api-key': made.key })).status).toBe(200);
    }
    const used = await eventually(
      async () =>
        (await owners[2]!.rest('GET', '/api/api-keys')).body.find(({ id }: { id: string }) => id === made.id)
          .last_used_at as string | null,
      (time) => Boolean(time),
    );
    expect(Math.abs(Date.parse(used!) - before)).toBeLessThan(10_000);
  });

  test('make each tenant once, also when the one that does the periodic work is killed in the midst of it; its history of health goes on without a gap or a double', async () => {
    const LEADS = 'this process does the periodic work';
    const leader = gateways.all.find((gateway) => gateway.output().includes(LEADS))!;
    const others = gateways.all.filter((gateway) => gateway !== leader);
    const admin = new Caller(others[0]!.url, admins[0]!.token);
    const { done } = provisionMany(admin, 12, 'job');
    await done;
    await leader.end('SIGKILL');
    await eventually(async () => others.some((gateway) => gateway.output().includes(LEADS)), Boolean);
    await eventually(
      async () => (await admin.rest('GET', TENANTS)).body as { status: string }[],
      (tenants) => tenants.every(({ status }) => status !== 'provisioning'),
      30_000,
    );
    await expectNothingWrong(gateways.databaseUrl);
    const activated = await sql<{ times: number }>(
      gateways.databaseUrl,
      `select count(*)::int as times from audit_entries where action = 'tenant.activate' group by org_id`,
    );
    expect(new Set(activated.map(({ times }) => times))).toEqual(new Set([1]));
    // A sample by whoever leads now.
    const samples = () =>
      sql<{ slot: number; components: number; samples: number }>(
        gateways.databaseUrl,
        `select floor(extract(epoch from at) / 15)::int as slot, count(*)::int as samples,
                count(distinct component)::int as components
           from health_samples group by slot order by slot`,
      );
    const killed = (await samples()).at(-1)!.slot;
    const all = await eventually(samples, (rows) => rows.at(-1)!.slot > killed, 20_000);
    expect(all.map(({ slot }) => slot - all[0]!.slot)).toEqual(all.map((_, index) => index));
    for (const { samples: taken, components } of all) expect(taken).toBe(components);
  });

  test('replace a leader that is frozen within fifteen seconds', async () => {
    const LEADS = 'this process does the periodic work';
    const living = gateways.all.filter((one) => alive(one));
    const count = (one: GatewayProcess) => one.output().split(LEADS).length - 1;
    const leader = living.find((one) => count(one) > 0)!;
    const other = living.find((one) => one !== leader)!;
    process.kill(leader.pid, 'SIGSTOP');
    const start = performance.now();
    try {
      await eventually(
        async () => count(other),
        (times) => times > 0,
        15_000,
      );
      took('until a frozen leader is replaced', performance.now() - start);
    } finally {
      process.kill(leader.pid, 'SIGCONT');
    }
    // And whoever comes back leads no more, and serves.
    expect((await anonymous(leader).rest('GET', '/api/health')).status).toBe(200);
    await eventually(async () => leader.output().includes('the leader connection was lost'), Boolean);
  });
});

function alive({ pid }: GatewayProcess): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
