import fc from 'fast-check';
import ICAL from 'ical.js';
import nodeIcal, { type VEvent } from 'node-ical';
import { scheduleCalendar } from '../src/domain/icalendar/export.ts';
import { WorkingHoursClock } from '../src/domain/working-hours/clock.ts';
import { DayPlan } from '../src/domain/working-hours/day-plan.ts';
import { DAY, dateOf, dayOf, type Hours, type Schedule } from '../src/domain/working-hours/schedule.ts';
import { Zone } from '../src/domain/working-hours/zone.ts';

const FROM = dayOf('2025-11-20');
const DAYS = 400;
const DAY_MS = DAY * 1000;
const NOW = new Date('2025-11-20T08:00:00.123Z');

const written = (schedule: Schedule, more = {}) =>
  scheduleCalendar({ schedule, name: 'Acme', uid: 'acme', from: FROM, now: NOW, ...more });
const hours = (startTime: string, endTime: string): Hours => ({ startTime, endTime });
const entry = (dayOfWeek: number, startTime: string, endTime: string, isActive = true) => ({
  ...{ dayOfWeek, startTime, endTime, isActive },
});
const closed = (name: string, startDate: string, endDate = startDate, yearly = false) => ({
  ...{ name, startDate, endDate, yearly, hours: [] as Hours[] },
});
const lines = (text: string) => text.replaceAll('\r\n ', '').split('\r\n');

type Stretch = [from: number, to: number];

/** What the calendar says is open, as ical.js understands it and its VTIMEZONE. */
function openByIcal(text: string): Stretch[] {
  const stretches: Stretch[] = [];
  for (const component of new ICAL.Component(ICAL.parse(text)).getAllSubcomponents('vevent')) {
    const event = new ICAL.Event(component);
    if (!event.summary.startsWith('Open')) continue;
    const occurrences = event.iterator();
    for (let next = occurrences.next(); next; next = occurrences.next()) {
      const { startDate, endDate } = event.getOccurrenceDetails(next);
      const from = startDate.toUnixTime() * 1000;
      if (from > (FROM + DAYS) * DAY_MS) break;
      stretches.push([from, endDate.toUnixTime() * 1000]);
    }
  }
  return stretches.sort(([a], [b]) => a - b);
}

/** The dates that the calendar says are closed, as ical.js understands it. */
function closedByIcal(text: string): string[] {
  const dates: string[] = [];
  for (const component of new ICAL.Component(ICAL.parse(text)).getAllSubcomponents('vevent')) {
    const event = new ICAL.Event(component);
    if (!event.summary.startsWith('Closed')) continue;
    const occurrences = event.iterator();
    for (let next = occurrences.next(); next; next = occurrences.next()) {
      const { startDate, endDate } = event.getOccurrenceDetails(next);
      for (let day = dayOf(startDate.toString()); day < dayOf(endDate.toString()); day++) dates.push(dateOf(day));
    }
  }
  return dates.sort();
}

/** The same as node-ical does, by the names of zones. */
function openByNodeIcal(text: string): Stretch[] {
  const events = Object.values(nodeIcal.sync.parseICS(text)).filter((item): item is VEvent => item?.type === 'VEVENT');
  const range = { from: new Date((FROM - 1) * DAY_MS), to: new Date((FROM + DAYS) * DAY_MS) };
  return events
    .filter(({ summary }) => String(summary).startsWith('Open'))
    .flatMap((event) => nodeIcal.expandRecurringEvent(event, range))
    .map(({ start, end }): Stretch => [start.getTime(), end.getTime()])
    .sort(([a], [b]) => a - b);
}

/** Instants at which calendar and clock disagree. Where the clock of the zone is set, within a day, is nobody's concern. */
function disagreements(schedule: Schedule, stretches: readonly Stretch[]): string[] {
  const clock = new WorkingHoursClock(schedule);
  const zone = new Zone(schedule.timezone);
  const from = (FROM + 2) * DAY_MS;
  const to = (FROM + DAYS - 2) * DAY_MS;
  const instants = new Set(stretches.flatMap(([start, end]) => [start - 1000, start, end - 1000, end]));
  for (const { at } of clock.changes(from)) {
    if (at >= to) break;
    for (const near of [at - 1000, at]) instants.add(near);
  }
  for (let at = from; at < to; at += 7 * 3_600_000) instants.add(at);
  const wrong: string[] = [];
  let next = 0;
  let openUntil = 0;
  for (const instant of [...instants].sort((a, b) => a - b)) {
    for (; next < stretches.length && stretches[next]![0] <= instant; next++) {
      openUntil = Math.max(openUntil, stretches[next]![1]);
    }
    if (instant < from || instant >= to || zone.nextSetting(instant - DAY_MS, instant + DAY_MS) !== undefined) continue;
    const isOpen = instant < openUntil;
    if (isOpen !== clock.isOpen(instant)) wrong.push(`${new Date(instant).toISOString()} is not ${isOpen}`);
  }
  return wrong.slice(0, 5);
}

