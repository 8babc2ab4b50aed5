/**
 * Recurrence rules of whole days (RFC 5545, section 3.3.10). A rule is a question asked of each day in turn, so what it costs
 * is known before. ical.js reads rules here but does not follow them: it looks for a 30 February until it has found a
 * 2 March, or for ever.
 */

import { DAY, dayFrom, type LocalDay, weekdayOf } from '../working-hours/schedule.ts';
import { Unreadable } from './text.ts';

/** How many days may be looked at: 160 years, and for all the rules of a file together. */
const DAYS_PER_RULE = 60_000;
const DAYS_PER_FILE = 500_000;
const MAX_NUMBER = 100_000;

/** A rule as ical.js takes it apart: one value or several in each BY part. */
export type Rule = Record<string, unknown> & { freq: string; interval?: number; count?: number; until?: string };

const OPTIONS = ['freq', 'interval', 'count', 'until', 'wkst'];
/** Those with a meaning for days; of the weeks of the year, which programs count differently, none. */
const PARTS = new Map([
  ['DAILY', ['bymonth', 'bymonthday', 'byday']],
  ['WEEKLY', ['bymonth', 'byday', 'bysetpos']],
  ['MONTHLY', ['bymonth', 'bymonthday', 'byday', 'bysetpos']],
  ['YEARLY', ['bymonth', 'bymonthday', 'byyearday', 'byday', 'bysetpos']],
]);
const WEEKDAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];

/**
 * The rule, if it is one of those that are followed here.
 *
 * @param value of an RRULE, as ical.js reads it.
 * @throws {Unreadable}
 */
export function ruleOf(value: unknown, line: number): Rule {
  const rule = value as Rule;
  const parts = PARTS.get(rule.freq);
  if (!parts) throw new Unreadable('UNKNOWN_FREQUENCY', line);
  const strange = Object.keys(rule).find((key) => !OPTIONS.includes(key) && !parts.includes(key));
  if (strange !== undefined) {
    throw new Unreadable('UNKNOWN_RULE_PART', line, { part: strange.toUpperCase().slice(0, 40) });
  }
  for (const number of [rule.interval ?? 1, rule.count ?? 1]) {
    if (!(number >= 1 && number <= MAX_NUMBER)) throw new Unreadable('NUMBER_OUT_OF_RANGE', line);
  }
  const hasOrdinal = listOf(rule.byday).some((day) => /\d/.test(String(day)));
  if (hasOrdinal && (rule.freq === 'DAILY' || rule.freq === 'WEEKLY')) {
    throw new Unreadable('MISPLACED_WEEKDAY', line);
  }
  return rule;
}

export const listOf = (value: unknown): unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

interface CalendarDay {
  day: LocalDay;
  year: number;
  /** From 1. */
  month: number;
  date: number;
  daysInMonth: number;
  /** From 1. */
  yearDay: number;
  daysInYear: number;
  weekday: number;
}

/** The days that the rules of one file ask about: many ask about the same ones, and only so many are answered. */
export class Days {
  readonly #known = new Map<LocalDay, CalendarDay>();
  #left = DAYS_PER_FILE;

  /** @throws {Unreadable} */
  spend(days: number): void {
    this.#left -= Math.max(0, days);
    if (this.#left < 0 || days > DAYS_PER_RULE) throw new Unreadable('TOO_LONG_TO_FOLLOW');
  }

  at(day: LocalDay): CalendarDay {
    const known = this.#known.get(day);
    if (known) return known;
    const made = calendarDay(day);
    this.#known.set(day, made);
    return made;
  }
}

function calendarDay(day: LocalDay): CalendarDay {
  const date = new Date(day * DAY * 1000);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + 1];
  const newYear = dayFrom(year, 1, 1);
  return {
    ...{ day, year, month, date: date.getUTCDate(), weekday: weekdayOf(day) },
    daysInMonth: new Date(Date.UTC(year, month, 0)).getUTCDate(),
    yearDay: day - newYear + 1,
    daysInYear: dayFrom(year + 1, 1, 1) - newYear,
  };
}

/**
 * The days of a rule, ascending.
 *
 * @param span the event's first day, and the first and last one asked for.
 * @param until the last day that the rule itself allows.
 * @throws {Unreadable} when there are too many days to look at.
 */
