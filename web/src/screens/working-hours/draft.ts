/** A week that is being edited: stretches by day, how they come from the API's entries and go back, and what changes them. */

/** Seconds in a day of the wall clock. */
export const DAY = 86_400;
export const WEEK = 7 * DAY;
/** Days as people read a week, Monday first; 0 is Sunday as in the API. */
export const WEEKDAYS = [1, 2, 3, 4, 5, 6, 0] as const;

/** An entry of the API. */
export interface Entry {
  dayOfWeek: number;
  startTime: string;
  endTime: string;
  isActive: boolean;
}

/** One stretch of a day, in seconds since the midnight that it begins after; an end beyond DAY lies on the next day. */
export interface Stretch {
  /** Of this draft only: it stays the same while the stretch is moved about. */
  key: string;
  day: number;
  start: number;
  end: number;
  /** False: it is kept, but the business is closed. */
  isActive: boolean;
}

export type Week = readonly Stretch[];

let made = 0;
export const newKey = (): string => `s${++made}`;

const two = (value: number) => String(value).padStart(2, '0');

/** `HH:MM:SS` or `HH:MM` in seconds. */
export function secondsOf(time: string): number {
  const [hours, minutes, seconds = '0'] = time.split(':');
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

/** `HH:MM`, with seconds where there are some; the end of a day is 00:00, as in the API. */
export function timeOf(second: number): string {
  const ofDay = ((second % DAY) + DAY) % DAY;
  const seconds = ofDay % 60;
  const text = `${two(Math.floor(ofDay / 3600))}:${two(Math.floor(ofDay / 60) % 60)}`;
  return seconds === 0 ? text : `${text}:${two(seconds)}`;
}

/** Where an end lies that is told as a time of day: 00:00 is the end of the day, one before the start is on the next. */
export const endAfter = (start: number, end: number): number => (end === 0 ? DAY : end <= start ? end + DAY : end);

export function weekOf(entries: readonly Entry[]): Stretch[] {
  return entries.map(({ dayOfWeek, startTime, endTime, isActive }) => {
    const start = secondsOf(startTime);
    return { key: newKey(), day: dayOfWeek, start, end: endAfter(start, secondsOf(endTime)), isActive };
  });
}

/** What stands in for a day without stretches, so that it can be named. */
const CLOSED_FROM = 8 * 3600;
const CLOSED_TO = 17 * 3600;

export const dayOf = (week: Week, day: number): Stretch[] =>
  week.filter((stretch) => stretch.day === day).sort((a, b) => a.start - b.start || a.end - b.end);

export const isOpenOn = (week: Week, day: number): boolean =>
  week.some((stretch) => stretch.day === day && stretch.isActive);

/** The entries of some days, with the stretch that each came from; a day that is empty is told as closed. */
export function entriesOf(week: Week, days: readonly number[]): { entry: Entry; key?: string }[] {
  return [...days].sort().flatMap((day): { entry: Entry; key?: string }[] => {
    const stretches = dayOf(week, day);
    if (stretches.length === 0)
      return [
        { entry: { dayOfWeek: day, startTime: timeOf(CLOSED_FROM), endTime: timeOf(CLOSED_TO), isActive: false } },
      ];
    return stretches.map(({ key, start, end, isActive }) => ({
      key,
      entry: { dayOfWeek: day, startTime: timeOf(start), endTime: timeOf(end), isActive },
    }));
  });
}

const textOf = (week: Week, day: number) => JSON.stringify(entriesOf(week, [day]).map(({ entry }) => entry));

export const changedDays = (base: Week, week: Week): number[] =>
  WEEKDAYS.filter((day) => textOf(base, day) !== textOf(week, day));

export const sameWeek = (one: Week, other: Week): boolean => changedDays(one, other).length === 0;

/** The days that were changed here, on top of what somebody else made of the others. */
export function onTopOf(theirs: Week, base: Week, mine: Week): Stretch[] {
  const changed = new Set(changedDays(base, mine));
  return [...mine.filter(({ day }) => changed.has(day)), ...theirs.filter(({ day }) => !changed.has(day))];
}

/** Whether a stretch has a length that can be saved: equal times are all day from 00:00, and nothing else. */
export const isWhole = ({ start, end }: Pick<Stretch, 'start' | 'end'>): boolean =>
  start >= 0 && start < DAY && end > start && (end - start < DAY || (start === 0 && end === DAY));

const meet = (a: { start: number; end: number }, b: { start: number; end: number }) =>
  a.start < b.end && b.start < a.end;

/** By the key of a stretch, those that it overlaps. On one day they all count, from one day into another what is active. */
export function overlapsOf(week: Week): Map<string, Stretch[]> {
  const found = new Map<string, Stretch[]>();
  const place = ({ day, start, end }: Stretch, by: number) => ({
    start: day * DAY + start + by,
    end: day * DAY + end + by,
  });
  for (const [index, one] of week.entries()) {
    for (const other of week.slice(index + 1)) {
      const counts = one.day === other.day || (one.isActive && other.isActive);
      const shifts = one.day === other.day ? [0] : [-WEEK, 0, WEEK];
      if (!counts || !shifts.some((by) => meet(place(one, 0), place(other, by)))) continue;
      found.set(one.key, [...(found.get(one.key) ?? []), other]);
      found.set(other.key, [...(found.get(other.key) ?? []), one]);
    }
  }
  return found;
}

/** What is not in effect on a day makes room for what is added to it: both could not be saved. */
const withoutIdle = (week: Week, day: number) =>
  isOpenOn(week, day) ? [...week] : week.filter((stretch) => stretch.day !== day);

export const addStretch = (week: Week, stretch: Stretch): Stretch[] => [...withoutIdle(week, stretch.day), stretch];

export function changeStretch(week: Week, key: string, change: Partial<Omit<Stretch, 'key'>>): Stretch[] {
  const changed = week.map((stretch) => (stretch.key === key ? { ...stretch, ...change } : stretch));
  const day = change.day;
  if (day === undefined || isOpenOn(week, day)) return changed;
  return changed.filter((stretch) => stretch.key === key || stretch.day !== day);
}

export const removeStretch = (week: Week, key: string): Stretch[] => week.filter((stretch) => stretch.key !== key);

const USUAL = { start: 9 * 3600, end: 17 * 3600 };
const HOUR = 3600;

/** Where another stretch of a day would go: into the usual hours, else after the last one, else into the first hole. */
export function roomOn(week: Week, day: number): { start: number; end: number } | undefined {
  const own = isOpenOn(week, day) ? dayOf(week, day) : [];
  const nights = week
    .filter((stretch) => stretch.isActive && (stretch.day + 1) % 7 === day && stretch.end > DAY)
    .map(({ end }) => ({ start: 0, end: end - DAY }));
  const taken = [...nights, ...own].sort((a, b) => a.start - b.start);
  const isFree = (span: { start: number; end: number }) => !taken.some((other) => meet(span, other));
  if (own.length === 0 && isFree(USUAL)) return USUAL;
  const reached = Math.max(0, ...taken.map(({ end }) => end));
  if (reached + HOUR < DAY) {
    const start = Math.ceil((reached + HOUR) / 900) * 900;
    return { start, end: Math.min(start + 2 * HOUR, DAY) };
  }
  let from = 0;
  for (const next of taken) {
    if (next.start - from >= HOUR) return { start: Math.max(from, next.start - 2 * HOUR), end: next.start };
    from = Math.max(from, next.end);
  }
  return undefined;
}

/** Closes a day, keeping its times for when it opens again; opens it with those, else with the usual hours. */
export function setOpen(week: Week, day: number, isOpen: boolean): Stretch[] {
  if (isOpen && dayOf(week, day).length === 0) return [...week, { key: newKey(), day, ...USUAL, isActive: true }];
  return week.map((stretch) => (stretch.day === day ? { ...stretch, isActive: isOpen } : stretch));
}

export function copyDay(week: Week, from: number, to: readonly number[]): Stretch[] {
  const copies = to
    .filter((day) => day !== from)
    .flatMap((day) => dayOf(week, from).map((stretch) => ({ ...stretch, key: newKey(), day })));
  return [...week.filter(({ day }) => day === from || !to.includes(day)), ...copies];
}

/** Open seconds of a week by the wall clock; what overlaps counts once. */
export function openSeconds(week: Week): number {
  const spans = week
    .filter(({ isActive }) => isActive)
    .flatMap(({ day, start, end }) => {
      const [from, to] = [day * DAY + start, day * DAY + end];
      return to <= WEEK ? [[from, to] as const] : [[from, WEEK] as const, [0, to - WEEK] as const];
    })
    .sort((a, b) => a[0] - b[0]);
  let total = 0;
  let reached = 0;
  for (const [from, to] of spans) {
    total += Math.max(0, to - Math.max(from, reached));
    reached = Math.max(reached, to);
  }
  return total;
}
