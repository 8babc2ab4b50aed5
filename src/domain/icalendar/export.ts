/**
 * A schedule as a calendar (iCalendar, RFC 5545) that Google Calendar, Apple Calendar and Outlook subscribe to.
 *
 * Times are those of the wall clock, under the name of the zone. What they come to where the clock skips an hour or shows
 * one twice, is left to the program that reads them; nor do all agree on whether what spans such a setting keeps its length
 * or its end. The gateway's own answer is that of the wall clock (contract, section 3).
 */
import ICAL from 'ical.js';
import { DayPlan } from '../working-hours/day-plan.ts';
import {
  DAY,
  dateOf,
  dayFrom,
  type LocalDay,
  type Schedule,
  type ScheduleException,
  type Span,
  spanOf,
  weekdayOf,
  yearOf,
} from '../working-hours/schedule.ts';
import { Zone } from '../working-hours/zone.ts';
import { type Component, dateTime, type NamedClock, type Property, vtimezone } from './vtimezone.ts';

/** How far ahead exceptions are shown. Weekly hours have no end. */
export const HORIZON_YEARS = 5;
/**
 * What exceptions may come to in one file, in lines: some seven for an event, and one for each of the weekly hours that they
 * stand in for. A calendar with more ends earlier.
 */
const MOST_LINES = 14_000;
const LINES_PER_EVENT = 7;
/** A run of exceptional days is followed so far beyond either end of what is shown. */
const REACH = 366;
const WEEKDAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];

export interface ScheduleCalendar {
  schedule: Schedule;
  /** What the calendar is called in the program that shows it. */
  name: string;
  /** What tells this schedule's events from all others; the same each time. */
  uid: string;
  /** The first day that is shown. */
  from: LocalDay;
  /** When the calendar is made, for DTSTAMP. */
  now: Date;
  /** The clock of the schedule's zone, by other zone data than the runtime's. */
  zone?: NamedClock;
}

/** What events of one calendar have in common. */
interface Context {
  uid: string;
  stamp: string;
  tzid: string;
}

/**
 * The calendar's text: lines end in CRLF and have at most 75 octets. Weekly hours alike on several days are one event, own
 * hours of exceptions and closed days are events by themselves. Nothing in it makes anybody's calendar busy.
 *
 * @throws {RangeError} when the time zone is unknown.
 */
export function scheduleCalendar({ schedule, name, uid, from, now, ...given }: ScheduleCalendar): string {
  const zone = given.zone ?? new Zone(schedule.timezone);
  const plan = new DayPlan(schedule);
  const context = { uid, stamp: `${now.toISOString().slice(0, 19)}Z`, tzid: zone.name };
  const [, month, date] = dateOf(from).split('-').map(Number);
  const runs = runsOf(schedule, { plan, zone, from, to: dayFrom(yearOf(from) + HORIZON_YEARS, month!, date!) });
  const { to } = runs;
  const calendar: Component = [
    'vcalendar',
    [
      ['version', {}, 'text', '2.0'],
      ['prodid', {}, 'text', '-//OmniStream//Working hours//EN'],
      ['calscale', {}, 'text', 'GREGORIAN'],
      ['method', {}, 'text', 'PUBLISH'],
      // Without a type ical.js neither says VALUE=TEXT, which older programs stumble over, nor escapes.
      ['x-wr-calname', {}, 'unknown', ICAL.design.icalendar.value.text.toICAL(plain(name))],
      ['x-wr-timezone', {}, 'unknown', zone.name],
    ],
    [
      // A year more on either side: an observance has to have begun, and what begins on the last day to end.
      vtimezone(zone, (from - REACH) * DAY * 1000, (to + REACH) * DAY * 1000),
      ...weeklyEvents(schedule, { plan, zone, from, to, context }),
      ...exceptionEvents(runs.list, zone, context),
    ],
  ];
  return folded(ICAL.stringify(calendar));
}