const time = (seconds: number) => new Date(seconds * 1000).toISOString().slice(11, 19);
/** Split shifts that do not overlap, the last one past midnight now and then. */
const someHours = fc.uniqueArray(fc.integer({ min: 0, max: 95 }), { minLength: 2, maxLength: 4 }).chain((quarters) => {
  const edges = quarters.sort((a, b) => a - b).map((quarter) => time(quarter * 900));
  const pairs =
    edges.length >= 4 ? [hours(edges[0]!, edges[1]!), hours(edges[2]!, edges[3]!)] : [hours(edges[0]!, edges[1]!)];
  return fc.constantFrom(pairs, [hours('22:00', '03:30')], [hours('00:00', '00:00')], [hours('17:00', '00:00')]);
});
const someExceptions = fc
  .array(
    fc.record({
      gap: fc.integer({ min: 1, max: 60 }),
      days: fc.integer({ min: 1, max: 9 }),
      yearly: fc.boolean(),
      hours: fc.oneof(fc.constant([]), someHours),
    }),
    { maxLength: 5 },
  )
  .map((list) => {
    let day = FROM - 300;
    return list.map(({ gap, days, yearly, hours }, index) => {
      const startDate = dateOf(day + gap);
      day += gap + days;
      return { name: `E${index}`, startDate, endDate: dateOf(day - 1), yearly, hours };
    });
  });
const ZONES = ['Africa/Casablanca', 'Australia/Lord_Howe', 'America/New_York', 'Asia/Jakarta', 'Africa/Cairo', 'UTC'];
const someSchedule: fc.Arbitrary<Schedule> = fc
  .record({
    timezone: fc.constantFrom(...ZONES),
    week: fc.tuple(...Array.from({ length: 7 }, () => fc.oneof(fc.constant([]), someHours))),
    exceptions: someExceptions,
    isActive: fc.boolean(),
  })
  .map(({ timezone, week, exceptions, isActive }) => ({
    timezone,
    weekly: week.flatMap((list, day) => list.map((one) => ({ dayOfWeek: day, ...one, isActive: day > 0 || isActive }))),
    exceptions,
  }));

