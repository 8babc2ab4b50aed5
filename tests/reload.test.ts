import { expect, test } from '@jest/globals';
import { Reload } from '../src/reload.ts';

/** What is kept, and readings of it that end when they are told to. */
function readings() {
  const under: PromiseWithResolvers<void>[] = [];
  const kept: number[] = [];
  const reload = new Reload(
    async () => {
      const end = Promise.withResolvers<void>();
      const number = under.push(end);
      await end.promise;
      kept.push(number);
    },
    () => undefined,
  );
  return { reload, under, kept };
}

const aMoment = () => new Promise((resolve) => setTimeout(resolve, 5));

test('a reading that is late is not put in the place of one that began after it', async () => {
  const { reload, under, kept } = readings();
  const first = reload.now();
  await aMoment();
  reload.told();
  await aMoment();
  expect(under).toHaveLength(1);
  under[0]!.resolve();
  await first;
  await aMoment();
  under[1]!.resolve();
  await aMoment();
  expect(kept).toEqual([1, 2]);
});

test('all who want a reading while one is under way share the next, which sees what was there when they asked', async () => {
  const { reload, under, kept } = readings();
  const first = reload.now();
  await aMoment();
  const others = [reload.now(), reload.now(), reload.now()];
  reload.told();
  under[0]!.resolve();
  await first;
  await aMoment();
  under[1]!.resolve();
  await Promise.all(others);
  await aMoment();
  expect([under.length, kept]).toEqual([2, [1, 2]]);
});

test('one that fails is told to whoever wanted it, and the next is as any', async () => {
  const { reload, under, kept } = readings();
  const failing = reload.now();
  await aMoment();
  under[0]!.reject(new Error('away'));
  await expect(failing).rejects.toThrow('away');
  const next = reload.now();
  await aMoment();
  under[1]!.resolve();
  await next;
  expect(kept).toEqual([2]);
});
