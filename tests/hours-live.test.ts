import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Client } from 'graphql-ws';
import { DateTime } from 'luxon';
import { type Actor, agent, anonymous, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startTwoApps, type TwoApps } from './support/app.ts';
import { sql } from './support/database.ts';
import { closeSockets, follow, socketClient } from './support/sockets.ts';

let apps: TwoApps;
let root: Actor;
/** Anybody: the hours of a business are open to all. */
let here: Client;
let there: Client;

beforeAll(async () => {
  apps = await startTwoApps();
  root = await superAdmin(apps.here);
  here = socketClient(apps.here);
  there = socketClient(apps.there);
});
afterAll(async () => {
  closeSockets();
  await apps.stop();
});

const HOURS = `subscription ($tenant: String, $division: UUID, $after: Sequence) {
  workingHoursStatusChanged(tenant: $tenant, divisionId: $division, after: $after) {
    sequence kind status { isWorkingHours localTime nextChangeAt explanation timezone }
  }
}`;

interface Business {
  tenant: Tenant;
  admin: Actor;
}

async function business(): Promise<Business> {
  const tenant = await provision(root);
  return { tenant, admin: await agent(apps.here, tenant.adminEmail, tenant.adminPassword) };
}

/** Hours of every day that open or close in so many seconds, to the second, UTC. */
const week = (start: DateTime, end: DateTime) => ({
  days: Array.from({ length: 7 }, (_, day) => ({
    day_of_week: day,
    start_time: start.toUTC().toFormat('HH:mm:ss'),
    end_time: end.toUTC().toFormat('HH:mm:ss'),
  })),
});
const put = ({ admin }: Business, body: unknown) => admin.rest('PUT', '/api/working-hours', body);
const inSeconds = (seconds: number) => DateTime.now().startOf('second').plus({ seconds });

