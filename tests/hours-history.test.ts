import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Actor, agent, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { serverUrl, sql } from './support/database.ts';
import { expectError, expectGraphqlError } from './support/errors.ts';
import { addUser } from './support/tenants.ts';

const HOURS = '/api/working-hours';
const EXCEPTIONS = `${HOURS}/exceptions`;

let app: TestApp;
let acme: Tenant;
let admin: Actor;
let plain: Actor;
let database: string;
/** Divisions: one that had hours of its own for a while, one that was removed. */
let sales: string;
let closed: string;

/** Runs a change that answers well, as if it had been made at an instant of the past. @returns its answer's body. */
async function back(instant: string, method: string, path: string, body?: unknown) {
  const [last] = await sql<{ seq: string }>(database, 'select max(seq) as seq from schedule_versions');
  const answer = await admin.rest(method, path, body);
  expect([200, 201]).toContain(answer.status);
  await moveBack(instant, last!.seq);
  return answer.body;
}
async function moveBack(instant: string, after: string) {
  const moved = await sql(database, 'update schedule_versions set valid_from = $1 where seq > $2 returning seq', [
    instant,
    after,
  ]);
  expect(moved).toHaveLength(1);
  app.services.schedules.forget(acme.id);
}
const days = (...entries: [day_of_week: number, start_time: string, end_time: string][]) => ({
  days: entries.map(([day_of_week, start_time, end_time]) => ({ day_of_week, start_time, end_time })),
});
const everyDay = (start: string, end: string) =>
  days(...[0, 1, 2, 3, 4, 5, 6].map((day): [number, string, string] => [day, start, end]));

/** The year 2026 as it was lived: the seventh tenth of it is history, in UTC until May. */
beforeAll(async () => {
  app = await startApp();
  const root = await superAdmin(app);
  acme = await provision(root);
  database = serverUrl(app.services.servers.home.nameFor(acme.id));
  admin = await agent(app, acme.adminEmail, acme.adminPassword);
  const { email } = await addUser(app, acme.id, { email: 'plain@history.test' });
  plain = await agent(app, email, 'a password');

  await moveBack('2026-01-01T00:00:00Z', '0');
  sales = (await back('2026-01-05T00:00:00Z', 'POST', '/api/divisions', { name: 'Sales' })).id;
  closed = (await back('2026-01-06T00:00:00Z', 'POST', '/api/divisions', { name: 'Closed down' })).id;
  await back('2026-02-01T00:00:00Z', 'PUT', `${HOURS}/divisions/${sales}`, everyDay('20:00', '22:00'));
  // A Monday, in the middle of the working day.
  await back('2026-03-02T11:00:00Z', 'PUT', HOURS, days([1, '10:00', '12:00']));
  await back('2026-04-01T00:00:00Z', 'DELETE', `${HOURS}/divisions/${sales}`);
  await back('2026-05-01T00:00:00Z', 'PUT', '/api/settings/timezone', { timezone: 'Asia/Jakarta' });
  const holiday = { name: 'Retreat', start_date: '2026-06-02', end_date: '2026-07-31' };
  const { id } = await back('2026-07-01T00:00:00Z', 'POST', EXCEPTIONS, holiday);
  await back('2026-07-20T00:00:00Z', 'DELETE', `${EXCEPTIONS}/${id}`);
  await back('2026-08-01T00:00:00Z', 'PATCH', `/api/divisions/${sales}`, {
    timezone: 'Europe/Berlin',
    name: 'Vertrieb',
  });
  await back('2026-09-01T00:00:00Z', 'DELETE', `/api/divisions/${closed}`);
});
afterAll(() => app?.stop());

const statusAt = async (at: string, division?: string) =>
  (await plain.rest('GET', `${HOURS}/status?at=${at}${division ? `&division_id=${division}` : ''}`)).body;
const minutesBetween = async (from: string, to: string, division?: string) =>
  (
    await plain.rest(
      'GET',
      `${HOURS}/minutes-between?from=${from}&to=${to}${division ? `&division_id=${division}` : ''}`,
    )
  ).body.minutes;
const addMinutes = async (at: string, minutes: number, division?: string) =>
  (
    await plain.rest(
      'GET',
      `${HOURS}/add-minutes?at=${at}&minutes=${minutes}${division ? `&division_id=${division}` : ''}`,
    )
  ).body.at;

