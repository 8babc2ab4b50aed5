/**
 * A calendar of holidays (iCalendar, RFC 5545) as exceptions of a schedule. Only whole days count, and their dates are those
 * written down, whatever the zone. It reads no clock and no network.
 */

import { LONGEST_YEARLY } from '../working-hours/occurrences.ts';
import { dateOf, dayOf, type LocalDay } from '../working-hours/schedule.ts';
import { type Hidden, type Holiday, type HolidayDraft, isSteady, withoutOverlaps } from './days.ts';
import { type Event, EventZones, labelOf, readEvent } from './events.ts';
import { type SkipReason, skipReason } from './reasons.ts';
import { Days, daysOf, listOf } from './rules.ts';
import { CalendarError, eventsOf, Unreadable } from './text.ts';

export type { HolidayDraft } from './days.ts';
export { CalendarError, MAX_CALENDAR_BYTES, MAX_EVENTS } from './text.ts';

/** How many days the events of a calendar may cover within the window. */
export const MAX_DAYS = 10_000;
/** Longer lists of what was skipped end in a number. */
export const MAX_SKIPPED = 100;
/** Where a yearly holiday has been since before, it is said to be since then. */
const EARLIEST = dayOf('1970-01-01');

/** An event that gave no exception, and why; the last two may stand for a number of them. */
export interface SkippedEvent extends SkipReason {
  /** Of the file, from 1. */
  line?: number;
  uid?: string;
  summary?: string;
}

/**
 * The holidays of a calendar, as exceptions of which no two hold on one day (how: days.ts), by their first day.
 *
 * An event that touches the window is kept with all its days. One that comes back each year on its date becomes yearly, from
 * the calendar's first one on, 1970 at the earliest; all other recurrences become single exceptions within the window.
 *
 * @param text of the file, decoded as UTF-8; at most MAX_CALENDAR_BYTES.
 * @param window first and last date, `YYYY-MM-DD`, at most some years apart.
 * @throws {CalendarError} when the text as a whole is no good.
 */
export function readHolidays(
  text: string,
  window: { from: string; to: string },
): { holidays: HolidayDraft[]; skipped: SkippedEvent[] } {
  const range = { from: dayOf(window.from), to: dayOf(window.to) };
  const skipped: SkippedEvent[] = [];
  const events: Event[] = [];
  const zones = new EventZones();
  for (const written of eventsOf(text)) {
    const known = { line: written.line, ...labelOf(written) };
    try {
      events.push(readEvent(written, known, zones));
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      skipped.push(skip({ ...known, line: error.line ?? written.line }, error.why));
    }
  }
  replace(events);

  const calendar = new Days();
  const holidays: Holiday[] = [];
  let [days, outside] = [0, 0];
  for (const event of events) {
    try {
      if (event.isCancelled) throw new Unreadable('CANCELLED');
      const found = occurrences(event, range, calendar);
      if (found.length === 0) outside += 1;
      for (const holiday of found) {
        holidays.push(holiday);
        days += holiday.to - holiday.from + 1;
        if (days > MAX_DAYS) throw new CalendarError(`covers more than ${MAX_DAYS} days`, event.line);
      }
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      skipped.push(skip({ ...event, line: error.line ?? event.line }, error.why));
    }
  }
  const { drafts, hidden } = withoutOverlaps(holidays, range);
  return { holidays: drafts, skipped: shortened([...skipped, ...hidden.map(hiddenOne)], outside, window) };
}

const skip = ({ line, uid, name }: { line: number; uid?: string; name?: string }, why: SkipReason): SkippedEvent => ({
  line,
  ...(uid !== undefined && { uid }),
  ...(name !== undefined && { summary: name }),
  ...why,
});

const hiddenOne = ({ holiday, day, by }: Hidden) =>
  skip(holiday, skipReason('CLOSED_ALREADY', { date: dateOf(day), by }));

function shortened(
  skipped: SkippedEvent[],
  outside: number,
  { from, to }: { from: string; to: string },
): SkippedEvent[] {
  const list = skipped.slice(0, MAX_SKIPPED);
  if (skipped.length > MAX_SKIPPED) list.push(skipReason('MORE', { count: skipped.length - MAX_SKIPPED }));
  if (outside > 0) list.push(skipReason('OUTSIDE', { count: outside, from, to }));
  return list;
}

/** What stands in for one date of an event, or cancels it, takes that date from the event. */
function replace(events: Event[]): void {
  const masters = new Map<string, Event>();
  for (const event of events)
    if (event.replaces === undefined && !masters.has(event.uid)) masters.set(event.uid, event);
  for (const { replaces, uid } of events) if (replaces !== undefined) masters.get(uid)?.removed.add(replaces);
}

/** Those that touch the window; of a yearly event the first one, if any does. */
function occurrences(event: Event, window: { from: LocalDay; to: LocalDay }, calendar: Days): Holiday[] {
  const { uid, name, line, from, to } = event;
  const length = to - from + 1;
  if (isYearly(event)) {
    if (length > LONGEST_YEARLY) throw new Unreadable('TOO_LONG_TO_RECUR', event.line, { count: LONGEST_YEARLY });
    if (from > window.to) return [];
    let days = { from, to };
    while (days.from < EARLIEST) days = nextYear(days);
    return [{ uid, name, line, ...days, yearly: true }];
  }
  // RFC 5545, section 3.8.5.3: the start is the first of them, whatever the rules say.
  const starts = new Set([from, ...event.added]);
  const span = { first: from, from: window.from - length + 1, to: window.to };
  for (const { rule, until } of event.rules) for (const day of daysOf(rule, span, until, calendar)) starts.add(day);
  const found: Holiday[] = [];
  for (const day of [...starts].sort((a, b) => a - b)) {
    if (event.removed.has(day) || day > window.to || day + length <= window.from) continue;
    found.push({ uid, name, line, from: day, to: day + length - 1, yearly: false });
  }
  return found;
}

function nextYear({ from, to }: { from: LocalDay; to: LocalDay }): { from: LocalDay; to: LocalDay } {
  const [year, rest] = [Number(dateOf(from).slice(0, 4)), dateOf(from).slice(4)];
  const next = dayOf(`${Math.max(year + 1, 1969)}${rest}`);
  return { from: next, to: next + to - from };
}

/** Each year on the date of the start, without end or gap. */
function isYearly({ rules, added, removed, from, to }: Event): boolean {
  const rule = rules[0]?.rule;
  if (!rule || rules.length > 1 || added.length > 0 || removed.size > 0) return false;
  const [, month, day] = dateOf(from).split('-').map(Number);
  const said = new Set(Object.keys(rule));
  for (const key of ['freq', 'interval', 'wkst', 'bymonth', 'bymonthday']) said.delete(key);
  return (
    said.size === 0 &&
    rule.freq === 'YEARLY' &&
    (rule.interval ?? 1) === 1 &&
    listOf(rule.bymonth).every((value) => value === month) &&
    listOf(rule.bymonthday).every((value) => value === day) &&
    isSteady({ from, to })
  );
}
