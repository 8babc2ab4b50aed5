/** Days of the calendar in the tenant's zone, and on which of them exceptions hold. Dates are `YYYY-MM-DD`. */
import { DateTime } from 'luxon';
import { WEEKDAYS } from './draft.ts';

/** What decides on which days an exception holds. */
export interface Dates {
  startDate: string;
  endDate: string;
  yearly: boolean;
}

const at = (date: string) => DateTime.fromISO(date, { zone: 'utc' });
const text = (date: DateTime) => date.toISODate()!;

export const addDays = (date: string, days: number): string => text(at(date).plus({ days }));
export const daysBetween = (from: string, to: string): number => Math.round(at(to).diff(at(from), 'days').days);
/** 0 is Sunday. */
export const weekdayOf = (date: string): number => at(date).weekday % 7;

export const todayIn = (zone: string, now: number): string => text(DateTime.fromMillis(now, { zone }));

/** Where the hands stand in a zone. */
export function clockIn(zone: string, now: number): { date: string; day: number; second: number } {
  const local = DateTime.fromMillis(now, { zone });
  return { date: text(local), day: local.weekday % 7, second: local.hour * 3600 + local.minute * 60 + local.second };
}

/** The date of each weekday in the week of a date, by weekday. */
export function weekAround(date: string): Record<number, string> {
  const monday = text(at(date).startOf('week'));
  return Object.fromEntries(WEEKDAYS.map((day, index) => [day, addDays(monday, index)]));
}

/** The instant at which a day begins in a zone. */
export const startOfDay = (date: string, zone: string): Date => DateTime.fromISO(date, { zone }).toJSDate();

/** In years without a 29 February it counts as 1 March where it starts, as 28 February where it ends. */
function inYear(date: string, year: number, isEnd: boolean): DateTime {
  const [, month, day] = date.split('-').map(Number) as [number, number, number];
  const first = DateTime.utc(year, month, 1);
  if (day <= first.daysInMonth!) return first.set({ day });
  return isEnd ? first.endOf('month').startOf('day') : first.plus({ months: 1 });
}

/** First and last day of the time that begins in a year, if there is one. */
function occurrenceIn({ startDate, endDate, yearly }: Dates, year: number): readonly [string, string] | undefined {
  const [firstYear, lastYear] = [Number(startDate.slice(0, 4)), Number(endDate.slice(0, 4))];
  if (year === firstYear) return [startDate, endDate];
  if (!yearly || year < firstYear) return undefined;
  const from = text(inYear(startDate, year, false));
  const to = text(inYear(endDate, year + lastYear - firstYear, true));
  return from <= to ? [from, to] : undefined;
}

/** The times at which it holds between two dates, both included. */
export function occurrences(dates: Dates, from: string, to: string): (readonly [string, string])[] {
  const years = Number(dates.endDate.slice(0, 4)) - Number(dates.startDate.slice(0, 4));
  const found: (readonly [string, string])[] = [];
  const first = Math.max(Number(from.slice(0, 4)) - years, Number(dates.startDate.slice(0, 4)));
  for (let year = first; year <= Number(to.slice(0, 4)); year++) {
    const occurrence = occurrenceIn(dates, year);
    if (occurrence && occurrence[1] >= from && occurrence[0] <= to) found.push(occurrence);
    if (!dates.yearly) break;
  }
  return found;
}

export const holdsOn = (dates: Dates, date: string): boolean => occurrences(dates, date, date).length > 0;

/** The time that holds on a date or comes next; undefined for what is over. */
export function comingOccurrence(dates: Dates, date: string): readonly [string, string] | undefined {
  const far = `${Number(date.slice(0, 4)) + 9}-12-31`;
  const last = dates.startDate > far ? dates.startDate : far;
  return occurrences(dates, date, last)[0];
}

export interface Scoped extends Dates {
  divisionId?: string | null;
  optedOutDivisionIds: readonly string[];
}

/** What counts on a date for the organization or a division: a division's own before the organization's. */
export function exceptionOn<E extends Scoped>(all: readonly E[], date: string, divisionId?: string): E | undefined {
  const holding = all.filter((exception) => holdsOn(exception, date));
  const own = divisionId && holding.find((exception) => exception.divisionId === divisionId);
  return own || holding.find((one) => !one.divisionId && !(divisionId && one.optedOutDivisionIds.includes(divisionId)));
}

/** The dates of the six weeks that show a month, from a Monday on. @param month `YYYY-MM` */
export function monthDates(month: string): string[] {
  const first = text(at(`${month}-01`).startOf('week'));
  return Array.from({ length: 42 }, (_, index) => addDays(first, index));
}

export const addMonths = (month: string, months: number): string =>
  text(at(`${month}-01`).plus({ months })).slice(0, 7);
