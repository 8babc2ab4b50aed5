/**
 * Holidays as they stand in a calendar, brought to exceptions of which no two hold on one day. The rule: each day is covered
 * once; what falls on it is told by its name. Events that begin and end alike become one. Of days that only some of them
 * share, runs are made that have the same events throughout. A holiday that comes back every year keeps its days: single
 * ones give up those that they share with it, and a second yearly one that meets it in part counts by its single dates.
 */
import { occurrenceIn, partsOf } from '../working-hours/occurrences.ts';
import { dateOf, dayFrom, type LocalDay, type ScheduleException, yearOf } from '../working-hours/schedule.ts';

/** A closed stretch of days, under the event of the calendar that it comes from; of several, the first one's. */
export type HolidayDraft = ScheduleException & { uid: string };

/** One occurrence of an event, or the first of those that come every year. */
export interface Holiday {
  uid: string;
  name: string;
  from: LocalDay;
  to: LocalDay;
  yearly: boolean;
  line: number;
}

/** A single holiday some of whose days a yearly one under another name has already. */
export interface Hidden {
  holiday: Holiday;
  day: LocalDay;
  by: string;
}

interface Yearly {
  /** In the order of the calendar. */
  holidays: Holiday[];
  names: Set<string>;
  from: LocalDay;
  to: LocalDay;
}

/**
 * @param holidays yearly ones have to be steady.
 * @param window first and last day of interest.
 */
export function withoutOverlaps(
  holidays: readonly Holiday[],
  window: { from: LocalDay; to: LocalDay },
): { drafts: HolidayDraft[]; hidden: Hidden[] } {
  const owners = new Map<number, Yearly>();
  const singles = holidays.filter(({ yearly }) => !yearly);
  for (const holiday of holidays) {
    if (holiday.yearly && !claim(holiday, owners)) singles.push(...occurrences(holiday, window));
  }
  const hidden = new Map<Holiday, Hidden>();
  const days = new Map<LocalDay, Holiday[]>();
  for (const holiday of singles) {
    for (let day = holiday.from; day <= holiday.to; day++) {
      const owner = owners.get(slotOf(day)!);
      const there = days.get(day);
      if (owner && day >= owner.from) {
        if (!owner.names.has(holiday.name)) hidden.set(holiday, { holiday, day, by: owner.holidays[0]!.name });
      } else if (there) there.push(holiday);
      else days.set(day, [holiday]);
    }
  }
  const yearlies = [...new Set(owners.values())].map((yearly) => draft(yearly.holidays, yearly.from, yearly.to, true));
  const drafts = [...yearlies, ...runs(days)].sort((a, b) => (a.startDate < b.startDate ? -1 : 1));
  return { drafts, hidden: [...hidden.values()] };
}

/** Whether a holiday's days are the same ones each year: none around the end of a February, which is not always the same. */
export function isSteady({ from, to }: { from: LocalDay; to: LocalDay }): boolean {
  for (let day = from; day <= to; day++) {
    const slot = slotOf(day);
    if (slot === undefined || (slot === LAST_OF_FEBRUARY && day < to)) return false;
  }
  return true;
}

const COMMON_YEAR = 2001;
const LAST_OF_FEBRUARY = dayFrom(COMMON_YEAR, 2, 28);

/** A day of the year, whatever year; undefined for 29 February. */
function slotOf(day: LocalDay): number | undefined {
  const [, month, date] = dateOf(day).split('-').map(Number) as [number, number, number];
  return month === 2 && date === 29 ? undefined : dayFrom(COMMON_YEAR, month, date);
}

/** Takes the days of a yearly holiday; false when some of them are taken, unless exactly these are. */
function claim(holiday: Holiday, owners: Map<number, Yearly>): boolean {
  const slots: number[] = [];
  for (let day = holiday.from; day <= holiday.to; day++) slots.push(slotOf(day)!);
  const there = owners.get(slots[0]!);
  if (there && slotOf(there.from) === slots[0] && slotOf(there.to) === slots.at(-1)) {
    there.holidays.push(holiday);
    there.names.add(holiday.name);
    if (holiday.from < there.from) [there.from, there.to] = [holiday.from, holiday.to];
    return true;
  }
  if (slots.some((slot) => owners.has(slot))) return false;
  const { from, to } = holiday;
  const mine = { holidays: [holiday], names: new Set([holiday.name]), from, to };
  for (const slot of slots) owners.set(slot, mine);
  return true;
}

function occurrences(holiday: Holiday, window: { from: LocalDay; to: LocalDay }): Holiday[] {
  const parts = partsOf({ startDate: dateOf(holiday.from), endDate: dateOf(holiday.to), yearly: true });
  const found: Holiday[] = [];
  for (let year = yearOf(window.from) - 1; year <= yearOf(window.to); year++) {
    const days = occurrenceIn(parts, year);
    if (days && days.to >= window.from && days.from <= window.to) found.push({ ...holiday, ...days, yearly: false });
  }
  return found;
}

function* runs(days: ReadonlyMap<LocalDay, Holiday[]>): Generator<HolidayDraft> {
  const ascending = [...days.keys()].sort((a, b) => a - b);
  for (let first = 0; first < ascending.length; ) {
    const holidays = days.get(ascending[first]!)!;
    let next = first + 1;
    while (ascending[next] === ascending[next - 1]! + 1 && isSame(days.get(ascending[next]!)!, holidays)) next += 1;
    yield draft(holidays, ascending[first]!, ascending[next - 1]!, false);
    first = next;
  }
}

/** Each day has its holidays in the order of the calendar. */
const isSame = (some: readonly Holiday[], others: readonly Holiday[]) =>
  some.length === others.length && some.every((one, index) => one === others[index]);

const draft = (holidays: readonly Holiday[], from: LocalDay, to: LocalDay, yearly: boolean): HolidayDraft => ({
  uid: holidays[0]!.uid,
  name: nameOf(holidays),
  startDate: dateOf(from),
  endDate: dateOf(to),
  yearly,
  hours: [],
});

const nameOf = (holidays: readonly Holiday[]) => cut([...new Set(holidays.map(({ name }) => name))].join(' / '));

/** To 200 characters as JavaScript counts them, without leaving half of one. */
export const cut = (name: string): string =>
  name
    .slice(0, 200)
    .replace(/[\uD800-\uDBFF]$/, '')
    .trim();
