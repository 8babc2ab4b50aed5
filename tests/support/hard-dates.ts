/**
 * Dates at which business hours are easy to get wrong, with the answers written by hand from the facts of the time zone
 * database (2026c), never taken from the code. An answer that stops being right after an update of Node means that a
 * country has changed its mind: look at what the runtime says now, and mend the row.
 */
import type { OracleException, OracleSchedule } from './hours-oracle.ts';

/** What a schedule opens: weekdays and hours, such as `Mon-Fri 08:00-17:00, Sat 09:00-12:00`. */
export function weekly(text: string): OracleSchedule['weekly'] {
  if (text === '') return [];
  return text.split(', ').flatMap((part) => {
    const [days = '', hours = ''] = part.split(' ');
    const [startTime = '', endTime = ''] = hours.split('-');
    const [first = 'Sun', last = days === 'daily' ? 'Sat' : first] = days === 'daily' ? [] : days.split('-');
    const [from, to] = [WEEKDAYS.indexOf(first), WEEKDAYS.indexOf(last)];
    return Array.from({ length: to - from + 1 }, (_, i) => ({
      dayOfWeek: from + i,
      startTime,
      endTime,
      isActive: true,
    }));
  });
}
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** Such as `2026-12-31 yearly 10:00-14:00 22:00-02:00`, or `2027-07-01..2027-07-09` for days that are closed. */
export function exception(text: string): OracleException & { name: string } {
  const [dates = '', ...rest] = text.split(' ');
  const [startDate = '', endDate = startDate] = dates.split('..');
  const yearly = rest[0] === 'yearly';
  const hours = rest.slice(yearly ? 1 : 0).map((pair) => {
    const [startTime = '', endTime = ''] = pair.split('-');
    return { startTime, endTime };
  });
  return { name: text, startDate, endDate, yearly, hours };
}

export interface HardDate {
  timezone: string;
  hours: string;
  exceptions: readonly string[];
  at: string;
  isOpen: boolean;
  next: string | undefined;
}

type Answer = [at: string, isOpen: boolean, next?: string];
const rows = (timezone: string, hours: string, ...answers: Answer[]): HardDate[] =>
  answers.map(([at, isOpen, next]) => ({ timezone, hours, exceptions: [], at, isOpen, next }));
const rowsWith = (exceptions: string[], hours: string, ...answers: Answer[]): HardDate[] =>
  rows('UTC', hours, ...answers).map((row) => ({ ...row, exceptions }));
const [open, closed] = [true, false];

