/** When a limit is reached, if things go on as they did of late. */
import { DateTime } from 'luxon';

const DAY_MS = 86_400_000;

/** How much there was at the end of a day. */
export interface DayCount {
  /** From whatever day on; only their distances count. */
  day: number;
  count: number;
}

const FEWEST_DAYS = 3;
const FURTHEST_DAYS = 365;

/**
 * Of what only ever grows or shrinks by degrees, such as agents: goes on from what there is now by the slope of the
 * straight line that lies closest to the days' counts (least squares).
 *
 * @returns whole days until the limit is reached, 0 if it is; undefined where it is not to be expected within a year, or
 * fewer than three days are known.
 */
export function daysUntilReached(history: readonly DayCount[], used: number, limit: number): number | undefined {
  if (used >= limit) return 0;
  if (history.length < FEWEST_DAYS) return undefined;
  const { rise, run } = slopeOf(history);
  if (rise <= 0) return undefined;
  const days = Math.ceil(((limit - used) * run) / rise);
  return days <= FURTHEST_DAYS ? days : undefined;
}

/** As a fraction of whole numbers, so that a tenant that grows evenly reaches its limit on the day and not one later. */
function slopeOf(history: readonly DayCount[]): { rise: number; run: number } {
  const sum = (of: (one: DayCount) => number) => history.reduce((total, one) => total + of(one), 0);
  const [days, counts] = [sum(({ day }) => day), sum(({ count }) => count)];
  return {
    rise: history.length * sum(({ day, count }) => day * count) - days * counts,
    run: history.length * sum(({ day }) => day ** 2) - days ** 2,
  };
}

/**
 * Of what is counted from the first of each month, such as messages: goes on at the month's rate so far, which is taken
 * over a day at least, so that the first minutes of a month foretell nothing wild.
 *
 * @param now in the zone whose months count.
 * @returns when the limit is reached; undefined where the month ends first, since counting then starts anew.
 */
export function reachedThisMonth(now: DateTime, used: number, limit: number): DateTime | undefined {
  if (used >= limit) return now;
  if (used === 0) return undefined;
  const elapsed = Math.max(now.toMillis() - now.startOf('month').toMillis(), DAY_MS);
  const reached = now.plus({ milliseconds: ((limit - used) * elapsed) / used });
  return reached.hasSame(now, 'month') ? reached : undefined;
}
