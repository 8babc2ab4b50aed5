import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Actor } from './support/actors.ts';
import { calendar } from './support/calendars.ts';
import { expectError, expectGraphqlError } from './support/errors.ts';
import { EXCEPTIONS, entry, HOURS, IMPORT, type KeptHours, startKeptHours, ZONE } from './support/kept-hours.ts';

let kept: KeptHours;
let admin: Actor;
let sales: string;
let full: string;
let leapDay: string;
let refused: KeptHours['refused'];

beforeAll(async () => {
  kept = await startKeptHours();
  ({ admin, sales, full, leapDay, refused } = kept);
});
afterAll(() => kept?.app.stop());
/** Whatever was sent, everything is as it was. */
afterEach(() => kept.expectUntouched());

describe('a timezone is refused', () => {
  const zones = [
    '+07:00',
    'UTC+7',
    'GMT+7',
    'asia',
    '',
    ' ',
    'IST',
    'WIB',
    'PST',
    'local',
    'Mars/Base',
    'Asia/Jakarta ',
  ]
    .concat(['Asia/', '/Asia/Jakarta', '../UTC', 'Etc/Unknown', 'US/Pacific-New', 'Asia/Jakarta\0', 'x'.repeat(5000)])
    .concat(['SystemV/EST5', 'posix/UTC', 'right/UTC', 'Asia/Jakarta; drop table settings']);
  test.each(zones)('%j', async (timezone) => {
    await refused('PUT', ZONE, { timezone }, ['timezone']);
    await refused('POST', `${HOURS}/preview`, { timezone }, ['timezone']);
    const document = 'mutation ($timezone: String!) { updateTimezone(timezone: $timezone) { value } }';
    expectGraphqlError(await admin.graphql(document, { timezone }), 'VALIDATION_FAILED', ['timezone']);
  });

  test.each([[null], [7], [true], [['UTC']], [{ name: 'UTC' }]])('%j', async (timezone) => {
    await refused('PUT', ZONE, { timezone }, ['timezone']);
  });

  test('that is missing, misspelt, or not alone', async () => {
    await refused('PUT', ZONE, {}, ['timezone']);
    await refused('PUT', ZONE, { timeZone: 'UTC' }, ['timeZone', 'timezone']);
    await refused('PUT', ZONE, { timezone: 'UTC', value: 'UTC' }, ['value']);
    await refused('PUT', ZONE, ['UTC'], ['body']);
  });
});