describe('an instant of the past is judged by what held then', () => {
  test.each<[what: string, at: string, open: boolean, timezone?: string]>([
    ['before all that is known, by what is known first', '2025-06-02T09:00:00Z', true],
    ['on a Monday before the change', '2026-02-23T14:00:00Z', true],
    ['a moment before the change', '2026-03-02T10:59:59.999Z', true],
    ['at the change, which then has a shorter Monday', '2026-03-02T11:00:00Z', true],
    ['after it', '2026-03-02T12:00:00Z', false],
    ['on a day that it did not name', '2026-03-03T16:00:00Z', true],
    ['before the zone was changed', '2026-04-30T16:59:59Z', true],
    ['after the zone was changed', '2026-05-04T03:30:00Z', true, 'Asia/Jakarta'],
    ['after it, by the old zone', '2026-05-05T16:00:00Z', false, 'Asia/Jakarta'],
    ['on a day of a holiday that nobody had thought of yet', '2026-06-02T03:00:00Z', true, 'Asia/Jakarta'],
    ['on a day of the holiday', '2026-07-07T03:00:00Z', false, 'Asia/Jakarta'],
    ['on a day of the holiday once that was removed', '2026-07-21T03:00:00Z', true, 'Asia/Jakarta'],
  ])('%s', async (_, at, open, timezone = 'UTC') => {
    const status = await statusAt(at);
    expect([status.is_working_hours, status.timezone]).toEqual([open, timezone]);
  });

  test.each<[what: string, at: string, open: boolean, timezone: string]>([
    ["before it was made, by the organization's hours", '2026-01-02T09:00:00Z', true, 'UTC'],
    ['before it had hours of its own', '2026-01-12T09:00:00Z', true, 'UTC'],
    ['while it had', '2026-02-02T09:00:00Z', false, 'UTC'],
    ['while it had, in the evening', '2026-02-01T21:00:00Z', true, 'UTC'],
    ["while it had, whatever became of the organization's", '2026-03-09T21:00:00Z', true, 'UTC'],
    ['once they were removed', '2026-04-06T11:00:00Z', true, 'UTC'],
    ['once they were removed, in the evening', '2026-04-06T21:00:00Z', false, 'UTC'],
    ["in the organization's new zone", '2026-05-05T03:00:00Z', true, 'Asia/Jakarta'],
    ['in a zone of its own', '2026-08-04T14:30:00Z', true, 'Europe/Berlin'],
  ])('of a division %s', async (_, at, open, timezone) => {
    const status = await statusAt(at, sales);
    expect([status.is_working_hours, status.timezone]).toEqual([open, timezone]);
  });

  test('of a division by the name that it had', async () => {
    expect((await statusAt('2026-07-28T03:00:00Z', sales)).explanation).toContain('division Sales,');
    expect((await statusAt('2026-08-04T14:30:00Z', sales)).explanation).toContain('division Vertrieb,');
  });

  test('of a division that is no more, as long as it was', async () => {
    expect((await statusAt('2026-08-31T03:30:00Z', closed)).is_working_hours).toBe(true);
    for (const at of ['2026-09-02T03:30:00Z', '2031-01-01T00:00:00Z']) {
      expectError(await plain.rest('GET', `${HOURS}/status?division_id=${closed}&at=${at}`), 404, 'not_found');
    }
  });
});

