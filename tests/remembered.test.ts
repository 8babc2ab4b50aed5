import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { TenantHours } from '../src/domain/tenant-hours.ts';
import { dateOf, dayOf } from '../src/domain/working-hours/schedule.ts';
import { Remembered } from '../src/live/remembered.ts';

/** How old what is kept may be while the log is late, and how long a load is waited for; in milliseconds. */
const [MOST_LAG, PATIENCE] = [900, 500];

interface Value {
  n: number;
}
type Load = PromiseWithResolvers<Value>;

/** Whether the event log has been read to its end. */
let current: boolean;
let remembered: Remembered<Value>;
/** Every load that was begun, the oldest first. */
let loads: Load[];

beforeEach(() => {
  current = true;
  loads = [];
  remembered = new Remembered({ isCurrent: () => current }, 100);
});

const ask = async (key = 'acme') => {
  const { n } = await remembered.get(key, () => {
    const load = Promise.withResolvers<Value>();
    loads.push(load);
    return load.promise;
  });
  return n;
};
const away = () => new Error('the database is away');
/** The value 1 becomes known, and so old that a late log no longer vouches for it. */
async function known(): Promise<void> {
  const first = ask();
  loads.shift()!.resolve({ n: 1 });
  expect(await first).toBe(1);
  current = false;
  await sleep(MOST_LAG + 20);
}
/** An answer, and after how many milliseconds it came. */
async function timed(answer: Promise<number>): Promise<{ n: number; ms: number }> {
  const start = performance.now();
  return { n: await answer, ms: performance.now() - start };
}