export function* daysOf(
  rule: Rule,
  span: { first: LocalDay; from: LocalDay; to: LocalDay },
  until: LocalDay | undefined,
  days: Days,
): Generator<LocalDay> {
  const first = days.at(span.first);
  const last = Math.min(span.to, until ?? span.to);
  const periodOf = periods(rule, first);
  const matches = matcher(rule, first);
  const positions = listOf(rule.bysetpos) as number[];
  // Occurrences are counted from the first one on, and positions within a whole period.
  const start = rule.count ? span.first : Math.max(span.first, span.from - (positions.length > 0 ? 366 : 0));
  const begin = positions.length > 0 ? start - 366 : start;
  const end = positions.length > 0 ? last + 366 : last;
  days.spend(end - begin);
  let left = rule.count ?? Number.POSITIVE_INFINITY;
  let set: LocalDay[] = [];
  let current = Number.NaN;
  function* chosen() {
    for (const [index, day] of set.entries()) {
      const isChosen =
        positions.length === 0 || positions.includes(index + 1) || positions.includes(index - set.length);
      if (isChosen && day >= start && day <= last && left-- > 0) yield day;
    }
  }
  for (let day = begin; day <= end && left > 0; day++) {
    const asked = days.at(day);
    const period = periodOf(asked);
    if (period !== current) {
      yield* chosen();
      set = [];
      current = period;
    }
    if (period % (rule.interval ?? 1) === 0 && matches(asked)) set.push(day);
  }
  yield* chosen();
}

/** Which day, week, month or year of the rule a day is in; its first is 0. */
function periods({ freq, wkst }: Rule, first: CalendarDay): (day: CalendarDay) => number {
  if (freq === 'DAILY') return ({ day }) => day - first.day;
  if (freq === 'MONTHLY') return ({ year, month }) => (year - first.year) * 12 + month - first.month;
  if (freq === 'YEARLY') return ({ year }) => year - first.year;
  // As jCal has it, a week's first day is a number from 1, Sunday; without one it is Monday.
  const begins = (typeof wkst === 'number' ? wkst : 2) - 1;
  const week = ({ day, weekday }: CalendarDay) => (day - ((weekday - begins + 7) % 7)) / 7;
  return (day) => week(day) - week(first);
}

/** Whether all the BY parts name a day; what they leave open is as on the first one. */
function matcher(rule: Rule, first: CalendarDay): (day: CalendarDay) => boolean {
  const months = listOf(rule.bymonth);
  const dates = listOf(rule.bymonthday);
  const yearDays = listOf(rule.byyearday);
  const weekdays = listOf(rule.byday).map((value) => {
    const [, ordinal, name] = /^([+-]?\d+)?(..)$/.exec(String(value))!;
    return { weekday: WEEKDAYS.indexOf(name!), ordinal: Number(ordinal ?? 0) };
  });
  const isInMonth = rule.freq === 'MONTHLY' || months.length > 0;
  const isOpen = dates.length + yearDays.length + weekdays.length === 0;
  if (isOpen && rule.freq === 'WEEKLY') weekdays.push({ weekday: first.weekday, ordinal: 0 });
  if (isOpen && (rule.freq === 'MONTHLY' || rule.freq === 'YEARLY')) dates.push(first.date);
  if (isOpen && rule.freq === 'YEARLY' && months.length === 0) months.push(first.month);
  const names = (list: unknown[], place: number, of: number) =>
    list.length === 0 || list.includes(place) || list.includes(place - of - 1);
  return (day) => {
    if (months.length > 0 && !months.includes(day.month)) return false;
    if (!names(dates, day.date, day.daysInMonth) || !names(yearDays, day.yearDay, day.daysInYear)) return false;
    if (weekdays.length === 0) return true;
    const [place, of] = isInMonth ? [day.date, day.daysInMonth] : [day.yearDay, day.daysInYear];
    const [nth, nthLast] = [Math.ceil(place / 7), -Math.ceil((of - place + 1) / 7)];
    return weekdays.some(
      ({ weekday, ordinal }) => weekday === day.weekday && (ordinal === 0 || ordinal === nth || ordinal === nthLast),
    );
  };
}
