/** Counting only the time in which a business is open, as a service level does. */
import type { WorkingHoursClock } from './clock.ts';

/** A schedule and the instant from which it holds, in milliseconds since the epoch. */
export interface Reign {
  from: number;
  clock: WorkingHoursClock;
}

/** An open stretch of real time, `[from, to)`. */
interface OpenTime {
  from: number;
  to: number;
}

/** How much of `[from, to)` is open, in milliseconds, each moment judged by the schedule that held then. */
export function openTimeBetween(reigns: readonly Reign[], from: number, to: number): number {
  let total = 0;
  for (const stretch of openTimes(reigns, from, to)) total += stretch.to - stretch.from;
  return total;
}

/**
 * The earliest instant by which so much open time has passed.
 *
 * @param until where the search ends.
 * @returns how much is left then, where that is later.
 */
export function afterOpenTime(
  reigns: readonly Reign[],
  from: number,
  duration: number,
  until: number,
): { at: number } | { at?: undefined; left: number } {
  let left = duration;
  if (left === 0) return { at: from };
  for (const stretch of openTimes(reigns, from, until)) {
    const length = stretch.to - stretch.from;
    if (length >= left) return { at: stretch.from + left };
    left -= length;
  }
  return { left };
}

/** @param reigns by their beginnings; the first is taken to have held before as well. */
function* openTimes(reigns: readonly Reign[], from: number, to: number): Generator<OpenTime, void, undefined> {
  for (const [index, { clock, from: began }] of reigns.entries()) {
    const start = index === 0 ? from : Math.max(from, began);
    const end = Math.min(to, reigns[index + 1]?.from ?? to);
    if (start < end) yield* openTimesOf(clock, start, end);
  }
}

function* openTimesOf(clock: WorkingHoursClock, from: number, to: number): Generator<OpenTime, void, undefined> {
  let openSince = clock.isOpen(from) ? from : undefined;
  for (const { at, isOpen } of clock.changes(from, to)) {
    if (isOpen) openSince = at;
    else if (openSince !== undefined) {
      yield { from: openSince, to: at };
      openSince = undefined;
    }
  }
  if (openSince !== undefined) yield { from: openSince, to };
}
