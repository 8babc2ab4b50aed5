/** Which hours of a schedule lie on top of each other. */
import { DAY, type Hours, type Span, spanOf, type WeeklyEntry } from './schedule.ts';

const WEEK = 7 * DAY;

/** Positions in the list, the earlier one first. */
export type Pair = readonly [number, number];

/**
 * Entries that overlap: on one day whether they are active or not, from one day into another where both are. The week is a
 * circle, so that Saturday night runs into Sunday.
 */
export function weeklyOverlaps(entries: readonly WeeklyEntry[]): Pair[] {
  const spans = entries.map((entry) => shifted(spanOf(entry), entry.dayOfWeek * DAY));
  return pairs(entries.length).filter(([a, b]) => {
    const [one, other] = [entries[a]!, entries[b]!];
    if (one.dayOfWeek === other.dayOfWeek) return meet(spans[a]!, spans[b]!);
    return one.isActive && other.isActive && [-WEEK, 0, WEEK].some((by) => meet(spans[a]!, shifted(spans[b]!, by)));
  });
}

/** The same for the hours of an exception. @param days how many days in a row they hold on. */
export function hoursOverlaps(hours: readonly Hours[], days: number): Pair[] {
  const spans = hours.map(spanOf);
  const shifts = days > 1 ? [-DAY, 0, DAY] : [0];
  return pairs(hours.length).filter(([a, b]) => shifts.some((by) => meet(spans[a]!, shifted(spans[b]!, by))));
}

/** How much of a week is open, in seconds by the wall clock; what overlaps counts once. */
export function openSecondsPerWeek(entries: readonly WeeklyEntry[]): number {
  const spans = entries
    .filter(({ isActive }) => isActive)
    .flatMap((entry) => {
      const { start, end } = shifted(spanOf(entry), entry.dayOfWeek * DAY);
      if (end <= WEEK) return [{ start, end }];
      return [
        { start, end: WEEK },
        { start: 0, end: end - WEEK },
      ];
    })
    .sort((a, b) => a.start - b.start);
  let total = 0;
  let reached = 0;
  for (const { start, end } of spans) {
    total += Math.max(0, end - Math.max(start, reached));
    reached = Math.max(reached, end);
  }
  return total;
}

const shifted = ({ start, end }: Span, by: number): Span => ({ start: start + by, end: end + by });

const meet = (one: Span, other: Span) => one.start < other.end && other.start < one.end;

const pairs = (count: number): Pair[] =>
  Array.from({ length: count }, (_, b) => Array.from({ length: b }, (_, a) => [a, b] as const)).flat();