describe('an entry of the week is refused', () => {
  const good = entry(2, '08:00', '17:00');
  const times = [
    '25:00',
    '8',
    '8:00',
    '08:61',
    '23:59:60',
    ' 08:00',
    '08:00 ',
    '08:00Z',
    '08:00+07:00',
    '0800',
    '',
    'noon',
  ];
  const cases: [what: string, days: unknown, fields: string[], reason?: RegExp][] = [
    ...times.concat('08:00:00.5', '-1:00', '٠٨:٠٠').flatMap((time): (typeof cases)[number][] => [
      [`start ${JSON.stringify(time)}`, [entry(2, time, '18:00')], ['days[0].start_time']],
      [`end ${JSON.stringify(time)}`, [entry(2, '07:00', time)], ['days[0].end_time']],
    ]),
    ['start "24:00"', [entry(2, '24:00', '17:00')], ['days[0].start_time'], /00:00 to 23:59:59/],
    ['end "24:01"', [entry(2, '08:00', '24:01')], ['days[0].end_time']],
    ['start null', [entry(2, null, '17:00')], ['days[0].start_time']],
    ['start 8', [entry(2, 8, '17:00')], ['days[0].start_time']],
    ...[7, -1, 1.5, '1', null, [1], 1e9].map((day): (typeof cases)[number] => [
      `day ${JSON.stringify(day)}`,
      [good, entry(day, '08:00', '17:00')],
      ['days[1].day_of_week'],
    ]),
    ['is_active "yes"', [entry(2, '08:00', '17:00', { is_active: 'yes' })], ['days[0].is_active']],
    ['equal times', [entry(2, '08:00', '08:00')], ['days[0].end_time'], /must differ/],
    ['equal times, one with seconds', [entry(2, '08:00:00', '08:00')], ['days[0].end_time']],
    ['the same one twice', [good, good], ['days[1]'], /Tuesday 08:00–17:00 overlaps days\[0\], Tuesday 08:00–17:00/],
    ['one inside another', [good, entry(2, '09:00', '10:00')], ['days[1]'], /09:00–10:00 overlaps days\[0\]/],
    ['an overlap by a second', [good, entry(2, '16:59:59', '18:00')], ['days[1]']],
    ['an overlap of one that is closed', [good, entry(2, '09:00', '10:00', { is_active: false })], ['days[1]']],
    ['all day and another', [entry(2, '00:00', '00:00'), good], ['days[1]']],
    ['an overlap past midnight', [entry(1, '20:00', '09:00'), good], ['days[1]'], /Monday 20:00–09:00/],
    [
      "an overlap past the week's end",
      [entry(6, '20:00', '09:00'), entry(0, '08:00', '9:00'.padStart(5, '0'))],
      ['days[1]'],
    ],
    [
      'an overlap with an evening that stands',
      [entry(4, '01:00', '05:00')],
      ['days[0]'],
      /stands, Wednesday 22:00–02:00/,
    ],
    [
      'an overlap with a Saturday night that stands',
      [entry(0, '01:00', '03:00')],
      ['days[0]'],
      /stands, Saturday 22:00–02:00/,
    ],
    ['an overlap with a morning that stands', [entry(0, '22:00', '09:00')], ['days[0]'], /stands, Monday 08:00–17:00/],
    ['an unknown field', [{ ...good, name: 'x' }], ['days[0].name']],
    [
      'camel case',
      [{ dayOfWeek: 1, start_time: '08:00', end_time: '09:00' }],
      ['days[0].dayOfWeek', 'days[0].day_of_week'],
    ],
    ['no day', [{ start_time: '08:00', end_time: '17:00' }], ['days[0].day_of_week']],
    ['none at all', [], ['days']],
    ['an object', { 0: good }, ['days']],
    ['null', null, ['days']],
    ['null among them', [good, null], ['days[1]']],
    ['169 of them', Array.from({ length: 169 }, (_, n) => entry(n % 7, '08:00', '09:00')), ['days'], /at most 168/],
  ];
  test.each(cases)('%s', async (_, days, fields, reason = /\S/) => {
    expect(await refused('PUT', HOURS, { days }, fields)).toMatch(reason);
  });

  test("that overlaps among a division's own, and nothing of the rest is saved", async () => {
    const days = [entry(2, '08:00', '09:00'), entry(1, '08:00', '12:00'), entry(1, '11:00', '13:00')];
    await refused('PUT', `${HOURS}/divisions/${sales}`, { days }, ['days[2]']);
    await refused('PUT', `${HOURS}/divisions/${sales}`, { days: [entry(0, '22:00', '09:30')] }, ['days[0]']);
  });

  test('in a body that is a list, a text or nothing', async () => {
    for (const body of [[good], '"x"', 'null', '{}']) {
      await refused('PUT', HOURS, body, [body === '{}' ? 'days' : 'body']);
    }
    await refused('PUT', HOURS, { days: [good], day: 1 }, ['day']);
  });

  test('over GraphQL by the same rules', async () => {
    const document = 'mutation ($days: [WorkingHoursEntryInput!]!) { updateWorkingHours(days: $days) { id } }';
    const tuesday = { dayOfWeek: 2, startTime: '08:00', endTime: '17:00' };
    for (const [change, field] of [
      [{ startTime: '24:00' }, 'days[1].startTime'],
      [{ dayOfWeek: 7 }, 'days[1].dayOfWeek'],
      [{ endTime: '08:00' }, 'days[1].endTime'],
      [{ startTime: '16:00' }, 'days[1]'],
      [{ dayOfWeek: 4, startTime: '01:00' }, 'days[1]'],
    ] as const) {
      const answer = await admin.graphql(document, { days: [tuesday, { ...tuesday, ...change }] });
      expectGraphqlError(answer, 'VALIDATION_FAILED', [field]);
    }
    expectGraphqlError(await admin.graphql(document, { days: [] }), 'VALIDATION_FAILED', ['days']);
  });
});

