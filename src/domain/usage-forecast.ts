/** When a limit is reached, if things go on as they did of late. */
import { DateTime } from 'luxon';

const DAY_MS = 86_400_000;

/** How much there was at the end of a day. */
export interface DayCount {
  /** Days since whatever day; only their distances count. */
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
  const slope = slopeOf(history);
  if (slope <= 0) return undefined;
  const days = Math.ceil((limit - used) / slope);
  return days <= FURTHEST_DAYS ? days : undefined;
}

/** Per day. */
function slopeOf(history: readonly DayCount[]): number {
  const mean = (of: (one: DayCount) => number) => history.reduce((sum, one) => sum + of(one), 0) / history.length;
  const [day, count] = [mean((one) => one.day), mean((one) => one.count)];
  const covariance = mean((one) => (one.day - day) * (one.count - count));
  return covariance / mean((one) => (one.day - day) ** 2);
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
  const month = now.startOf('month');
  const elapsed = Math.max(now.toMillis() - month.toMillis(), DAY_MS);
  const reached = now.plus({ milliseconds: ((limit - used) * elapsed) / used });
  return reached < month.plus({ months: 1 }) ? reached : undefined;
}