describe('working time counts each moment by the schedule of then', () => {
  test.each<[what: string, from: string, to: string, minutes: number]>([
    ['a day', '2026-02-24T00:00:00Z', '2026-02-25T00:00:00Z', 540],
    ['the Monday of the change: 3 hours before it, 1 after it', '2026-03-02T00:00:00Z', '2026-03-03T00:00:00Z', 240],
    ['the Monday a week later', '2026-03-09T00:00:00Z', '2026-03-10T00:00:00Z', 120],
    ['a week around the change', '2026-02-26T00:00:00Z', '2026-03-05T00:00:00Z', 2 * 540 + 240 + 2 * 540],
    // Thursday 08–17 UTC; then Friday 08–17 in Jakarta, where it is 07:00 at midnight.
    ['the change of the zone', '2026-04-30T00:00:00Z', '2026-05-02T00:00:00Z', 540 + 540],
    ['the last days before the holiday and its first', '2026-06-29T17:00:00Z', '2026-07-02T17:00:00Z', 540],
    ['all of the holiday', '2026-07-02T00:00:00Z', '2026-07-20T00:00:00Z', 0],
    ['nothing', '2026-03-02T11:00:00Z', '2026-03-02T11:00:00Z', 0],
    ['half a minute', '2026-02-24T09:00:00Z', '2026-02-24T09:00:30Z', 0.5],
  ])('between two instants: %s', async (_, from, to, minutes) => {
    expect(await minutesBetween(from, to)).toBe(minutes);
    const document = 'query ($from: DateTime!, $to: DateTime!) { businessMinutesBetween(from: $from, to: $to) }';
    expect((await plain.graphql(document, { from, to })).data.businessMinutesBetween).toBe(minutes);
  });

  test.each<[at: string, minutes: number, ends: string]>([
    ['2026-03-02T08:00:00Z', 180, '2026-03-02T11:00:00.000Z'],
    ['2026-03-02T08:00:00Z', 200, '2026-03-02T11:20:00.000Z'],
    ['2026-03-02T08:00:00Z', 240, '2026-03-02T12:00:00.000Z'],
    ['2026-03-02T08:00:00Z', 241, '2026-03-03T08:01:00.000Z'],
    ['2026-04-30T16:00:00Z', 61, '2026-05-01T01:01:00.000Z'],
    ['2026-06-30T09:00:00Z', 61, '2026-07-20T00:00:00.000Z'],
    ['2026-03-01T12:00:00Z', 0, '2026-03-01T12:00:00.000Z'],
  ])('from %s on, %i minutes', async (at, minutes, ends) => {
    const counted = await addMinutes(at, minutes);
    if (ends.startsWith('2026-07-20')) expect(Date.parse(counted)).toBeGreaterThan(Date.parse(ends));
    else expect(counted).toBe(ends);
    // And back: so much has passed by then.
    expect(await minutesBetween(at, counted)).toBe(minutes);
  });

  test('of a division: through its own hours, and out of them', async () => {
    // 31 January is a Saturday; then every evening; from 1 April on the organization's Wednesday.
    expect(await minutesBetween('2026-01-30T00:00:00Z', '2026-02-02T00:00:00Z', sales)).toBe(540 + 120);
    expect(await minutesBetween('2026-03-31T00:00:00Z', '2026-04-02T00:00:00Z', sales)).toBe(120 + 540);
    expect(await addMinutes('2026-03-31T21:00:00Z', 90, sales)).toBe('2026-04-01T08:30:00.000Z');
  });

  test('adds up, wherever it is cut', async () => {
    const [from, to] = [Date.parse('2026-02-20T00:00:00Z'), Date.parse('2026-09-10T00:00:00Z')];
    const text = (ms: number) => new Date(ms).toISOString();
    for (const division of [undefined, sales]) {
      const whole = await minutesBetween(text(from), text(to), division);
      for (let part = 1; part < 20; part++) {
        const cut = text(from + Math.floor(((to - from) * part) / 20 / 1000) * 1000);
        const parts =
          (await minutesBetween(text(from), cut, division)) + (await minutesBetween(cut, text(to), division));
        expect(Math.abs(parts - whole)).toBeLessThan(1e-6);
      }
    }
  });
});

describe('of a division that is no more, working time', () => {
  test('is told as long as the answer lies before its end', async () => {
    // A Monday in Jakarta; the division was removed on the first of September.
    expect(await addMinutes('2026-08-31T03:00:00Z', 30, closed)).toBe('2026-08-31T03:30:00.000Z');
    expect(await minutesBetween('2026-08-31T03:00:00Z', '2026-08-31T03:30:00Z', closed)).toBe(30);
    for (const path of [
      `add-minutes?at=2026-08-31T03:00:00Z&minutes=6000`,
      `add-minutes?at=2026-09-02T03:00:00Z&minutes=0`,
      `minutes-between?from=2026-08-31T03:00:00Z&to=2026-09-02T03:00:00Z`,
    ]) {
      expectError(await plain.rest('GET', `${HOURS}/${path}&division_id=${closed}`), 404, 'not_found');
    }
  });
});

