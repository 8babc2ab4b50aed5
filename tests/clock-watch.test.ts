import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { correctBy, correction } from '../src/clock.ts';
import { goByDatabase } from '../src/live/clock-watch.ts';

afterEach(() => correctBy(0));

/** A database whose clock is ahead by so much, and that takes so long to say so. */
const database = (aheadMs: number, tookMs = 0) =>
  ({
    async query() {
      const now = Date.now() + aheadMs;
      await sleep(tookMs);
      return { rows: [{ now }] };
    },
  }) as never;

test('a clock that is right to a second is left alone', async () => {
  await goByDatabase(database(900));
  expect(correction()).toBe(0);
});

test('a clock that is wrong is made up for, and believed again when it is set right', async () => {
  await goByDatabase(database(3000));
  expect(correction() / 1000).toBeCloseTo(3, 1);
  await goByDatabase(database(0));
  expect(correction()).toBe(0);
});

test('an answer that comes late does not undo what a quick one said', async () => {
  await goByDatabase(database(1500));
  const before = correction();
  await goByDatabase(database(1500, 1200));
  expect(correction()).toBe(before);
});

test('a clock that is off by about a second is not set anew with each look', async () => {
  await goByDatabase(database(1050));
  const before = correction();
  for (const ahead of [980, 1010, 960]) await goByDatabase(database(ahead));
  expect(correction()).toBe(before);
});
