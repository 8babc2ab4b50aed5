/** What a schedule that is not saved yet would mean. */
import { type Change, WorkingHoursClock } from './clock.ts';
import { openSecondsPerWeek, weeklyOverlaps } from './overlaps.ts';
import { DAY, dateOf, type Schedule, spanOf, type WeeklyEntry, weekdayOf } from './schedule.ts';
import { entryText, timeText } from './words.ts';
import { Zone } from './zone.ts';

const DAY_MS = DAY * 1000;
/** Zones are set twice a year; two years show both on whatever weekday they fall. */
const GAPS_WITHIN_MS = 730 * DAY_MS;
/** Seconds. Nobody closes for so short a time on purpose. */
const SHORT_HOLE = 60;

export interface Warning {
  kind: 'dst_gap' | 'short_hole' | 'overlap' | 'never_open';
  /** For people. */
  message: string;
  /** The entry that it is about, by its place in the list. */
  entry?: number;
}

export interface Preview {
  changes: Change[];
  openSecondsPerWeek: number;
  warnings: Warning[];
}

/** @param from milliseconds since the epoch. @param count of the coming changes, at most. */
export function preview(schedule: Schedule, from: number, count: number): Preview {
  const clock = new WorkingHoursClock(schedule);
  const changes = clock.nextChanges(from, count);
  return {
    changes,
    openSecondsPerWeek: openSecondsPerWeek(schedule.weekly),
    warnings: [
      ...overlapWarnings(schedule.weekly),
      ...holeWarnings(schedule.weekly),
      ...gapWarnings(schedule, from),
      ...(changes.length === 0 && !clock.isOpen(from)
        ? [{ kind: 'never_open' as const, message: 'This schedule is never open.' }]
        : []),
    ],
  };
}

function overlapWarnings(weekly: readonly WeeklyEntry[]): Warning[] {
  return weeklyOverlaps(weekly).map(([one, other]) => ({
    kind: 'overlap',
    entry: other,
    message: `${entryText(weekly[other]!)} overlaps ${entryText(weekly[one]!)}.`,
  }));
}

/** Such as from 23:59 to 00:00: closed for a minute, though nobody means to. */
function holeWarnings(weekly: readonly WeeklyEntry[]): Warning[] {
  const active = weekly.flatMap((entry, index) => (entry.isActive ? [{ entry, index, ...spanOf(entry) }] : []));
  return active.flatMap(({ entry, index, end }) =>
    active.flatMap((next) => {
      const start = next.start + ((next.entry.dayOfWeek - entry.dayOfWeek + 7) % 7) * DAY;
      const hole = start - end;
      if (hole <= 0 || hole > SHORT_HOLE) return [];
      const message = `Closed for ${hole} seconds between ${entryText(entry)} and ${entryText(next.entry)}: to stay open, let the first one end when the next one starts (00:00 is the end of a day).`;
      return [{ kind: 'short_hole' as const, entry: index, message }];
    }),
  );
}

/** Entries that begin or end at a time which the clock skips on some day. */
function gapWarnings({ weekly, timezone }: Schedule, from: number): Warning[] {
  const zone = new Zone(timezone);
  const warnings = new Map<number, Warning>();
  const until = from + GAPS_WITHIN_MS;
  for (let at = zone.nextSetting(from, until); at !== undefined; at = zone.nextSetting(at, until)) {
    const before = at + zone.offset(at - 1);
    const skipped = at + zone.offset(at) - before;
    if (skipped <= 0) continue;
    for (const [index, entry] of weekly.entries()) {
      const message = entry.isActive && !warnings.has(index) && inGap(entry, before, skipped, timezone);
      if (message) warnings.set(index, { kind: 'dst_gap', entry: index, message });
    }
  }
  return [...warnings.values()];
}

/** @param before the wall clock when it is set, as milliseconds. @param skipped how far it is set forth. */
function inGap(entry: WeeklyEntry, before: number, skipped: number, timezone: string): string | undefined {
  const gap = { start: before / 1000, end: (before + skipped) / 1000 };
  const { start, end } = spanOf(entry);
  const today = Math.floor(before / DAY_MS);
  for (const day of [today - 1, today, today + 1]) {
    if (weekdayOf(day) !== entry.dayOfWeek) continue;
    const [opens, closes] = [day * DAY + start, day * DAY + end];
    const clock = (second: number) => timeText(second - day * DAY);
    let what: string;
    if (gap.start <= opens && closes <= gap.end) what = 'does not open at all';
    else if (gap.start < opens && opens < gap.end) what = `opens at ${clock(gap.end)}`;
    else if (gap.start < closes && closes < gap.end) what = `closes at ${clock(gap.start)}`;
    else continue;
    const span = `${clock(gap.start)} to ${clock(gap.end)}`;
    return `${entryText(entry)} ${what} on ${dateOf(today)}: ${timezone} skips ${span}.`;
  }
  return undefined;
}