describe('coming changes', () => {
  test('are listed by their instants, openings and closings in turn', async () => {
    const { status, body } = await plain.rest('GET', `${HOURS}/changes?at=2030-01-07T03:30:00Z&count=4`);
    expect([status, body]).toEqual([
      200,
      [
        { at: '2030-01-07T05:00:00.000Z', is_working_hours: false },
        { at: '2030-01-08T01:00:00.000Z', is_working_hours: true },
        { at: '2030-01-08T10:00:00.000Z', is_working_hours: false },
        { at: '2030-01-09T01:00:00.000Z', is_working_hours: true },
      ],
    ]);
    expect((await plain.rest('GET', `${HOURS}/changes`)).body).toHaveLength(10);
    const of = (await plain.rest('GET', `${HOURS}/changes?at=2030-01-07T03:30:00Z&count=1&division_id=${sales}`)).body;
    expect(of).toEqual([{ at: '2030-01-07T09:00:00.000Z', is_working_hours: true }]);
    expectError(await plain.rest('GET', `${HOURS}/changes?division_id=${closed}`), 404, 'not_found');
  });
});

describe('a preview', () => {
  const preview = async (body: object) => {
    const { status, body: answer } = await plain.rest('POST', `${HOURS}/preview`, {
      from: '2026-11-21T00:00:00Z',
      ...body,
    });
    expect(status).toBe(200);
    return answer;
  };
  const { days: week } = everyDay('08:00', '17:00');

  test.each<[kind: string, entry: number | undefined, body: object, reason: RegExp]>([
    [
      'dst_gap',
      1,
      { timezone: 'Europe/Berlin', ...days([1, '08:00', '17:00'], [0, '02:10', '02:50']) },
      /does not open at all on 2027-03-28/,
    ],
    ['dst_gap', 0, { timezone: 'Europe/Berlin', ...days([0, '02:30', '12:00']) }, /opens at 03:00 on 2027-03-28/],
    ['short_hole', 0, days([1, '08:00', '23:59'], [2, '00:00', '08:00']), /Closed for 60 seconds/],
    ['short_hole', 0, days([6, '08:00', '23:59:59'], [0, '00:00', '08:00']), /Closed for 1 seconds/],
    [
      'overlap',
      1,
      days([1, '08:00', '12:00'], [1, '11:00', '17:00']),
      /Monday 11:00–17:00 overlaps Monday 08:00–12:00/,
    ],
    [
      'overlap',
      1,
      days([6, '22:00', '02:00'], [0, '01:00', '03:00']),
      /Sunday 01:00–03:00 overlaps Saturday 22:00–02:00/,
    ],
    ['never_open', undefined, { days: [] }, /never open/],
    ['never_open', undefined, { days: week.map((entry) => ({ ...entry, is_active: false })) }, /never open/],
  ])('warns of %s at %p', async (kind, entry, body, reason) => {
    const { warnings } = await preview(body);
    expect(warnings).toEqual([{ kind, message: expect.stringMatching(reason), ...(entry !== undefined && { entry }) }]);
  });

  test('of a good week warns of nothing, and takes the rest as it stands', async () => {
    expect(await preview({ days: week, count: 2 })).toEqual({
      changes: [
        { at: '2026-11-21T01:00:00.000Z', is_working_hours: true },
        { at: '2026-11-21T10:00:00.000Z', is_working_hours: false },
      ],
      open_hours_per_week: 63,
      warnings: [],
    });
    expect((await preview({ timezone: 'UTC', count: 1 })).changes).toEqual([
      { at: '2026-11-23T10:00:00.000Z', is_working_hours: true },
    ]);
    const exceptions = [
      { name: 'Fair', start_date: '2026-11-21', hours: [{ start_time: '12:00', end_time: '13:00' }] },
    ];
    expect((await preview({ exceptions, count: 1 })).changes[0].at).toBe('2026-11-21T05:00:00.000Z');
    expect((await preview({ division_id: sales, count: 1 })).changes[0].at).toBe('2026-11-23T09:00:00.000Z');
  });

  test('changes nothing', async () => {
    const read = async () => [
      (await admin.rest('GET', HOURS)).body,
      await sql(database, 'select (select count(*) from schedule_versions), (select count(*) from activity_log)'),
    ];
    const before = await read();
    await preview({ timezone: 'Europe/Berlin', days: [], exceptions: [] });
    expect(await read()).toEqual(before);
  });

  test('of a division that is not there, or backwards, is refused', async () => {
    expectError(await plain.rest('POST', `${HOURS}/preview`, { division_id: closed }), 404, 'not_found');
    const exceptions = [{ name: 'Fair', start_date: '2026-11-21', end_date: '2026-11-20' }];
    expectError(await plain.rest('POST', `${HOURS}/preview`, { exceptions }), 400, 'validation_failed', [
      'exceptions[0].end_date',
    ]);
    const [hour, later] = [
      { start_time: '09:00', end_time: '11:00' },
      { start_time: '10:00', end_time: '12:00' },
    ];
    const fair = { name: 'Fair', start_date: '2026-11-21' };
    for (const [field, ...refused] of [
      ['exceptions[0].end_date', { ...fair, start_date: '1970-01-01', end_date: '2199-12-31', yearly: true }],
      ['exceptions[0].end_date', { ...fair, end_date: '2027-11-22' }],
      ['exceptions[0].end_date', { ...fair, end_date: '2027-11-20', yearly: true }],
      ['exceptions[0].hours[1]', { ...fair, hours: [hour, later] }],
      ['exceptions[1].start_date', fair, { ...fair, name: 'Other' }],
    ] as const) {
      const answer = await plain.rest('POST', `${HOURS}/preview`, { exceptions: refused });
      expectError(answer, 400, 'validation_failed', [field]);
    }
    const document =
      'query ($input: WorkingHoursPreviewInput!) { workingHoursPreview(input: $input) { warnings { kind } } }';
    expectGraphqlError(await plain.graphql(document, { input: { count: 0 } }), 'VALIDATION_FAILED', ['count']);
    expect((await plain.graphql(document, { input: { days: [] } })).data.workingHoursPreview).toEqual({
      warnings: [{ kind: 'NEVER_OPEN' }],
    });
  });
});

