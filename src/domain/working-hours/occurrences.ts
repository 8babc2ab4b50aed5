/** On which days an exception holds. */
import { dateOf, dayFrom, dayOf, type LocalDay, type ScheduleException } from './schedule.ts';

/** First and last day. */
export interface Occurrence {
  from: LocalDay;
  to: LocalDay;
}

type Dates = Pick<ScheduleException, 'startDate' | 'endDate' | 'yearly'>;

/** Days that one exception may cover. A longer yearly one would meet itself. */
export const LONGEST = 366;
export const LONGEST_YEARLY = 364;

/** Dates taken apart, so that asking about many years costs no parsing. */
export interface Parts {
  yearly: boolean;
  /** The occurrence that is written down. */
  first: Occurrence;
  firstYear: number;
  lastYear: number;
  start: MonthDay;
  end: MonthDay;
}

/** The month is 1 to 12. */
type MonthDay = readonly [month: number, day: number];

export function partsOf({ startDate, endDate, yearly }: Dates): Parts {
  const [firstYear, ...start] = startDate.split('-').map(Number) as [number, number, number];
  const [lastYear, ...end] = endDate.split('-').map(Number) as [number, number, number];
  return { yearly, first: { from: dayOf(startDate), to: dayOf(endDate) }, firstYear, lastYear, start, end };
}

/** The occurrence that begins in a year, if there is one. */
export function occurrenceIn(
  { yearly, first, firstYear, lastYear, start, end }: Parts,
  year: number,
): Occurrence | undefined {
  if (year === firstYear) return first;
  if (!yearly || year < firstYear) return undefined;
  // dayFrom brings 29 February of a common year to 1 March, which as an end is a day too far.
  const from = dayFrom(year, ...start);
  const endYear = year + lastYear - firstYear;
  const to = dayFrom(endYear, end[0], Math.min(end[1], daysIn(endYear, end[0])));
  return from <= to ? { from, to } : undefined;
}

/** What of its occurrences lies in a year, in which they need not have begun. */
export function occurrencesDuring(parts: Parts, year: number): Occurrence[] {
  const [first, last] = [dayFrom(year, 1, 1), dayFrom(year, 12, 31)];
  const found: Occurrence[] = [];
  for (let began = year - (parts.lastYear - parts.firstYear); began <= year; began++) {
    const occurrence = occurrenceIn(parts, began);
    if (occurrence && occurrence.to >= first) {
      found.push({ from: Math.max(occurrence.from, first), to: Math.min(occurrence.to, last) });
    }
  }
  return found;
}

const daysIn = (year: number, month: number) => new Date(Date.UTC(year, month, 0)).getUTCDate();

/**
 * A date that two exceptions both cover, `YYYY-MM-DD`, or `MM-DD` where both recur; undefined when they never meet. Dates
 * are compared as text, in which 29 February has its place in every year.
 */
export function commonDate(one: Dates, other: Dates): string | undefined {
  if (one.yearly && other.yearly) {
    const [mine, theirs] = [monthDay(one.startDate), monthDay(other.startDate)];
    if (covers(one, theirs)) return theirs;
    return covers(other, mine) ? mine : undefined;
  }
  if (!one.yearly && !other.yearly) return meet(one, other);
  const [recurring, once] = one.yearly ? [one, other] : [other, one];
  const first = yearOf(once.startDate) - 1;
  for (let year = first; year <= yearOf(once.endDate); year++) {
    const by = year - yearOf(recurring.startDate);
    const found = by >= 0 && meet(once, later(recurring, by));
    if (found) return found;
  }
  return undefined;
}

const yearOf = (date: string) => Number(date.slice(0, 4));
const monthDay = (date: string) => date.slice(5);
const later = ({ startDate, endDate }: Dates, years: number) => ({
  startDate: `${yearOf(startDate) + years}-${monthDay(startDate)}`,
  endDate: `${yearOf(endDate) + years}-${monthDay(endDate)}`,
});

/** Whether one that recurs covers a day of the year; from its start it may run into the next year. */
function covers({ startDate, endDate }: Dates, day: string): boolean {
  const [from, to] = [monthDay(startDate), monthDay(endDate)];
  return from <= to ? from <= day && day <= to : day >= from || day <= to;
}

function meet(one: Omit<Dates, 'yearly'>, other: Omit<Dates, 'yearly'>): string | undefined {
  const from = one.startDate > other.startDate ? one.startDate : other.startDate;
  const to = one.endDate < other.endDate ? one.endDate : other.endDate;
  if (from > to) return undefined;
  // Where they have only a 29 February in common, it takes a leap year.
  return [to, from].find((date) => dateOf(dayOf(date)) === date);
}

/** Years within which every day of the calendar comes on every weekday: 29 February is a Saturday in 2076, then in 2116. */
export const CYCLE_YEARS = 40;