function* weeklyEvents(
  { weekly }: Schedule,
  {
    plan,
    zone,
    from,
    to,
    context,
  }: { plan: DayPlan; zone: NamedClock; from: LocalDay; to: LocalDay; context: Context },
): Generator<Component> {
  const active = weekly.filter(({ isActive }) => isActive);
  for (const [key, entries] of Map.groupBy(active, (entry) => hoursKey(spanOf(entry)))) {
    const hours = spanOf(entries[0]!);
    const weekdays = [...new Set(entries.map(({ dayOfWeek }) => dayOfWeek))].sort((a, b) => a - b);
    const isMeant = (day: LocalDay) => weekdays.includes(weekdayOf(day));
    let first = from;
    while (!isMeant(first) || (plan.exceptionOn(first) && first < to)) first += 1;
    // Programs take the length of all from the first one: that must not be the night in which the clock is set.
    if (isSetDuring(zone, first, hours)) first -= 7;
    const excluded: Property[] = [];
    for (let day = first; day < to; day++) {
      if (isMeant(day) && plan.exceptionOn(day)) {
        excluded.push(['exdate', { tzid: context.tzid }, 'date-time', dateTime(day, hours.start)]);
      }
    }
    yield event(context, `weekly-${key}`, 'Open', [
      ...times(context, first, hours),
      ['rrule', {}, 'recur', { freq: 'WEEKLY', byday: weekdays.map((weekday) => WEEKDAYS[weekday]) }],
      ...excluded,
    ]);
  }
}

/** Days in a row on which the same exception holds. */
interface ExceptionRun {
  exception: ScheduleException;
  first: LocalDay;
  /** The first day after. */
  next: LocalDay;
}

/** Those that begin before a day, and where they have to end for the file to stay within bounds. */
function runsOf(
  { weekly }: Schedule,
  { plan, zone, from, to }: { plan: DayPlan; zone: NamedClock; from: LocalDay; to: LocalDay },
) {
  const weekdays = Array.from(
    { length: 7 },
    (_, day) => weekly.filter((e) => e.isActive && e.dayOfWeek === day).length,
  );
  const list: ExceptionRun[] = [];
  let lines = 0;
  for (let day = from; day < to; ) {
    const exception = plan.exceptionOn(day);
    if (!exception) {
      day += 1;
      continue;
    }
    let first = day;
    while (plan.exceptionOn(first - 1) === exception && first > from - REACH) first -= 1;
    let next = day + 1;
    while (plan.exceptionOn(next) === exception && next < to + REACH) next += 1;
    const run = { exception, first, next };
    lines += Math.max(1, exception.hours.length) * LINES_PER_EVENT * eventsOf(run, zone).length;
    for (let each = day; each < next; each++) lines += weekdays[weekdayOf(each)]!;
    if (lines > MOST_LINES && list.length > 0) return { list, to: day };
    list.push(run);
    day = next;
  }
  return { list, to };
}

/** Runs that are the same each year are told once. */
function* exceptionEvents(runs: readonly ExceptionRun[], zone: NamedClock, context: Context): Generator<Component> {
  const alike = Map.groupBy(runs, ({ exception, first }) =>
    exception.yearly ? [exception.startDate, exception.endDate, dateOf(first).slice(5)].join() : first,
  );
  for (const group of alike.values()) {
    const [{ exception, first, next }] = group as [ExceptionRun];
    const isEachYear = group.every(
      (run, index) =>
        run.exception === exception &&
        run.next - run.first === next - first &&
        yearOf(run.first) === yearOf(first) + index,
    );
    // As with weekly hours: no length is taken from a night in which the clock is set; and no two rules for one event.
    const isPlain = exception.hours.length === 0 || next - first === 1;
    if (group.length > 1 && isEachYear && isPlain && !isSetOn(zone, first, exception)) {
      const id = `${exception.startDate}-yearly-${dateOf(first).slice(5)}`;
      yield* runEvents(group[0]!, id, [['rrule', {}, 'recur', { freq: 'YEARLY', count: group.length }]], context);
    } else {
      for (const run of group.flatMap((each) => eventsOf(each, zone))) {
        yield* runEvents(run, dateOf(run.first), daily(run), context);
      }
    }
  }
}