export const hardDates: readonly HardDate[] = [
  // Santiago, Sunday 2027-09-05: 23:59:59 (-04) is followed by 01:00 (-03), at 04:00Z.
  ...rows(
    'America/Santiago',
    'Sun 00:00-02:00',
    ['2027-09-05T03:59:59.999Z', closed, '2027-09-05T04:00:00Z'],
    ['2027-09-05T04:00:00Z', open, '2027-09-05T05:00:00Z'],
  ),
  ...rows('America/Santiago', 'Sun 00:00-01:00', ['2027-09-05T00:00:00Z', closed, '2027-09-12T03:00:00Z']),
  ...rows('America/Santiago', 'Sat 22:00-00:30', ['2027-09-05T03:00:00Z', open, '2027-09-05T04:00:00Z']),
  ...rows('America/Santiago', 'daily 00:00-00:00', ['2027-09-05T03:59:59.999Z', open], ['2027-09-05T04:00:00Z', open]),
  // Saturday 2027-04-03: 23:59:59 (-03) is followed by 23:00 (-04), at 03:00Z of the 4th.
  ...rows(
    'America/Santiago',
    'Sat 23:00-23:30',
    ['2027-04-04T01:59:59.999Z', closed, '2027-04-04T02:00:00Z'],
    ['2027-04-04T02:29:59.999Z', open, '2027-04-04T02:30:00Z'],
    ['2027-04-04T02:30:00Z', closed, '2027-04-04T03:00:00Z'],
    ['2027-04-04T03:00:00Z', open, '2027-04-04T03:30:00Z'],
    ['2027-04-04T03:30:00Z', closed, '2027-04-11T03:00:00Z'],
  ),
  ...rows('America/Santiago', 'Sat 20:00-00:00', ['2027-04-04T02:59:59.999Z', open, '2027-04-04T04:00:00Z']),
  ...rows('America/Santiago', 'Sun 00:00-01:00', ['2027-04-04T02:59:59.999Z', closed, '2027-04-04T04:00:00Z']),

  // Havana, Sunday 2027-03-14: 23:59:59 (-05) is followed by 01:00 (-04), at 05:00Z.
  ...rows(
    'America/Havana',
    'Sun 00:30-03:00',
    ['2027-03-14T04:59:59.999Z', closed, '2027-03-14T05:00:00Z'],
    ['2027-03-14T05:00:00Z', open, '2027-03-14T07:00:00Z'],
  ),
  ...rows('America/Havana', 'daily 18:00-00:59', ['2027-03-14T04:59:59Z', open, '2027-03-14T05:00:00Z']),

  // Cairo, Friday 2027-04-30: 23:59:59 (+02) is followed by 01:00 (+03), at 22:00Z of the 29th.
  ...rows(
    'Africa/Cairo',
    'Fri 00:00-04:00',
    ['2027-04-29T21:59:59.999Z', closed, '2027-04-29T22:00:00Z'],
    ['2027-04-29T22:00:00Z', open, '2027-04-30T01:00:00Z'],
  ),
  // Thursday 2027-10-28: 23:59:59 (+03) is followed by 23:00 (+02), at 21:00Z.
  ...rows(
    'Africa/Cairo',
    'Thu 23:15-23:45',
    ['2027-10-28T20:00:00Z', closed, '2027-10-28T20:15:00Z'],
    ['2027-10-28T20:15:00Z', open, '2027-10-28T20:45:00Z'],
    ['2027-10-28T20:45:00Z', closed, '2027-10-28T21:15:00Z'],
    ['2027-10-28T21:15:00Z', open, '2027-10-28T21:45:00Z'],
  ),
  ...rows('Africa/Cairo', 'daily 00:00-00:00', ['2027-10-28T20:59:59.999Z', open], ['2027-04-29T21:59:59.999Z', open]),

  // Beirut, Sunday 2027-03-28: 23:59:59 (+02) is followed by 01:00 (+03), at 22:00Z of the 27th.
  ...rows(
    'Asia/Beirut',
    'Sat 18:00-00:15',
    ['2027-03-27T21:00:00Z', open, '2027-03-27T22:00:00Z'],
    ['2027-03-27T22:00:00Z', closed, '2027-04-03T15:00:00Z'],
  ),
  // Saturday 2027-10-30: 23:59:59 (+03) is followed by 23:00 (+02), at 21:00Z.
  ...rows(
    'Asia/Beirut',
    'Sat 22:00-23:30',
    ['2027-10-30T20:29:59.999Z', open, '2027-10-30T20:30:00Z'],
    ['2027-10-30T20:30:00Z', closed, '2027-10-30T21:00:00Z'],
    ['2027-10-30T21:00:00Z', open, '2027-10-30T21:30:00Z'],
  ),

  // Lord Howe, Sunday 2027-04-04: 01:59:59 (+11) is followed by 01:30 (+10:30), at 15:00Z of the 3rd.
  ...rows(
    'Australia/Lord_Howe',
    'Sun 01:30-01:45',
    ['2027-04-03T14:30:00Z', open, '2027-04-03T14:45:00Z'],
    ['2027-04-03T14:45:00Z', closed, '2027-04-03T15:00:00Z'],
    ['2027-04-03T15:00:00Z', open, '2027-04-03T15:15:00Z'],
  ),
  // Sunday 2027-10-03: 01:59:59 (+10:30) is followed by 02:30 (+11), at 15:30Z of the 2nd.
  ...rows('Australia/Lord_Howe', 'Sun 02:00-02:15', ['2027-10-02T15:00:00Z', closed, '2027-10-09T15:00:00Z']),
  ...rows(
    'Australia/Lord_Howe',
    'Sun 02:15-03:00',
    ['2027-10-02T15:29:59.999Z', closed, '2027-10-02T15:30:00Z'],
    ['2027-10-02T15:30:00Z', open, '2027-10-02T16:00:00Z'],
  ),

  // Chatham, Sunday 2027-04-04: 03:44:59 (+13:45) is followed by 02:45 (+12:45), at 14:00Z of the 3rd.
  ...rows(
    'Pacific/Chatham',
    'Sun 02:45-03:00',
    ['2027-04-03T13:00:00Z', open, '2027-04-03T13:15:00Z'],
    ['2027-04-03T13:15:00Z', closed, '2027-04-03T14:00:00Z'],
    ['2027-04-03T14:00:00Z', open, '2027-04-03T14:15:00Z'],
  ),
  // Sunday 2027-09-26: 02:44:59 (+12:45) is followed by 03:45 (+13:45), at 14:00Z of the 25th.
  ...rows(
    'Pacific/Chatham',
    'Sun 03:00-04:00',
    ['2027-09-25T13:59:59.999Z', closed, '2027-09-25T14:00:00Z'],
    ['2027-09-25T14:00:00Z', open, '2027-09-25T14:15:00Z'],
  ),

  // Casablanca left its summer time for Ramadan: on Sunday 2026-02-15 02:59:59 (+01) was followed by 02:00 (+00), at 02:00Z,
  // and on Sunday 2026-03-22 01:59:59 (+00) by 03:00 (+01), at 02:00Z.
  ...rows('Africa/Casablanca', 'Sun 02:00-03:00', ['2026-02-15T01:00:00Z', open, '2026-02-15T03:00:00Z']),
  ...rows('Africa/Casablanca', 'Sun 02:00-03:00', ['2026-03-22T01:00:00Z', closed, '2026-03-29T01:00:00Z']),
  // Zone data up to 2025c has the same for 2027, back on 02-07 and forward on 03-14. That of 2026c does not: Morocco is at +00
  // for good from Sunday 2026-09-20, when 01:59:59 (+01) is followed by 01:00 (+00), at 01:00Z.
  ...rows('Africa/Casablanca', 'Sun 01:00-01:30', ['2026-09-20T00:30:00Z', closed, '2026-09-20T01:00:00Z']),
  ...rows('Africa/Casablanca', 'daily 09:00-17:00', ['2027-02-06T08:30:00Z', closed, '2027-02-06T09:00:00Z']),
  ...rows('Africa/Casablanca', 'Sun 02:00-03:00', ['2027-02-07T02:00:00Z', open, '2027-02-07T03:00:00Z']),
  ...rows('Africa/Casablanca', 'Sun 02:00-03:00', ['2027-03-14T01:59:59Z', closed, '2027-03-14T02:00:00Z']),

  // Jakarta is at +07 always.
  ...rows(
    'Asia/Jakarta',
    'Mon-Fri 08:00-17:00',
    ['2027-07-05T00:59:59.999Z', closed, '2027-07-05T01:00:00Z'],
    ['2027-07-05T01:00:00Z', open, '2027-07-05T10:00:00Z'],
    ['2027-07-09T10:00:00Z', closed, '2027-07-12T01:00:00Z'],
  ),
  // Asuncion is at -03 always since October 2024. Older data takes it to -04 on 2027-03-28, when 23:00-23:59 would come twice.
  ...rows('America/Asuncion', 'daily 23:00-23:30', ['2027-03-28T02:30:00Z', closed, '2027-03-29T02:00:00Z']),
  ...rows('America/Asuncion', 'daily 08:00-17:00', ['2027-06-15T11:00:00Z', open, '2027-06-15T20:00:00Z']),
  // Vancouver stays at -07 from March 2026 on (2026c); older data takes it to -08 each November.
  ...rows('America/Vancouver', 'daily 09:00-17:00', ['2027-01-15T16:00:00Z', open, '2027-01-16T00:00:00Z']),

  // Troll moves by two hours: Sunday 2027-03-28, 00:59:59 (+00) is followed by 03:00 (+02), at 01:00Z.
  ...rows('Antarctica/Troll', 'Sun 01:00-03:00', ['2027-03-28T00:00:00Z', closed, '2027-04-03T23:00:00Z']),
  // Berlin, Sunday 2027-10-31: 02:59:59 (+02) is followed by 02:00 (+01), at 01:00Z. Open through the hour that comes twice.
  ...rows('Europe/Berlin', 'Sun 02:00-03:00', ['2027-10-31T00:00:00Z', open, '2027-10-31T02:00:00Z']),
  // The end of the last repeated second: from 02:59:59 on it is closed until 02:00 comes again.
  ...rows('Europe/Berlin', 'Sun 02:00-02:59:59', ['2027-10-31T00:59:59Z', closed, '2027-10-31T01:00:00Z']),

  // Apia was set forward by a whole day: Thursday 2011-12-29 23:59:59 (-10) was followed by Saturday (+14), at 10:00Z.
  ...rows(
    'Pacific/Apia',
    'Fri 00:00-00:00',
    ['2011-12-30T09:59:59.999Z', closed, '2012-01-05T10:00:00Z'],
    ['2011-12-30T10:00:00Z', closed, '2012-01-05T10:00:00Z'],
  ),
  ...rows('Pacific/Apia', 'Thu 00:00-00:00', ['2011-12-29T10:00:00Z', open, '2011-12-30T10:00:00Z']),
  ...rows('Pacific/Apia', 'Sat 00:00-00:00', ['2011-12-30T09:59:59.999Z', closed, '2011-12-30T10:00:00Z']),

  // A day that is open from its first second on need not be so to its last; a closed second is one.
  ...rows('UTC', 'daily 00:00-18:00', ['2027-07-05T12:00:00Z', open, '2027-07-05T18:00:00Z']),
  ...rows(
    'UTC',
    'daily 00:00-12:00, daily 12:00:01-00:00',
    ['2027-07-05T11:59:59.999Z', open, '2027-07-05T12:00:00Z'],
    ['2027-07-05T12:00:00.999Z', closed, '2027-07-05T12:00:01Z'],
  ),

  // A single 29 February waits for the next leap year; as a start it is 1 March in others, as an end 28 February.
  ...rowsWith(['2024-02-29 yearly 00:00-00:00'], '', ['2027-02-28T12:00:00Z', closed, '2028-02-29T00:00:00Z']),
  ...rowsWith(['2024-02-29..2024-03-02 yearly 00:00-00:00'], '', [
    '2027-02-27T12:00:00Z',
    closed,
    '2027-03-01T00:00:00Z',
  ]),
  ...rowsWith(
    ['2023-12-30..2024-02-29 yearly 00:00-00:00'],
    '',
    ['2027-01-01T00:00:00Z', open, '2027-03-01T00:00:00Z'],
    ['2027-02-28T12:00:00Z', open, '2027-03-01T00:00:00Z'],
    ['2028-02-28T12:00:00Z', open, '2028-03-01T00:00:00Z'],
  ),
  // What opens only on a Sunday that is a 29 February waits 28 years for it, around 2100, no leap year, even 40.
  ...rowsWith(
    ['2018-03-01..2019-02-28 yearly'],
    'Sun 10:00-12:00',
    ['2032-03-01T00:00:00Z', closed, '2060-02-29T10:00:00Z'],
    ['2088-02-29T12:00:00Z', closed, '2128-02-29T10:00:00Z'],
  ),
  // Yearly from the first one on: 31 December is a Wednesday in 2025, a Friday in 2027.
  ...rowsWith(
    ['2026-12-31 yearly'],
    'Mon-Fri 09:00-17:00',
    ['2025-12-31T09:00:00Z', open, '2025-12-31T17:00:00Z'],
    ['2027-12-31T09:00:00Z', closed, '2028-01-03T09:00:00Z'],
  ),
  // The first of the list counts.
  ...rowsWith(['2027-07-05 10:00-12:00', '2027-07-01..2027-07-09'], '', [
    '2027-07-05T11:00:00Z',
    open,
    '2027-07-05T12:00:00Z',
  ]),
  ...rowsWith(['2027-07-01..2027-07-09', '2027-07-05 10:00-12:00'], '', ['2027-07-05T11:00:00Z', closed]),
  // A holiday does not cut short the evening before it.
  ...rowsWith(
    ['2027-12-25'],
    'daily 22:00-03:00',
    ['2027-12-25T02:00:00Z', open, '2027-12-25T03:00:00Z'],
    ['2027-12-25T22:30:00Z', closed, '2027-12-26T22:00:00Z'],
  ),
  // Far ahead, and over several new years.
  ...rowsWith(['2030-05-01 10:00-11:00'], '', ['2027-01-01T00:00:00Z', closed, '2030-05-01T10:00:00Z']),
  // A business that never closes, but for one day: the last of a year, far ahead; today.
  ...rowsWith(['2030-12-31'], 'daily 00:00-00:00', ['2027-01-01T00:00:00Z', open, '2030-12-31T00:00:00Z']),
  ...rowsWith(['2027-07-05'], 'daily 00:00-00:00', ['2027-07-05T12:00:00Z', closed, '2027-07-06T00:00:00Z']),
  ...rowsWith(['2026-01-01..2028-12-31'], 'daily 08:00-17:00', [
    '2028-06-01T09:00:00Z',
    closed,
    '2029-01-01T08:00:00Z',
  ]),
];

/** The schedule of a row. */
export const scheduleOf = ({ timezone, hours, exceptions }: HardDate) => ({
  timezone,
  weekly: weekly(hours),
  exceptions: exceptions.map(exception),
});
