/** Where stretches stand in the grid, and what a movement of the pointer or a key makes of them. Knows no DOM. */
import { DAY, type Stretch, WEEKDAYS } from './draft.ts';

export const STEP = 15 * 60;
export const FINE_STEP = 5 * 60;

/** The piece of a stretch that lies on one day. */
export interface Piece {
  stretch: Stretch;
  /** Seconds of that day. */
  from: number;
  to: number;
  isFirst: boolean;
  isLast: boolean;
}

export const nextDay = (day: number, by = 1): number => (((day + by) % 7) + 7) % 7;
/** How many days `day` comes after `from`, 0 to 6. */
export const daysFrom = (from: number, day: number): number => nextDay(day, -from);
export const columnOf = (day: number): number => WEEKDAYS.indexOf(day as 0);

export function piecesOn(week: readonly Stretch[], day: number): Piece[] {
  return week
    .flatMap((stretch): Piece[] => {
      const runsOver = stretch.end > DAY;
      if (stretch.day === day)
        return [{ stretch, from: stretch.start, to: Math.min(stretch.end, DAY), isFirst: true, isLast: !runsOver }];
      if (runsOver && nextDay(stretch.day) === day)
        return [{ stretch, from: 0, to: stretch.end - DAY, isFirst: false, isLast: true }];
      return [];
    })
    .sort((a, b) => a.from - b.from);
}

export const snap = (second: number, step: number): number => Math.round(second / step) * step;
const within = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);

/** A point of the grid. */
export interface Point {
  day: number;
  /** Of that day. */
  second: number;
}

export type Grip = 'move' | 'start' | 'end';

/** A stretch drawn on a day that was empty there, from where the pointer went down to where it is. */
export function drawn(from: Point, to: Point, step: number): { start: number; end: number } {
  const anchor = within(snap(from.second, step), 0, DAY - step);
  // Over into another column: to the edge of the day on that side, past midnight only to the right.
  const over = daysFrom(from.day, to.day);
  if (over === 1 && columnOf(to.day) !== columnOf(from.day)) {
    const end = DAY + within(snap(to.second, step), 0, anchor - step);
    return { start: anchor, end: Math.max(end, DAY) };
  }
  const other = within(snap(to.second, step), 0, DAY);
  if (other >= anchor) return { start: anchor, end: Math.max(other, anchor + step) };
  return { start: other, end: anchor };
}

/** @param grabbed where the pointer went down. @param to where it is. */
export function dragged(stretch: Stretch, grip: Grip, grabbed: Point, to: Point, step: number): Stretch {
  if (grip === 'start') return withStart(stretch, to, step);
  if (grip === 'end') return withEnd(stretch, to, step);
  return moved(stretch, grabbed, to, step);
}

function moved(stretch: Stretch, grabbed: Point, to: Point, step: number): Stretch {
  const length = stretch.end - stretch.start;
  const days = columnOf(to.day) - columnOf(grabbed.day);
  const start = snap(stretch.start + to.second - grabbed.second, step);
  // What lies within its day stays within a day; what runs past midnight may go where it wants.
  if (stretch.end <= DAY) {
    const kept = within(start, 0, DAY - length);
    return { ...stretch, day: nextDay(stretch.day, days), start: kept, end: kept + length };
  }
  return placed(stretch, stretch.day + days, start, length);
}

/** @param start may lie before or after the day. */
function placed(stretch: Stretch, day: number, start: number, length: number): Stretch {
  const over = Math.floor(start / DAY);
  const within24 = start - over * DAY;
  return { ...stretch, day: nextDay(day, over), start: within24, end: within24 + length };
}

function withStart(stretch: Stretch, to: Point, step: number): Stretch {
  const second = snap(to.second, step);
  const isBefore = daysFrom(to.day, stretch.day) === 1 && columnOf(to.day) < columnOf(stretch.day);
  const start = isBefore ? 0 : second;
  const earliest = Math.max(0, stretch.end > DAY ? stretch.end - DAY + step : 0);
  return { ...stretch, start: within(start, earliest, Math.min(stretch.end, DAY) - step) };
}

function withEnd(stretch: Stretch, to: Point, step: number): Stretch {
  const over = daysFrom(stretch.day, to.day);
  const columns = columnOf(to.day) - columnOf(stretch.day);
  // A day later is past midnight; further to the left nothing can be meant but the shortest.
  let second = snap(to.second, step);
  if (over === 1) second += DAY;
  else if (columns > 1) second = 2 * DAY;
  else if (columns < 0) second = stretch.start;
  const latest = stretch.start === 0 ? DAY : Math.max(DAY, stretch.start + DAY - step);
  return { ...stretch, end: within(second, stretch.start + step, latest) };
}

/** What a key does to a stretch; undefined where it has nothing to do with it. */
export function keyed(
  stretch: Stretch,
  key: string,
  { isResizing, step }: { isResizing: boolean; step: number },
): Stretch | undefined {
  const length = stretch.end - stretch.start;
  const at = (second: number, by: number) =>
    (by < 0 ? Math.ceil(second / step - 1) : Math.floor(second / step + 1)) * step;
  const latest = stretch.start === 0 ? DAY : stretch.start + DAY - step;
  const earliest = Math.max(0, stretch.end - DAY + (stretch.end > DAY ? step : 0));
  switch (`${isResizing ? 'Shift' : ''}${key}`) {
    case 'ArrowUp':
    case 'ArrowDown': {
      if (length === DAY) return stretch;
      return placed(stretch, stretch.day, at(stretch.start, key === 'ArrowUp' ? -1 : 1), length);
    }
    case 'ArrowLeft':
      return { ...stretch, day: nextDay(stretch.day, -1) };
    case 'ArrowRight':
      return { ...stretch, day: nextDay(stretch.day) };
    case 'ShiftArrowUp':
      return { ...stretch, end: within(at(stretch.end, -1), stretch.start + step, latest) };
    case 'ShiftArrowDown':
      return { ...stretch, end: within(at(stretch.end, 1), stretch.start + step, latest) };
    case 'ShiftArrowLeft':
      return { ...stretch, start: within(at(stretch.start, -1), earliest, Math.min(stretch.end, DAY) - step) };
    case 'ShiftArrowRight':
      return { ...stretch, start: within(at(stretch.start, 1), earliest, Math.min(stretch.end, DAY) - step) };
    default:
      return undefined;
  }
}