test('a long history is read as far as the answer goes', async () => {
  const read: number[] = [];
  const { tenants, schedules } = app.services;
  const rows = tenants.rows.bind(tenants);
  const spy = jest.spyOn(tenants, 'rows').mockImplementation(async (...asked: Parameters<typeof rows>) => {
    const found = await rows(...asked);
    if (asked[1].name.startsWith('schedules_')) read.push(found.length);
    return found;
  });
  await sql(
    database,
    `insert into schedule_versions (division_id, valid_from, schedule)
       select null, timestamptz '2027-02-01' + n * interval '1 hour', schedule
         from generate_series(1, 300) n, (select schedule from schedule_versions where division_id is null
                                           order by seq desc limit 1) newest`,
  );
  schedules.forget(acme.id);
  expect(await minutesBetween('2027-02-01T00:00:00Z', '2027-02-20T00:00:00Z')).toBe(3 * 120 + 12 * 540);
  expect(Math.max(...read)).toBeLessThanOrEqual(3);
  expect(read.reduce((sum, count) => sum + count)).toBeGreaterThan(300);
  read.length = 0;
  expect(await addMinutes('2027-02-02T01:00:00Z', 1)).toBe('2027-02-02T01:01:00.000Z');
  expect(read.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(4);
  read.length = 0;
  // The same state of the past, and another one.
  for (const minute of [10, 11, 12]) await statusAt(`2027-02-03T03:${minute}:00Z`);
  expect(read).toHaveLength(1);
  await statusAt('2027-02-03T04:10:00Z');
  expect(read).toHaveLength(2);
  spy.mockRestore();
});

test('working time that takes more than ten years is never reached', async () => {
  await admin.rest('PUT', HOURS, {
    days: everyDay('08:00', '17:00').days.map((entry) => ({ ...entry, is_active: false })),
  });
  const { status, body } = await plain.rest('GET', `${HOURS}/add-minutes?at=2027-01-01T00:00:00Z&minutes=1`);
  expect([status, body]).toEqual([200, {}]);
  const { data } = await plain.graphql('{ addBusinessMinutes(at: "2027-01-01T00:00:00Z", minutes: 1) }');
  expect(data).toEqual({ addBusinessMinutes: null });
  expect((await plain.rest('GET', `${HOURS}/changes`)).body).toEqual([]);
});
