import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import ICAL from 'ical.js';
import { type Actor, anonymous } from './support/actors.ts';
import { calendar } from './support/calendars.ts';
import { expectError } from './support/errors.ts';
import { ALL, anotherWeek, type Days, exceptionsOf, IMPORT, shift, startDays } from './support/exceptions.ts';
import { send } from './support/http.ts';

let days: Days;
let admin: Actor;
let supervisor: Actor;
let plain: Actor;
/** Of each test's own. */
let division: string;
let week: string[];

beforeAll(async () => {
  days = await startDays();
  ({ admin, supervisor, plain } = days);
});
beforeEach(async () => {
  ({ division, week } = await anotherWeek(days));
});
afterAll(() => days?.app.stop());

const { ask, create, open, logged, traces } = exceptionsOf(() => ({ ...days, week }));

describe('importing holidays', () => {
  const day = (date: string, summary: string) => [`UID:${date}`, `DTSTART;VALUE=DATE:${date}`, `SUMMARY:${summary}`];
  const file = calendar(
    day('20270517', 'Pentecost\\, Monday'),
    day('20271003', 'Unity'),
    [
      ...[
        'UID:yearly',
        'DTSTART;VALUE=DATE:20271225',
        'DTEND;VALUE=DATE:20271227',
        'RRULE:FREQ=YEARLY',
        'SUMMARY:Christmas',
      ],
    ],
    ['UID:talk', 'DTSTART:20270518T090000Z', 'SUMMARY:Talk'],
  );
  const upload = async (path: string, type = 'text/calendar; charset=utf-8') => {
    const headers = { authorization: `Bearer ${admin.token}`, 'content-type': type };
    const { status, text } = await send(days.app.url, 'POST', path, { headers, body: file });
    return { status, body: JSON.parse(text) };
  };
  const states = (body: { holidays: { state: string }[] }) => body.holidays.map(({ state }) => state);

  test.each([
    ['JSON', (path: string) => admin.rest('POST', path, { calendar: file })],
    ['text/calendar', (path: string) => upload(path)],
  ])('is seen before it is done, and adds nothing the second time: %s', async (_, sendTo) => {
    const query = `?division_id=${division}`;
    await create({ division_id: division, name: 'Ours', start_date: '2027-10-03' });
    const list = async () => (await ask('GET', `${ALL}${query}`, undefined, supervisor)).body;
    const [standing, before] = [await list(), await traces()];
    const preview = await sendTo(`${IMPORT}/preview${query}`);
    expect(preview).toMatchObject({
      status: 200,
      body: {
        holidays: [
          { name: 'Pentecost, Monday', start_date: '2027-05-17', end_date: '2027-05-17', yearly: false, state: 'new' },
          { name: 'Unity', state: 'meets', in_the_way: 'Ours' },
          { name: 'Christmas', start_date: '2027-12-25', end_date: '2027-12-26', yearly: true, state: 'new' },
        ],
        skipped: [{ summary: 'Talk', line: expect.any(Number), reason: expect.stringMatching(/\S/) }],
      },
    });
    expect(days.description.answerErrors('POST', `${IMPORT}/preview`, 200, preview.body)).toEqual([]);
    expect([await list(), await traces()]).toEqual([standing, before]);
    const { status, body } = await sendTo(`${IMPORT}${query}`);
    expect([status, body]).toEqual([200, preview.body]);
    const now = await list();
    expect(now.map(({ name }: { name: string }) => name)).toEqual(['Ours', 'Pentecost, Monday', 'Christmas']);
    expect((await logged(now[1].id)).map(({ action }) => action)).toEqual(['exception.import']);
    const left = await traces();
    for (let time = 0; time < 2; time++) {
      expect(states((await sendTo(`${IMPORT}${query}`)).body)).toEqual(['stands', 'meets', 'stands']);
    }
    expect([await list(), await traces()]).toEqual([now, left]);
    expect(await open('2027-05-17', '10', division)).toBe('');
    expect(await open('2029-12-25', '10', division)).toBe('');
  });

  test('skips what no exception can be, and takes the rest: preview and import agree', async () => {
    const year = [...day('20270301', 'Sabbatical'), 'DTEND;VALUE=DATE:20280229', 'RRULE:FREQ=YEARLY'];
    const most = [...day('20270302', 'Nearly'), 'DTEND;VALUE=DATE:20280228', 'RRULE:FREQ=YEARLY'];
    const query = `?division_id=${division}`;
    const body = { calendar: calendar(year, day('20270517', 'Pentecost')) };
    const preview = await ask('POST', `${IMPORT}/preview${query}`, body);
    expect(preview).toMatchObject({
      status: 200,
      body: {
        holidays: [{ name: 'Pentecost', state: 'new' }],
        skipped: [{ summary: 'Sabbatical', reason: expect.stringMatching(/longer than 364 days/) }],
      },
    });
    const { status, body: done } = await ask('POST', `${IMPORT}${query}`, body);
    expect([status, done]).toEqual([200, preview.body]);
    const other = (await admin.rest('POST', '/api/divisions', { name: `Other of ${division}` })).body.id;
    const longest = { calendar: calendar(most) };
    expect((await ask('POST', `${IMPORT}/preview?division_id=${other}`, longest)).body.holidays).toMatchObject([
      { state: 'new' },
    ]);
    expect((await ask('POST', `${IMPORT}?division_id=${other}`, longest)).status).toBe(200);
  });

  test('twice at once adds each once', async () => {
    const send = () => ask('POST', `${IMPORT}?division_id=${division}`, { calendar: file });
    const answers = await Promise.all([send(), send(), send()]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers.map(({ body }) => states(body)[0]).sort()).toEqual(['new', 'stands', 'stands']);
    expect((await ask('GET', `${ALL}?division_id=${division}`)).body).toHaveLength(3);
  });

  test('with half a letter in it is refused', async () => {
    const broken = calendar(day('20270517', 'Half \ud800 a letter'));
    for (const path of [IMPORT, `${IMPORT}/preview`]) {
      expectError(await admin.rest('POST', path, { calendar: broken }), 400, 'validation_failed', ['calendar']);
    }
  });

  test('over GraphQL says NEW, STANDS and MEETS', async () => {
    const document =
      'mutation ($calendar: String!, $id: UUID) { importHolidays(calendar: $calendar, divisionId: $id) { holidays { state } } }';
    const run = async () => (await admin.graphql(document, { calendar: file, id: division })).data.importHolidays;
    expect([states(await run()), states(await run())]).toEqual([Array(3).fill('NEW'), Array(3).fill('STANDS')]);
  });
});