describe('workingHoursStatusChanged', () => {
  test('tells how it stands, then opening and closing within 250 ms of the boundary, on every gateway', async () => {
    const shop = await business();
    const opens = inSeconds(3);
    const closes = opens.plus({ seconds: 2 });
    await put(shop, week(opens, closes));
    const arrivals = new Map<unknown, number>();
    const followers = [here, there].map((client) => follow(client, HOURS, { tenant: shop.tenant.slug }));
    await Promise.all(followers.map((follower) => follower.until(1)));
    for (const { events } of followers) {
      expect(events[0]).toMatchObject({ kind: 'SNAPSHOT', status: { isWorkingHours: false } });
      const { push } = events;
      events.push = (event) => {
        arrivals.set(event, Date.now());
        return push.call(events, event);
      };
    }
    const boundaries = [opens, closes];
    for (const follower of followers) {
      const [, opened, closed] = await follower.until(3);
      expect([opened.status.isWorkingHours, closed.status.isWorkingHours]).toEqual([true, false]);
      [opened, closed].forEach((event, index) => {
        expect(DateTime.fromISO(event.status.localTime).toMillis()).toBe(boundaries[index]!.toMillis());
        const late = arrivals.get(event)! - boundaries[index]!.toMillis();
        expect(late).toBeGreaterThanOrEqual(0);
        expect(late).toBeLessThan(250);
      });
    }
    // The same events on both, by number too.
    expect(followers[0]!.events.slice(1)).toEqual(followers[1]!.events.slice(1));
  });

  test('tells after every edit, on every gateway, and follows the new hours from then on', async () => {
    const shop = await business();
    const followers = [here, there].map((client) => follow(client, HOURS, { tenant: shop.tenant.slug }));
    await Promise.all(followers.map((follower) => follower.until(1)));
    await put(shop, week(inSeconds(-3600), inSeconds(3)));
    // Edits that come at once may be told as one.
    await Promise.all(followers.map((follower) => follower.until(2)));
    await shop.admin.rest('PUT', '/api/settings/timezone', { timezone: 'Etc/UTC' });
    for (const follower of followers) {
      const [, open, moved, closed] = await follower.until(4);
      expect(open).toMatchObject({ kind: 'CHANGE', status: { isWorkingHours: true } });
      expect(moved.status.timezone).toBe('Etc/UTC');
      expect(closed.status.isWorkingHours).toBe(false);
    }
  });

  test('whoever comes back is told the boundaries and edits that they missed, once, in order', async () => {
    const shop = await business();
    await put(shop, week(inSeconds(-3600), inSeconds(4)));
    const first = follow(here, HOURS, { tenant: shop.tenant.slug });
    const [snapshot] = await first.until(1);
    const all = follow(there, HOURS, { tenant: shop.tenant.slug });
    await all.until(1);
    first.stop();
    await all.until(2);
    await put(shop, week(inSeconds(-60), inSeconds(4)));
    const seen = (await all.until(4)).slice(1);
    expect(seen.map(({ status }) => status.isWorkingHours)).toEqual([false, true, false]);
    const back = follow(here, HOURS, { tenant: shop.tenant.slug, after: snapshot.sequence });
    const missed = await back.until(3);
    const flips = (events: typeof seen) => events.map(({ kind, status }) => [kind, status.isWorkingHours]);
    expect(flips(missed)).toEqual(flips(seen));
    // Boundaries have the same number whoever tells of them, and whenever.
    expect(missed[0].sequence).toBe(seen[0].sequence);
    expect(missed[2].sequence).toBe(seen[2].sequence);
    await sleep(300);
    expect(back.events).toHaveLength(3);
    const none = follow(here, HOURS, { tenant: shop.tenant.slug, after: missed[2].sequence });
    await sleep(300);
    expect([none.events, none.errors]).toEqual([[], []]);
  });

  test('an `after` of the future is refused, one of long ago told as what holds now', async () => {
    const { tenant } = await business();
    const [{ sequence }] = await follow(here, HOURS, { tenant: tenant.slug }).until(1);
    for (const after of [sequence + 1000, sequence * 3]) {
      const future = follow(here, HOURS, { tenant: tenant.slug, after });
      await future.ended;
      expect(future.errors[0].extensions.code).toBe('VALIDATION_FAILED');
    }
    const [event] = await follow(here, HOURS, { tenant: tenant.slug, after: 0 }).until(1);
    expect(event.kind).toBe('RESET');
  });

  test("a division's own hours are told to its followers alone; with the division the telling ends", async () => {
    const { tenant, admin } = await business();
    const { body: division } = await admin.rest('POST', '/api/divisions', { name: 'Sales' });
    const whole = follow(here, HOURS, { tenant: tenant.slug });
    const part = follow(there, HOURS, { tenant: tenant.slug, division: division.id });
    await Promise.all([whole.until(1), part.until(1)]);
    await admin.rest('PUT', `/api/working-hours/divisions/${division.id}`, week(inSeconds(-60), inSeconds(600)));
    expect((await part.until(2))[1].status).toMatchObject({
      isWorkingHours: true,
      explanation: expect.stringContaining('Sales'),
    });
    await admin.rest('DELETE', `/api/divisions/${division.id}`);
    await part.ended;
    expect(whole.events).toHaveLength(1);
  });

  test('a tenant that is suspended is followed no more', async () => {
    const { tenant } = await business();
    const follower = follow(there, HOURS, { tenant: tenant.slug });
    await follower.until(1);
    await root.rest('DELETE', `/api/super-admin/tenants/${tenant.id}`);
    await follower.ended;
    const after = follow(here, HOURS, { tenant: tenant.slug });
    await after.ended;
    expect(after.errors[0].extensions.code).toBe('NOT_FOUND');
  });

  test('a boundary is told that passes before the hours can be read, where the database is away for a moment', async () => {
    const shop = await business();
    const opens = inSeconds(2);
    await put(shop, week(opens, opens.plus({ hours: 1 })));
    const { schedules } = apps.here.services;
    const read = schedules.now.bind(schedules);
    let times = 0;
    const asked = jest.spyOn(schedules, 'now').mockImplementation(async (orgId) => {
      // First the follower is let in, then the hours are watched.
      if (orgId === shop.tenant.id && ++times === 2) throw new Error('the database is away');
      return read(orgId);
    });
    await sleep(opens.toMillis() - Date.now() - 500);
    const follower = follow(here, HOURS, { tenant: shop.tenant.slug });
    await follower.untilSeen(({ status }) => status.isWorkingHours);
    asked.mockRestore();
  });

  test('whoever leaves twice, as one does that is cut off and then closed, takes nobody along who came in between', async () => {
    const { tenant, admin } = await business();
    const { hoursWatch } = apps.here.services;
    const leave = hoursWatch.listen(tenant.id, null, { tell() {}, end() {} });
    leave();
    const follower = follow(here, HOURS, { tenant: tenant.slug });
    await follower.until(1);
    leave();
    await put({ tenant, admin }, week(inSeconds(-60), inSeconds(600)));
    await follower.until(2);
  });
});

test('a change of hours that cannot be told stands and is answered so; others are told as soon as they can be', async () => {
  const shop = await business();
  const { databaseUrl } = apps.here;
  const follower = follow(there, HOURS, { tenant: shop.tenant.slug });
  await follower.until(1);
  await sql(
    databaseUrl,
    `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no room'; end $$`,
  );
  const refuse = `before insert on events for each row when (new.topic = 'schedule') execute function refuse()`;
  await sql(databaseUrl, `create trigger refuse_schedules ${refuse}`);
  try {
    const always = { start_time: '00:00', end_time: '00:00' };
    const days = Array.from({ length: 7 }, (_, day) => ({ day_of_week: day, ...always }));
    expect((await put(shop, { days })).status).toBe(200);
    const { body } = await anonymous(apps.here).rest('GET', `/api/working-hours/status?tenant=${shop.tenant.slug}`);
    expect(body).toMatchObject({ is_working_hours: true });
    expect(body).not.toHaveProperty('next_change_at');
  } finally {
    await sql(databaseUrl, 'drop trigger refuse_schedules on events');
  }
  await follower.untilSeen(({ kind, status }) => kind === 'CHANGE' && status.nextChangeAt === null);
});