/** Parts of a run that can be one event each: days that others must not take their length from stand by themselves. */
function eventsOf({ exception, first, next }: ExceptionRun, zone: NamedClock): ExceptionRun[] {
  const parts: ExceptionRun[] = [];
  let rest = first;
  for (; next - rest > 1 && isSetOn(zone, rest, exception); rest++) {
    parts.push({ exception, first: rest, next: rest + 1 });
  }
  return [...parts, { exception, first: rest, next }];
}

const daily = ({ exception, first, next }: ExceptionRun): Property[] =>
  exception.hours.length > 0 && next - first > 1
    ? [['rrule', {}, 'recur', { freq: 'DAILY', count: next - first }]]
    : [];

/** Closed as one event, open as one for each of its hours. */
function* runEvents(
  { exception: { name, hours }, first, next }: ExceptionRun,
  id: string,
  recurrence: Property[],
  context: Context,
): Generator<Component> {
  if (hours.length === 0) {
    yield event(context, `closed-${id}`, `Closed: ${name}`, [
      ['dtstart', {}, 'date', dateOf(first)],
      ['dtend', {}, 'date', dateOf(next)],
      ...recurrence,
    ]);
  }
  for (const span of hours.map(spanOf)) {
    yield event(context, `open-${id}-${hoursKey(span)}`, `Open: ${name}`, [
      ...times(context, first, span),
      ...recurrence,
    ]);
  }
}

const event = ({ uid, stamp }: Context, id: string, summary: string, when: Property[]): Component => [
  'vevent',
  [
    ['uid', {}, 'text', `${uid}-${id}`],
    ['dtstamp', {}, 'date-time', stamp],
    ...when,
    ['summary', {}, 'text', plain(summary)],
    ['transp', {}, 'text', 'TRANSPARENT'],
  ],
  [],
];

const times = ({ tzid }: Context, day: LocalDay, { start, end }: Span): Property[] => [
  ['dtstart', { tzid }, 'date-time', dateTime(day, start)],
  ['dtend', { tzid }, 'date-time', dateTime(day, end)],
];

/** Such as `080000-170000`. */
const hoursKey = ({ start, end }: Span) =>
  [start, end].map((second) => dateTime(0, second).slice(11).replaceAll(':', '')).join('-');

const isSetOn = (zone: NamedClock, day: LocalDay, { hours }: ScheduleException) =>
  hours.some((each) => isSetDuring(zone, day, spanOf(each)));

function isSetDuring(zone: NamedClock, day: LocalDay, { start, end }: Span): boolean {
  const midnight = day * DAY * 1000;
  const instant = midnight - zone.offset(midnight);
  // A day's width on either side: that only costs a choice that need not have been made.
  return zone.nextSetting(instant + (start - DAY) * 1000, instant + (end + DAY) * 1000) !== undefined;
}

/** ical.js escapes line feeds only; other control characters have no place in a value (RFC 5545, section 3.1). */
const plain = (text: string) => text.replace(/\r\n?/g, '\n').replace(/[^\P{Cc}\n\t]/gu, ' ');

/** ical.js does not count the blank that a continued line begins with. */
function folded(text: string): string {
  return text.replaceAll('\r\n ', '').replace(/[^\r\n]+/g, (line) => {
    if (Buffer.byteLength(line) <= 75) return line;
    let octets = 0;
    return Array.from(line, (character) => {
      const length = Buffer.byteLength(character);
      octets += length;
      if (octets <= 75) return character;
      octets = 1 + length;
      return `\r\n ${character}`;
    }).join('');
  });
}