describe('what is not known', () => {
  test('is loaded once for all who ask at once, and then kept', async () => {
    const all = [ask(), ask(), ask()];
    loads[0]!.resolve({ n: 1 });
    expect([await Promise.all(all), await ask(), loads.length]).toEqual([[1, 1, 1], 1, 1]);
  });

  test('is waited for, however long it takes', async () => {
    const answer = timed(ask());
    await sleep(PATIENCE + 100);
    loads[0]!.resolve({ n: 1 });
    expect(await answer).toEqual({ n: 1, ms: expect.any(Number) });
    expect((await answer).ms).toBeGreaterThan(PATIENCE);
  });

  test('fails for all who wait, and is asked anew by the next one', async () => {
    const all = [ask(), ask()];
    loads[0]!.reject(away());
    expect((await Promise.allSettled(all)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const again = ask();
    loads[1]!.resolve({ n: 2 });
    expect([await again, await ask(), loads.length]).toEqual([2, 2, 2]);
  });

  test('is asked anew also when asking fails before it begins', async () => {
    const broken = () => {
      throw away();
    };
    await expect(remembered.get('acme', broken)).rejects.toThrow('away');
    await expect(remembered.get('acme', async () => ({ n: 2 }))).resolves.toEqual({ n: 2 });
  });

  test('is kept as long as there is room for it, by its weight', async () => {
    const weighed = new Remembered<Value>({ isCurrent: () => true }, 100, { weigh: ({ n }) => n });
    const loaded: string[] = [];
    const get = (key: string, n: number) =>
      weighed.get(key, async () => {
        loaded.push(key);
        return { n };
      });
    for (const key of ['light', 'heavy', 'light', 'heavy']) await get(key, key === 'heavy' ? 60 : 30);
    expect(loaded).toEqual(['light', 'heavy']);
    // Whoever was not asked for the longest makes room; who is heavier than all room there is, is not kept.
    await get('another', 30);
    for (const key of ['heavy', 'light', 'giant', 'giant', 'light']) await get(key, key === 'giant' ? 101 : 30);
    expect(loaded.slice(2)).toEqual(['another', 'light', 'giant', 'giant']);
  });

  test('is of one key alone', async () => {
    const [acme, other] = [ask('acme'), ask('other')];
    loads[1]!.resolve({ n: 2 });
    expect(await other).toBe(2);
    loads[0]!.resolve({ n: 1 });
    expect(await acme).toBe(1);
  });
});

describe('what is known, while the log is late', () => {
  test('is asked anew, at a pace', async () => {
    await known();
    const answer = ask();
    loads[0]!.resolve({ n: 2 });
    expect([await answer, await ask(), loads.length]).toEqual([2, 2, 1]);
    await sleep(MOST_LAG + 20);
    const later = ask();
    loads[1]!.resolve({ n: 3 });
    expect(await later).toBe(3);
  });

  test('holds for everybody whose load fails, also for those who joined it, and each time anew', async () => {
    await known();
    for (let round = 0; round < 3; round++) {
      const all = [ask(), ask(), ask()];
      loads.at(-1)!.reject(away());
      expect([await Promise.all(all), loads.length]).toEqual([[1, 1, 1], round + 1]);
    }
    const after = ask();
    loads.at(-1)!.resolve({ n: 2 });
    expect(await after).toBe(2);
  });

  test('holds while a load hangs: after a moment at first, then at once, by one load', async () => {
    await known();
    const first = await timed(ask());
    expect(first.n).toBe(1);
    expect(first.ms).toBeGreaterThan(PATIENCE - 20);
    expect(first.ms).toBeLessThan(PATIENCE + 200);
    const next = await timed(ask());
    expect(next.n).toBe(1);
    expect(next.ms).toBeLessThan(50);
    expect(loads).toHaveLength(1);
  });

  test('is replaced by what a load brings that has hung, or asked anew when that fails after all', async () => {
    await known();
    await ask();
    loads[0]!.reject(away());
    await sleep(0);
    await ask();
    await sleep(MOST_LAG - PATIENCE + 20);
    loads[1]!.resolve({ n: 2 });
    await sleep(0);
    // By now that load began too long ago to speak for the present, while the log is late.
    const third = ask();
    expect(loads).toHaveLength(3);
    loads[2]!.reject(away());
    expect(await third).toBe(2);
    current = true;
    expect([await ask(), loads.length]).toEqual([2, 3]);
  });

  test('is given at once when the log has caught up, though a load still hangs', async () => {
    await known();
    await ask();
    current = true;
    expect(await ask()).toBe(1);
    expect(loads).toHaveLength(1);
  });
});

describe('what was forgotten', () => {
  test('is loaded anew and waited for', async () => {
    await known();
    current = true;
    remembered.forget('acme');
    const answer = timed(ask());
    await sleep(PATIENCE + 100);
    loads[0]!.resolve({ n: 2 });
    expect((await answer).n).toBe(2);
  });

  test('does not hold again when loading it fails', async () => {
    await known();
    remembered.forgetAll();
    const answer = ask();
    loads[0]!.reject(away());
    await expect(answer).rejects.toThrow('away');
  });

  test('is never brought back by a load that began before, whichever ends first', async () => {
    for (const oldFirst of [true, false]) {
      const key = `old first: ${oldFirst}`;
      loads = [];
      const before = ask(key);
      remembered.forget(key);
      const after = ask(key);
      const [old, recent] = loads as [Load, Load];
      const end = { old: () => old.resolve({ n: 1 }), recent: () => recent.resolve({ n: 2 }) };
      for (const which of oldFirst ? (['old', 'recent'] as const) : (['recent', 'old'] as const)) end[which]();
      expect(await Promise.all([before, after])).toEqual([1, 2]);
      expect([await ask(key), loads.length]).toEqual([2, 2]);
    }
  });

  test('is not brought back by a load that hung since it was known', async () => {
    await known();
    const hanging = ask();
    remembered.forgetAll();
    const after = ask();
    loads[1]!.resolve({ n: 2 });
    expect(await after).toBe(2);
    loads[0]!.resolve({ n: 1 });
    expect(await hanging).toBe(1);
    current = true;
    expect([await ask(), loads.length]).toEqual([2, 2]);
  });

  test('harms no other load when one that began before fails', async () => {
    const before = ask();
    remembered.forget('acme');
    const after = ask();
    loads[0]!.reject(away());
    await expect(before).rejects.toThrow('away');
    loads[1]!.resolve({ n: 2 });
    expect([await after, await ask(), loads.length]).toEqual([2, 2, 2]);
  });
});

test('the clocks of divisions are kept for as long as there is room, and one that made room for others is the same again', () => {
  const closed = { name: 'Closed', yearly: false, hours: [], optedOut: [] };
  const exceptions = Array.from({ length: 500 }, (_, n) => {
    const date = dateOf(dayOf('2027-01-01') + n);
    return { ...closed, id: `${n}`, startDate: date, endDate: date };
  });
  const row = { seq: '1', validFrom: 0 };
  const ids = Array.from({ length: 1500 }, (_, n) => `division ${n}`);
  const hours = new TenantHours([
    { ...row, divisionId: null, schedule: { timezone: 'UTC', weekly: [], exceptions } },
    ...ids.map((divisionId) => {
      const schedule = { name: divisionId, timezone: null, weekly: null, exceptions: [] };
      return { ...row, divisionId, schedule };
    }),
  ]);
  const first = hours.scope(ids[0]);
  expect(hours.scope(ids[0])).toBe(first);
  for (const id of ids) hours.scope(id);
  expect(hours.scope(ids.at(-1))).toBe(hours.scope(ids.at(-1)));
  expect(hours.scope(ids[0])).not.toBe(first);
  expect(hours.scope(ids[0]).clock.schedule).toEqual(first.clock.schedule);
});