describe('an exception is refused', () => {
  const one = { name: 'X', start_date: '2027-05-03' };
  const shift = (start_time: string, end_time: string) => ({ start_time, end_time });
  const cases: [what: string, change: object, fields: string[], reason?: RegExp][] = [
    ['without a name', { name: undefined }, ['name']],
    ['with an empty name', { name: ' ' }, ['name']],
    ['without a start', { start_date: undefined }, ['start_date']],
    ['on a day that is none', { start_date: '2026-02-30' }, ['start_date']],
    ['on 29 February of a common year', { start_date: '2027-02-29' }, ['start_date']],
    ['on a day spelt otherwise', { start_date: '3.5.2027' }, ['start_date']],
    ['at an instant', { start_date: '2027-05-03T00:00:00Z' }, ['start_date']],
    ['in 1969', { start_date: '1969-12-31' }, ['start_date']],
    ['in 2200', { end_date: '2200-01-01' }, ['end_date']],
    ['that ends before it starts', { end_date: '2027-05-02' }, ['end_date'], /before 2027-05-03/],
    ['of 367 days', { end_date: '2028-05-03' }, ['end_date'], /within 366 days/],
    ['of a whole year, each year', { yearly: true, end_date: '2028-05-01' }, ['end_date'], /within 364 days/],
    ['that is yearly by the word', { yearly: 'true' }, ['yearly']],
    ['on a day that another one covers', { start_date: '2026-06-03' }, ['start_date'], /"Move" covers 2026-06-03/],
    ['around another one', { start_date: '2026-05-01', end_date: '2026-07-01' }, ['start_date'], /"Move"/],
    ['once on a day of a yearly one', { start_date: '2031-12-26' }, ['start_date'], /"Christmas" covers 2031-12-26/],
    ['each year on a day of one of once', { start_date: '2020-06-02', yearly: true }, ['start_date'], /"Move"/],
    [
      'each year on a day of another',
      { start_date: '2027-12-20', end_date: '2028-01-02', yearly: true },
      ['start_date'],
    ],
    [
      'once on a leap day that comes back',
      { start_date: '2028-02-29' },
      ['start_date'],
      /"Leap day" covers 2028-02-29/,
    ],
    [
      'each year on the leap day',
      { start_date: '2028-02-29', yearly: true },
      ['start_date'],
      /"Leap day" covers 02-29/,
    ],
    [
      'each year across the leap day',
      { start_date: '2021-02-20', end_date: '2021-03-05', yearly: true },
      ['start_date'],
    ],
    [
      'with hours that overlap',
      { hours: [shift('08:00', '12:00'), shift('11:00', '13:00')] },
      ['hours[1]'],
      /overlaps hours\[0\]/,
    ],
    [
      'with a night that runs into its own next day',
      { end_date: '2027-05-04', hours: [shift('20:00', '09:00'), shift('08:00', '10:00')] },
      ['hours[1]'],
    ],
    ['with equal times', { hours: [shift('08:00', '08:00')] }, ['hours[0].end_time']],
    ['with a time that is none', { hours: [shift('24:00', '08:00')] }, ['hours[0].start_time']],
    ['with 25 stretches', { hours: Array.from({ length: 25 }, () => shift('08:00', '09:00')) }, ['hours']],
    ['with hours that are null', { hours: null }, ['hours']],
    ['with an unknown field', { closed: true }, ['closed']],
    ['of a division that is no id', { division_id: 'sales' }, ['division_id']],
  ];
  test.each(cases)('%s', async (_, change, fields, reason = /\S/) => {
    expect(await refused('POST', EXCEPTIONS, { ...one, ...change }, fields)).toMatch(reason);
  });

  test('when it is moved onto another one, or turned round', async () => {
    const path = `${EXCEPTIONS}/${leapDay}`;
    await refused('PATCH', path, { start_date: '2024-12-25' }, ['start_date']);
    await refused('PATCH', path, { end_date: '2024-02-28' }, ['end_date']);
    await refused('PATCH', path, { hours: [shift('08:00', '12:00'), shift('08:00', '12:00')] }, ['hours[1]']);
    await refused('PATCH', path, { name: null }, ['name']);
    await refused('PATCH', path, { division_id: sales }, ['division_id']);
  });

  test('where there are 500 on its level', async () => {
    const answer = await admin.rest('POST', EXCEPTIONS, { ...one, division_id: full });
    expectError(answer, 409, 'limit_reached');
    const file = { calendar: calendar(['UID:1', 'DTSTART;VALUE=DATE:20270503', 'SUMMARY:One more']) };
    expectError(await admin.rest('POST', `${IMPORT}?division_id=${full}`, file), 409, 'limit_reached');
  });

  test('over GraphQL by the same rules', async () => {
    const document =
      'mutation ($input: CreateWorkingHoursExceptionInput!) { createWorkingHoursException(input: $input) { id } }';
    const input = { name: 'X', startDate: '2027-05-03' };
    for (const [change, field] of [
      [{ endDate: '2027-05-02' }, 'endDate'],
      [{ startDate: '2026-06-02' }, 'startDate'],
      [{ hours: [{ startTime: '08:00', endTime: '08:00' }] }, 'hours[0].endTime'],
    ] as const) {
      expectGraphqlError(await admin.graphql(document, { input: { ...input, ...change } }), 'VALIDATION_FAILED', [
        field,
      ]);
    }
  });
});