describe('the calendar of the hours', () => {
  test('is a file that ical.js reads, with its zone', async () => {
    await admin.rest('PUT', '/api/settings/timezone', { timezone: 'Europe/Berlin' });
    await create({ name: 'Sale, day', hours: [shift('06:00', '07:00')] });
    const get = (query = '') => {
      const headers = { authorization: `Bearer ${plain.token}` };
      return send(days.app.url, 'GET', `/api/working-hours.ics${query}`, { headers });
    };
    const { status, headers, text } = await get();
    expect([status, headers.get('content-type'), headers.get('content-disposition')]).toEqual([
      ...[200, 'text/calendar; charset=utf-8', 'attachment; filename="working-hours.ics"'],
    ]);
    const file = new ICAL.Component(ICAL.parse(text));
    const zones = file.getAllSubcomponents('vtimezone').map((zone) => zone.getFirstPropertyValue('tzid'));
    expect(zones).toEqual(['Europe/Berlin']);
    const summaries = file.getAllSubcomponents('vevent').map((event) => String(event.getFirstPropertyValue('summary')));
    expect(summaries.join('\n')).toMatch(/Open/);
    const { data } = await plain.graphql('{ workingHoursCalendar }');
    const undated = (calendar: string) => calendar.replaceAll(/DTSTAMP:.*/g, '');
    expect(undated(data.workingHoursCalendar)).toBe(undated(text));
    expect(ICAL.parse((await get(`?division_id=${division}`)).text)).toBeDefined();
    expect((await get(`?division_id=${days.acme.id}`)).status).toBe(404);
    expectError(await anonymous(days.app).rest('GET', '/api/working-hours.ics'), 401, 'unauthenticated');
    await admin.rest('PUT', '/api/settings/timezone', { timezone: 'UTC' });
  });
});
