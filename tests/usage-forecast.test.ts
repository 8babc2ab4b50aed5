import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { type DayCount, daysUntilReached, reachedThisMonth } from '../src/domain/usage-forecast.ts';

/** A tenant that gets so many more each day; `step` days lie between two records. */
const growing = (perDay: number, records: number, start = 0, step = 1): DayCount[] =>
  Array.from({ length: records }, (_, at) => ({ day: at * step - 400, count: start + perDay * at * step }));

/** What it comes to, day by day. */
function simulated(perDay: number, used: number, limit: number): number | undefined {
  for (let day = 0; day <= 365; day += 1) if (used + perDay * day >= limit) return day;
  return undefined;
}

describe('a limit on what grows by degrees', () => {
  test('is reached on the day on which a tenant that goes on as before reaches it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -50, max: 2000 }),
        fc.integer({ min: 3, max: 30 }),
        fc.integer({ min: 1, max: 3 }),
        fc.nat(1_000_000),
        fc.nat(370),
        fc.integer({ min: -1, max: 1 }),
        (perDay, records, step, used, days, more) => {
          // About the edge between two days.
          const limit = used + perDay * days + more;
          const history = growing(perDay, records, 5000, step);
          expect(daysUntilReached(history, used, limit)).toBe(simulated(perDay, used, limit));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('follows the line from which the days lie least far, all together', () => {
    const count = fc.integer({ min: 0, max: 1000 });
    const days = fc.uniqueArray(fc.integer({ min: -29, max: 0 }), { minLength: 3, maxLength: 30 });
    fc.assert(
      fc.property(days, fc.array(count, { minLength: 30, maxLength: 30 }), (distinct, counts) => {
        const history = distinct.map((day, at) => ({ day, count: counts[at]! }));
        // So far off that the slope can be told from the day, if it grows at all.
        const days = daysUntilReached(history, 1000, 1000 + 300);
        const best = leastSquares(history);
        if (days === undefined) expect(best).toBeLessThan(300 / 365 + 0.02);
        else {
          expect(best).toBeGreaterThanOrEqual(300 / days - 0.02);
          if (days > 1) expect(best).toBeLessThanOrEqual(300 / (days - 1) + 0.02);
        }
      }),
      { numRuns: 500 },
    );
  });

  /** The slope of the best line, found by trying ever finer ones. */
  function leastSquares(history: DayCount[]): number {
    const middle = (of: (one: DayCount) => number) => history.reduce((sum, one) => sum + of(one), 0) / history.length;
    const [day, count] = [middle((one) => one.day), middle((one) => one.count)];
    const error = (slope: number) =>
      history.reduce((sum, one) => sum + (one.count - count - slope * (one.day - day)) ** 2, 0);
    let [low, high] = [-1100, 1100];
    while (high - low > 0.001) {
      const third = (high - low) / 3;
      if (error(low + third) < error(high - third)) high -= third;
      else low += third;
    }
    return (low + high) / 2;
  }

  test('is reached today where it is reached, whatever came before', () => {
    expect(daysUntilReached([], 10, 10)).toBe(0);
    expect(daysUntilReached(growing(-1, 30, 100), 11, 10)).toBe(0);
    expect(daysUntilReached([], 0, 0)).toBe(0);
  });

  test('is not foretold of two days, nor of what stays or shrinks, nor beyond a year', () => {
    expect(daysUntilReached(growing(5, 2), 5, 10)).toBeUndefined();
    expect(daysUntilReached(growing(5, 3), 5, 10)).toBe(1);
    expect(daysUntilReached(growing(0, 30), 5, 10)).toBeUndefined();
    expect(daysUntilReached(growing(-1, 30, 100), 5, 10)).toBeUndefined();
    expect(daysUntilReached(growing(1, 30), 0, 365)).toBe(365);
    expect(daysUntilReached(growing(1, 30), 0, 366)).toBeUndefined();
  });
});

describe('a limit on what starts anew each month', () => {
  const DAY_MS = 86_400_000;
  const ZONES = ['UTC', 'Asia/Jakarta', 'America/Santiago', 'Africa/Casablanca', 'Australia/Lord_Howe', 'Africa/Cairo'];

  /** Goes through what is left of the month, local day by local day, in whole numbers. */
  function simulatedDay(now: DateTime, used: number, limit: number): string | undefined {
    const month = now.startOf('month');
    const elapsed = BigInt(Math.max(now.toMillis() - month.toMillis(), DAY_MS));
    for (let day = now.startOf('day'); day.month === now.month; day = day.plus({ days: 1 }).startOf('day')) {
      const end = day.plus({ days: 1 }).startOf('day');
      const more = BigInt(used) * BigInt(end.toMillis() - now.toMillis());
      if (more > BigInt(limit - used) * elapsed) return day.toISODate()!;
    }
    return undefined;
  }

  test('is reached on the local day on which the month so far, going on, comes to it', () => {
    const instants = fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2028, 0) });
    fc.assert(
      fc.property(instants, fc.constantFrom(...ZONES), fc.nat(100_000), fc.nat(400_000), (ms, zone, used, more) => {
        const now = DateTime.fromMillis(ms, { zone });
        const reached = reachedThisMonth(now, used, used + more + 1);
        if (reached) {
          // At midnight to the millisecond, rounding may say either day.
          const edge = reached.plus({ hours: 12 }).startOf('day').toMillis() - reached.toMillis();
          fc.pre(Math.abs(edge) > 1);
        }
        expect(reached?.toISODate()).toBe(simulatedDay(now, used, used + more + 1));
      }),
      { numRuns: 2000 },
    );
  });

  test('is reached now where it is reached, also on the last day', () => {
    const now = DateTime.fromISO('2026-11-30T23:59:59', { zone: 'Asia/Jakarta' });
    expect(reachedThisMonth(now, 10, 10)?.toISODate()).toBe('2026-11-30');
    expect(reachedThisMonth(now, 0, 0)?.toISODate()).toBe('2026-11-30');
    expect(reachedThisMonth(now, 9, 10)).toBeUndefined();
    expect(reachedThisMonth(now, 1, 2_147_483_647)).toBeUndefined();
  });

  test('is told by a rate over a day at least', () => {
    const firstMinute = DateTime.fromISO('2026-11-01T00:01:00', { zone: 'utc' });
    expect(reachedThisMonth(firstMinute, 10, 1000)).toBeUndefined();
    expect(reachedThisMonth(firstMinute, 10, 100)?.toISODate()).toBe('2026-11-10');
    expect(reachedThisMonth(firstMinute, 0, 1)).toBeUndefined();
  });
});