describe('an instant is refused', () => {
  const wrong = [
    'yesterday',
    '',
    '2026-02-30T00:00:00Z',
    '2016-12-31T23:59:60Z',
    '1969-12-31T23:59:59Z',
    '2200-01-01T00:00:00Z',
  ]
    .concat(['2026-11-21', '2026-11-21T08:00Z', '2026-11-21 08:00:00Z', '2026-11-21T08:00:00', '2026-11-21T24:00:00Z'])
    .concat(['1700000000', '2026-11-21T08:00:00+24:00', '2026-11-21T08:00:00Z\0', '-271821-04-20T00:00:00Z']);
  const query = wrong.map((text) => encodeURIComponent(text)).concat('2026-11-21T08:00:00+07:00');
  const AT = '2026-11-21T08:00:00Z';

  test.each(query)('%s', async (at) => {
    for (const path of [`status?at=${at}`, `changes?at=${at}`, `add-minutes?minutes=1&at=${at}`]) {
      await refused('GET', `${HOURS}/${path}`, undefined, ['at']);
    }
    await refused('GET', `${HOURS}/minutes-between?to=${AT}&from=${at}`, undefined, ['from']);
    await refused('GET', `${HOURS}/minutes-between?from=${AT}&to=${at}`, undefined, ['to']);
  });

  test.each(wrong)('in a body, and over GraphQL: %j', async (from) => {
    await refused('POST', `${HOURS}/preview`, { from }, ['from']);
    const { errors } = await admin.graphql('query ($at: DateTime) { workingHoursChanges(at: $at) { at } }', {
      at: from,
    });
    expect(['VALIDATION_FAILED', 'BAD_USER_INPUT']).toContain(errors?.[0]?.extensions.code);
  });

  test('that comes twice, and says how a + is written', async () => {
    await refused('GET', `${HOURS}/status?at=${AT}&at=${AT}`, undefined, ['at']);
    expect(await refused('GET', `${HOURS}/status?at=2026-11-21T08:00:00+07:00`, undefined, ['at'])).toContain('%2B');
  });

  test('with a number that is out of range', async () => {
    for (const count of ['0', '501', '-1', '1.5', 'ten', '', '1e2', '99999999999999999999']) {
      await refused('GET', `${HOURS}/changes?count=${count}`, undefined, ['count']);
    }
    for (const count of [0, 501, -1, 1.5, '10', null]) {
      await refused('POST', `${HOURS}/preview`, { count }, ['count']);
    }
    for (const minutes of ['-1', '5256001', '0.5', '', 'x']) {
      await refused('GET', `${HOURS}/add-minutes?at=${AT}&minutes=${minutes}`, undefined, ['minutes']);
    }
    await refused('GET', `${HOURS}/add-minutes`, undefined, ['at', 'minutes']);
    await refused('GET', `${HOURS}/minutes-between?from=${AT}&to=2026-11-21T07:59:59Z`, undefined, ['to']);
    await refused('GET', `${HOURS}/minutes-between?from=${AT}&to=2036-11-23T08:00:00Z`, undefined, ['to']);
  });
});
