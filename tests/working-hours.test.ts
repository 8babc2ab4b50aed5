import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { timeZoneName } from '../src/time-zones.ts';
import { Actor, agent, pagesOf, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { expectError, expectGraphqlError } from './support/errors.ts';
import { addUser } from './support/tenants.ts';
import { decode } from './support/tokens.ts';

const HOURS = '/api/working-hours';
const ZONE = '/api/settings/timezone';
const NOBODY = '00000000-0000-7000-8000-000000000000';
const UUID = expect.stringMatching(/^[0-9a-f-]{36}$/);
const INSTANT = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

interface Entry {
  id: string;
  day_of_week: number;
  start_time: string;
  end_time: string;
  is_active: boolean;
  updated_at: string;
}

let app: TestApp;
let root: Actor;
let acme: Tenant;
let admin: Actor;
let supervisor: Actor;
let plain: Actor;

beforeAll(async () => {
  app = await startApp();
  root = await superAdmin(app);
  acme = await provision(root);
  const signIn = async (role: string) => {
    const { email } = await addUser(app, acme.id, { email: `${role}@hours.test`, role });
    return agent(app, email, 'a password');
  };
  admin = await agent(app, acme.adminEmail, acme.adminPassword);
  [supervisor, plain] = [await signIn('supervisor'), await signIn('agent')];
});
afterAll(() => app?.stop());

let made = 0;
/** A division of each test's own. */
let division: string;
beforeEach(async () => {
  division = (await admin.rest('POST', '/api/divisions', { name: `Division ${++made}` })).body.id;
});

/** `1 08:00-12:00`, with a `!` behind it where it is inactive. */
const entryOf = (text: string) => {
  const [, day, start_time, end_time, off] = /^(\d) (.+)-(.+?)(!?)$/.exec(text)!;
  return { day_of_week: Number(day), start_time, end_time, is_active: !off };
};
const textOf = ({ day_of_week, start_time, end_time, is_active }: Entry) =>
  `${day_of_week} ${start_time.slice(0, 5)}-${end_time.slice(0, 5)}${is_active ? '' : '!'}`;
const put = (path: string, ...entries: string[]) => admin.rest('PUT', path, { days: entries.map(entryOf) });
const ofDivision = () => `${HOURS}/divisions/${division}`;
const read = async (by = admin): Promise<Entry[]> => (await by.rest('GET', HOURS)).body;
const texts = async () => (await read()).map(textOf);
const rows = <Row>(text: string, values: unknown[] = []) =>
  app.services.tenants.rows<Row>(acme.id, { name: '', text }, values);
/** What a change leaves behind it: entries in the log, versions in the history. */
const traces = async () =>
  (
    await rows<object>(
      'select (select count(*)::int from activity_log) as log, (select count(*)::int from schedule_versions) as versions',
    )
  )[0];
const newest = async () => (await rows<object>('select * from activity_log order by id desc limit 1'))[0];
const USUAL = ['0 08:00-17:00!', ...[1, 2, 3, 4, 5].map((day) => `${day} 08:00-17:00`), '6 08:00-17:00!'];

describe('a new tenant', () => {
  test('is open from Monday to Friday from 08:00 to 17:00, closed on Saturday and Sunday, in UTC', async () => {
    const { status, body } = await admin.rest('GET', HOURS);
    expect([status, body.map(textOf)]).toEqual([200, USUAL]);
    expect(body[0]).toEqual({
      id: UUID,
      day_of_week: 0,
      start_time: '08:00:00',
      end_time: '17:00:00',
      is_active: false,
      created_at: INSTANT,
      updated_at: INSTANT,
    });
    expect((await admin.rest('GET', ZONE)).body).toEqual({ key: 'timezone', value: 'UTC', updated_at: INSTANT });
  });
});

describe('changing hours', () => {
  beforeEach(async () => {
    expect((await put(HOURS, ...USUAL)).status).toBe(200);
  });

  test('replaces the days that are named and leaves the others, byte for byte', async () => {
    const before = await read();
    const { status, body } = await put(HOURS, '3 09:00-12:00', '0 10:00-14:00');
    expect([status, body.map(textOf)]).toEqual([
      200,
      ['0 10:00-14:00', '1 08:00-17:00', '2 08:00-17:00', '3 09:00-12:00', ...USUAL.slice(4)],
    ]);
    expect(await read()).toEqual(body);
    const others = (entries: Entry[]) => entries.filter(({ day_of_week: day }) => day !== 0 && day !== 3);
    expect(others(body)).toEqual(others(before));
  });

  test.each<[what: string, entries: string[], answered?: string[]]>([
    ['split shifts, answered by their starts', ['1 13:00-17:30', '1 08:00-12:00'], ['1 08:00-12:00', '1 13:00-17:30']],
    ['shifts that touch', ['1 08:00-12:00', '1 12:00-17:00']],
    ['a day that is closed', ['1 08:00-17:00!']],
    ['24:00 as the end of the day', ['1 18:00-24:00'], ['1 18:00-00:00']],
    ['24:00:00 as well', ['1 18:00-24:00:00'], ['1 18:00-00:00']],
    ['00:00 as the end of the day', ['1 18:00-00:00']],
    ['all day', ['1 00:00-00:00']],
    ['all day by 24:00', ['1 00:00-24:00'], ['1 00:00-00:00']],
    ['a night', ['1 22:00-06:00']],
    ['a night that runs into the next day where its morning begins', ['1 22:00-08:00', '2 08:00-17:00']],
    ['a night from Saturday into Sunday', ['6 22:00-06:00', '0 06:00-08:00']],
    ['a night into a day that is closed', ['5 22:00-12:00']],
    ['one second', ['1 08:00:00-08:00:01'], ['1 08:00-08:00']],
  ])('takes %s', async (_, entries, answered = entries) => {
    const { status, body } = await put(HOURS, ...entries);
    const days = new Set(entries.map((entry) => entry[0]));
    expect(status).toBe(200);
    const named = body.map(textOf).filter((text: string) => days.has(text[0]!));
    expect(named).toEqual([...answered].sort());
    expect(await read()).toEqual(body);
  });

  test('takes an entry without is_active as active, and over GraphQL too', async () => {
    const { body } = await admin.rest('PUT', HOURS, {
      days: [{ day_of_week: 6, start_time: '09:00', end_time: '10:00' }],
    });
    expect(textOf(body.at(-1))).toBe('6 09:00-10:00');
    const { data } = await admin.graphql(
      `mutation { updateWorkingHours(days: [{ dayOfWeek: 0, startTime: "09:00:30", endTime: "24:00" }]) {
         dayOfWeek startTime endTime isActive divisionId } }`,
    );
    expect(data.updateWorkingHours[0]).toEqual({
      dayOfWeek: 0,
      startTime: '09:00:30',
      endTime: '00:00:00',
      isActive: true,
      divisionId: null,
    });
  });

  test('keeps the ids of what stays, and the times of what is the same', async () => {
    const [, monday] = await read();
    const [, first, second] = (await put(HOURS, '1 08:00-17:00', '1 18:00-20:00')).body;
    expect(first).toEqual(monday);
    const [, moved, kept] = (await put(HOURS, '1 09:00-17:00', '1 18:00-20:00')).body;
    expect([moved.id, moved.start_time, kept]).toEqual([first.id, '09:00:00', second]);
    expect(moved.updated_at > first.updated_at).toBe(true);
    expect((await put(HOURS, '1 18:00-20:00')).body[1]).toEqual(second);
    const both = (await put(HOURS, '1 06:00-07:00', '1 18:00-20:00')).body;
    expect([both[1].id === moved.id, both[2]]).toEqual([false, second]);
  });

  test('writes nothing where nothing changes: no row, no version, no entry in the log', async () => {
    const [before, left] = [await read(), await traces()];
    const { seq } = app.services.bus;
    expect((await put(HOURS, ...USUAL)).body).toEqual(before);
    expect((await put(HOURS, USUAL[3]!)).body).toEqual(before);
    await admin.rest('PUT', ZONE, { timezone: 'UTC' });
    expect([await read(), await traces()]).toEqual([before, left]);
    const events = await app.services.control.pool.query('select from events where seq > $1 and topic = $2', [
      seq,
      'schedule',
    ]);
    expect(events.rowCount).toBe(0);
  });

  test('is one or the other where two that overlap together come at once', async () => {
    const start = performance.now();
    for (let round = 0; round < 25; round++) {
      await put(HOURS, ...USUAL);
      const answers = await Promise.all([put(HOURS, '1 20:00-08:00'), put(HOURS, '2 07:00-17:00')]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
      expectError(answers.find(({ status }) => status === 400)!, 400, 'validation_failed', ['days[0]']);
      const monday = answers[0]!.status === 200;
      const wanted = monday ? USUAL.with(1, '1 20:00-08:00') : USUAL.with(2, '2 07:00-17:00');
      expect(await texts()).toEqual(wanted);
    }
    process.stdout.write(`    measured: 25 rounds of two at once ${Math.round(performance.now() - start)} ms\n`);
  });

  test('of one day by ten at once leaves the whole of one of them', async () => {
    const weeks = Array.from({ length: 10 }, (_, n) => [`1 0${n}:00-0${n}:20`, `1 0${n}:30-0${n}:40`]);
    const answers = await Promise.all(weeks.map((entries) => put(HOURS, ...entries)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(weeks).toContainEqual((await texts()).filter((text) => text.startsWith('1')));
  });

  test('leaves an entry in the activity log that shows both sides of the days that were named', async () => {
    await put(HOURS, '1 09:00-17:00', '2 08:00-17:00');
    const day = (dayOfWeek: number, startTime: string) => ({
      dayOfWeek,
      startTime,
      endTime: '17:00:00',
      isActive: true,
    });
    expect(await newest()).toMatchObject({
      action: 'working_hours.update',
      actor_kind: 'agent',
      actor_email: acme.adminEmail,
      on_behalf_of: null,
      target_id: null,
      before: { days: [day(1, '08:00:00'), day(2, '08:00:00')] },
      after: { days: [day(1, '09:00:00'), day(2, '08:00:00')] },
    });
  });

  test('under an impersonation is logged with both identities', async () => {
    const { token } = (await root.rest('POST', `/api/super-admin/tenants/${acme.id}/impersonate`)).body;
    const behind = { actor_kind: 'super_admin', actor_id: decode(root.token!).claims.sub };
    const both = { ...behind, on_behalf_of: decode(token).claims.sub };
    const impersonated = new Actor(app.url, token);
    expect((await impersonated.rest('PUT', HOURS, { days: [entryOf('1 10:00-11:00')] })).status).toBe(200);
    expect(await newest()).toMatchObject({ action: 'working_hours.update', ...both });
    await impersonated.rest('PUT', ZONE, { timezone: 'Europe/Berlin' });
    expect(await newest()).toMatchObject({
      action: 'timezone.update',
      ...both,
      before: { timezone: 'UTC' },
      after: { timezone: 'Europe/Berlin' },
    });
    await admin.rest('PUT', ZONE, { timezone: 'UTC' });
  });
});

describe("a division's hours", () => {
  test("are the organization's until it has its own, and again when those are removed", async () => {
    const global = { is_override: false, working_hours: await read() };
    expect((await supervisor.rest('GET', ofDivision())).body).toEqual(global);
    const { status, body } = await put(ofDivision(), '1 10:00-12:00', '2 10:00-12:00!');
    expect([status, body.map(textOf)]).toEqual([200, ['1 10:00-12:00', '2 10:00-12:00!']]);
    for (const entry of body) expect(entry.division_id).toBe(division);
    expect((await supervisor.rest('GET', ofDivision())).body).toEqual({ is_override: true, working_hours: body });
    expect({ ...global, working_hours: await read() }).toEqual(global);
    const removed = await supervisor.rest('DELETE', ofDivision());
    expect([removed.status, removed.body]).toEqual([200, { message: 'Override removed' }]);
    expect(await newest()).toMatchObject({
      action: 'working_hours.delete',
      target_type: 'division',
      target_id: division,
    });
    expect((await supervisor.rest('GET', ofDivision())).body).toEqual(global);
    expectError(await supervisor.rest('DELETE', ofDivision()), 404, 'not_found');
  });

  test('named day by day add up; what was never named is closed', async () => {
    await put(ofDivision(), '1 10:00-12:00');
    const { body } = await put(ofDivision(), '3 10:00-12:00');
    expect(body.map(textOf)).toEqual(['1 10:00-12:00', '3 10:00-12:00']);
    const at = (day: number) => `${HOURS}/status?division_id=${division}&at=2030-07-0${day}T11:00:00Z`;
    const open = [];
    for (const day of [1, 2, 3]) open.push((await admin.rest('GET', at(day))).body.is_working_hours);
    expect(open).toEqual([true, false, true]);
  });

  test('do not overlap among themselves, whatever the organization has', async () => {
    expect((await put(ofDivision(), '1 08:30-16:30')).status).toBe(200);
    expectError(await put(ofDivision(), '0 22:00-09:00'), 400, 'validation_failed', ['days[0]']);
  });

  test('are nothing to another tenant, nor to nobody', async () => {
    const other = await provision(root);
    const stranger = await agent(app, other.adminEmail, other.adminPassword);
    await put(ofDivision(), '1 10:00-12:00');
    for (const [by, id] of [
      [stranger, division],
      [admin, NOBODY],
    ] as const) {
      const path = `${HOURS}/divisions/${id}`;
      expectError(await by.rest('GET', path), 404, 'not_found');
      expectError(await by.rest('PUT', path, { days: [entryOf('1 10:00-12:00')] }), 404, 'not_found');
      expectError(await by.rest('DELETE', path), 404, 'not_found');
    }
    const document = 'mutation ($id: UUID!) { deleteDivisionWorkingHours(divisionId: $id) { id } }';
    expectGraphqlError(await stranger.graphql(document, { id: division }), 'NOT_FOUND');
    expect((await admin.graphql(document, { id: division })).data.deleteDivisionWorkingHours).toEqual({ id: division });
  });
});

describe('the list', () => {
  test('comes in pages where that is asked for, with a link to the next one', async () => {
    const whole = await read();
    const pages = await pagesOf<Entry>(admin, `${HOURS}?limit=3`);
    expect([pages.length, pages.flat()]).toEqual([Math.ceil(whole.length / 3), whole]);
    const { data } = await admin.graphql(`{ workingHours(first: 2, after: "${whole[1]!.id}") { id } }`);
    expect(data.workingHours.map(({ id }: Entry) => id)).toEqual([whole[2]!.id, whole[3]!.id]);
    expectError(await admin.rest('GET', `${HOURS}?after=${NOBODY}`), 400, 'validation_failed', ['after']);
    expectError(await admin.rest('GET', `${HOURS}?limit=0`), 400, 'validation_failed', ['limit']);
  });
});

describe('the timezone', () => {
  test.each([
    ['Asia/Jakarta', 'Asia/Jakarta'],
    ['asia/jakarta', 'Asia/Jakarta'],
    ['Asia/Calcutta', 'Asia/Calcutta'],
    ['America/Argentina/ComodRivadavia', 'America/Argentina/ComodRivadavia'],
    ['Etc/GMT+7', 'Etc/GMT+7'],
    ['asia/kolkata', 'Asia/Kolkata'],
    ['utc', 'UTC'],
  ])('may be %s', async (timezone, value) => {
    const { status, body } = await admin.rest('PUT', ZONE, { timezone });
    expect([status, body]).toEqual([200, { key: 'timezone', value, updated_at: INSTANT }]);
    expect((await admin.rest('GET', ZONE)).body).toEqual(body);
    expect((await admin.graphql('{ timezone { key value } }')).data.timezone).toEqual({ key: 'timezone', value });
    expect((await admin.rest('GET', `${HOURS}/status`)).body.timezone).toBe(value);
  });
});

test('every zone that the database server knows by an IANA name may be chosen, and is spelt as it is there', async () => {
  const { rows: known } = await app.services.control.pool.query<{ name: string }>('select name from pg_timezone_names');
  const names = known.map(({ name }) => name).filter((name) => name.includes('/') && !/^(posix|right)\//.test(name));
  expect(names.length).toBeGreaterThan(400);
  for (const spell of [String, (name: string) => name.toLowerCase(), (name: string) => name.toUpperCase()]) {
    expect(names.map((name) => timeZoneName(spell(name)))).toEqual(names);
  }
});

test("whoever may manage divisions may not touch the organization's hours", async () => {
  for (const by of [supervisor, plain]) {
    expectError(await by.rest('GET', HOURS), 403, 'forbidden');
    expectError(await by.rest('PUT', HOURS, { days: [entryOf('1 10:00-11:00')] }), 403, 'forbidden');
    expectError(await by.rest('PUT', ZONE, { timezone: 'UTC' }), 403, 'forbidden');
  }
  expectError(await plain.rest('GET', ofDivision()), 403, 'forbidden');
  expectError(await plain.rest('PUT', ofDivision(), { days: [entryOf('1 10:00-11:00')] }), 403, 'forbidden');
  expect((await supervisor.rest('PUT', ofDivision(), { days: [entryOf('1 10:00-11:00')] })).status).toBe(200);
});