describe('a schedule as a calendar', () => {
  test('is open when the business is: ical.js', () => {
    fc.assert(
      fc.property(someSchedule, (schedule) => {
        expect(disagreements(schedule, openByIcal(written(schedule)))).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  test('is open when the business is: node-ical', () => {
    fc.assert(
      fc.property(someSchedule, (schedule) => {
        expect(disagreements(schedule, openByNodeIcal(written(schedule)))).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });

  test('lines, marks and names', () => {
    fc.assert(
      fc.property(someSchedule, fc.string({ unit: 'grapheme', maxLength: 120 }), (schedule, name) => {
        const exceptions = [...schedule.exceptions, closed(`${name}\r\nATTENDEE:x`, '2026-07-01')];
        const text = written({ ...schedule, exceptions }, { name });
        expect(text.endsWith('END:VCALENDAR\r\n')).toBe(true);
        expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
        for (const line of text.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
        expect(lines(text).some((line) => line.startsWith('ATTENDEE'))).toBe(false);
        const uids = lines(text).filter((line) => line.startsWith('UID:'));
        expect(new Set(uids).size).toBe(uids.length);
      }),
      { numRuns: 40 },
    );
  });

  test('is closed on the days of its exceptions, for five years', () => {
    fc.assert(
      fc.property(someSchedule, (schedule) => {
        const plan = new DayPlan(schedule);
        const isClosed = (day: number) => plan.exceptionOn(day)?.hours.length === 0;
        const to = dayOf('2030-11-20');
        const days = Array.from({ length: to - FROM }, (_, index) => FROM + index);
        const shown = closedByIcal(written(schedule)).filter((date) => dayOf(date) >= FROM && dayOf(date) < to);
        expect(shown).toEqual(days.filter(isClosed).map(dateOf));
      }),
      { numRuns: 40 },
    );
  });

  test('what differs from year to year is told year by year', () => {
    const leap = closed('Leap', '2024-02-27', '2024-03-01', true);
    const cut = closed('Cut', '2024-05-01', '2024-05-04', true);
    const once = closed('Once', '2027-05-03');
    const text = written({ timezone: 'UTC', weekly: [], exceptions: [once, leap, cut] });
    expect(text).not.toContain('RRULE');
    expect(closedByIcal(text).filter((date) => date.startsWith('2028-02') || date.startsWith('2027-05'))).toEqual([
      ...['2027-05-01', '2027-05-02', '2027-05-03', '2027-05-04', '2028-02-27', '2028-02-28', '2028-02-29'],
    ]);
  });

  test('a file is bounded: with very many exceptions it ends earlier, and is right up to there', () => {
    const shifts = Array.from({ length: 24 }, (_, hour) => hours(time(hour * 3600), time(hour * 3600 + 1800)));
    const exceptions = Array.from({ length: 364 }, (_, index) => {
      const date = dateOf(dayOf('2025-01-01') + index);
      return { ...closed(`E${index}`, date, date, true), hours: shifts };
    });
    const week = [0, 1, 2, 3, 4, 5, 6].map((day) => entry(day, '08:00', '17:00'));
    const schedule = { timezone: 'UTC', weekly: week, exceptions };
    const text = written(schedule);
    expect(text.length).toBeLessThan(1_000_000);
    const clock = new WorkingHoursClock(schedule);
    const shown = openByIcal(text);
    for (let at = FROM * DAY_MS; at < (FROM + 60) * DAY_MS; at += 1_800_000) {
      expect(shown.some(([from, to]) => from <= at && at < to)).toBe(clock.isOpen(at));
    }
  });

  const schedule: Schedule = {
    timezone: 'America/New_York',
    weekly: [1, 2, 3, 4, 5].map((day) => entry(day, '09:00', '17:30')).concat([entry(6, '10:00', '14:00', false)]),
    exceptions: [
      closed('Christmas, and more', '2025-12-24', '2025-12-26', true),
      { ...closed('Stocktaking', '2026-01-05', '2026-01-06'), hours: [hours('12:00', '00:00')] },
    ],
  };

  test('what stands in it', () => {
    const text = written(schedule, { name: 'Acme; hours' });
    expect(lines(text).slice(0, 8)).toEqual([
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'PRODID:-//OmniStream//Working hours//EN',
      'CALSCALE:GREGORIAN',
      'METHOD:PUBLISH',
      'X-WR-CALNAME:Acme\\; hours',
      'X-WR-TIMEZONE:America/New_York',
      'BEGIN:VTIMEZONE',
    ]);
    const events = text.split('BEGIN:VEVENT\r\n').slice(1).map(lines);
    expect(events[0]!.slice(0, 7)).toEqual([
      'UID:acme-weekly-090000-173000',
      'DTSTAMP:20251120T080000Z',
      'DTSTART;TZID=America/New_York:20251120T090000',
      'DTEND;TZID=America/New_York:20251120T173000',
      'RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR',
      'EXDATE;TZID=America/New_York:20251224T090000',
      'EXDATE;TZID=America/New_York:20251225T090000',
    ]);
    expect(events[1]!.slice(0, 7)).toEqual([
      'UID:acme-closed-2025-12-24-yearly-12-24',
      'DTSTAMP:20251120T080000Z',
      'DTSTART;VALUE=DATE:20251224',
      'DTEND;VALUE=DATE:20251227',
      'RRULE:FREQ=YEARLY;COUNT=5',
      'SUMMARY:Closed: Christmas\\, and more',
      'TRANSP:TRANSPARENT',
    ]);
    expect(events[2]!.slice(0, 6)).toEqual([
      'UID:acme-open-2026-01-05-120000-000000',
      'DTSTAMP:20251120T080000Z',
      'DTSTART;TZID=America/New_York:20260105T120000',
      'DTEND;TZID=America/New_York:20260106T000000',
      'RRULE:FREQ=DAILY;COUNT=2',
      'SUMMARY:Open: Stocktaking',
    ]);
    expect(events).toHaveLength(3);
  });

  test('the same event has the same UID in the next calendar', () => {
    const uids = (text: string) => lines(text).filter((line) => line.startsWith('UID:'));
    const [one, later] = [
      uids(written(schedule)),
      uids(written(schedule, { from: dayOf('2025-12-25'), now: new Date() })),
    ];
    expect(later).toEqual(expect.arrayContaining(one));
  });

  test('weekly hours do not take their length from a night in which the clock is set', () => {
    const nights = { ...schedule, weekly: [entry(6, '22:00', '06:00')], exceptions: [closed('One', '2026-02-28')] };
    const text = written(nights, { from: dayOf('2026-03-02') });
    expect(lines(text)).toContain('DTSTART;TZID=America/New_York:20260228T220000');
    expect(lines(text)).toContain('EXDATE;TZID=America/New_York:20260228T220000');
  });

  test("nor do an exception's own hours on the days after", () => {
    const whole = { ...closed('Whole', '2026-04-05', '2026-04-07'), hours: [hours('00:00', '00:00')] };
    const first: Schedule = { timezone: 'Australia/Lord_Howe', weekly: [], exceptions: [whole] };
    // 5 April has 24.5 hours there; of a recurring event, all are exactly as long as the first (RFC 5545, section 3.8.5.3).
    expect(disagreements(first, openByIcal(written(first)))).toEqual([]);
    expect(disagreements(first, openByNodeIcal(written(first)))).toEqual([]);
    const days = (schedule: Schedule) =>
      lines(written(schedule)).filter((line) => /^(DTSTART;TZID|RRULE:FREQ=DAILY)/.test(line));
    const start = (date: string) => `DTSTART;TZID=Australia/Lord_Howe:${date}T000000`;
    expect(days(first)).toEqual([start('20260405'), start('20260406'), start('20260407')]);
    const longer = { ...first, exceptions: [{ ...whole, endDate: '2026-04-09' }] };
    expect(days(longer)).toEqual([
      ...[start('20260405'), start('20260406'), start('20260407')],
      'RRULE:FREQ=DAILY;COUNT=3',
    ]);
  });

  test('a zone is described as it is', () => {
    const zone = (timezone: string) => {
      const text = written({ timezone, weekly: [], exceptions: [] });
      return lines(text.slice(text.indexOf('TZID'), text.indexOf('END:VTIMEZONE')));
    };
    const plain = (from: string, name: string) => [
      'BEGIN:STANDARD',
      'DTSTART:19700101T000000',
      `TZOFFSETFROM:${from}`,
      `TZOFFSETTO:${from}`,
      `TZNAME:${name}`,
      'END:STANDARD',
      '',
    ];
    expect(zone('Asia/Jakarta')).toEqual(['TZID:Asia/Jakarta', ...plain('+0700', 'GMT+7')]);
    expect(zone('Asia/Kathmandu')).toEqual(['TZID:Asia/Kathmandu', ...plain('+0545', 'GMT+5:45')]);
    expect(zone('UTC')).toEqual(['TZID:UTC', ...plain('+0000', 'UTC')]);
    const lordHowe = zone('Australia/Lord_Howe').join('\n');
    expect(lordHowe).toContain(
      'TZOFFSETFROM:+1100\nTZOFFSETTO:+1030\nTZNAME:GMT+10:30\nRRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=1SU',
    );
    expect(lordHowe).toContain(
      'TZOFFSETFROM:+1030\nTZOFFSETTO:+1100\nTZNAME:GMT+11\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=1SU',
    );
    expect(zone('Africa/Casablanca')).toContain('DTSTART:20250223T030000');
    expect(zone('Africa/Casablanca').join()).not.toContain('RRULE');
  });

  test('closed for good, open for ever and nothing at all are calendars too', () => {
    expect(openByIcal(written({ timezone: 'UTC', weekly: [], exceptions: [] }))).toEqual([]);
    const always = [0, 1, 2, 3, 4, 5, 6].map((day) => entry(day, '00:00', '00:00'));
    expect(
      disagreements(
        { timezone: 'UTC', weekly: always, exceptions: [] },
        openByIcal(written({ timezone: 'UTC', weekly: always, exceptions: [] })),
      ),
    ).toEqual([]);
    const gone = written({ timezone: 'UTC', weekly: always, exceptions: [closed('Gone', '2025-01-01', '2040-01-01')] });
    expect(openByIcal(gone)).toEqual([]);
    expect(lines(gone).filter((line) => line.startsWith('SUMMARY:Closed'))).toHaveLength(1);
  });
});
