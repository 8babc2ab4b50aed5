/** Experiments of `npm run chaos`, in short: that they run, and that nothing is lost. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Tally } from '../chaos/experiment.ts';
import { experiments } from '../chaos/experiments/index.ts';
import { Ground } from '../chaos/ground.ts';

/** Other tests run at the same time. */
const PATIENCE = 10;
/** The others take longer than all of these, and are tried by `npm run chaos` alone. */
const trials: Record<string, number> = {
  // Each point once.
  'kill-steps': 14,
  freeze: 4,
  'postgres-kill': 1,
  'idempotency-at-once': 1,
  'race-slug': 1,
  'race-limits': 1,
  leave: 80,
  disk: 1,
  drain: 1,
};
const chosen = experiments.filter(({ name }) => name in trials);

let ground: Ground;
beforeAll(async () => {
  ground = await Ground.open();
});
afterAll(() => ground?.close());

test('the short forms are of experiments that there are', () => {
  expect(Object.keys(trials)).toEqual(chosen.map(({ name }) => name));
});

for (const { name, fault, run, unable } of chosen) {
  const reason = unable?.();
  if (reason) process.stderr.write(`skipped: ${fault} (${reason})\n`);
  (reason ? test.skip : test)(
    `nothing is lost by: ${fault}`,
    async () => {
      const tally = new Tally(trials[name]!, 20270905, PATIENCE);
      try {
        await run(ground, tally);
      } finally {
        await ground.clear();
      }
      expect(tally.losses).toEqual([]);
      expect(tally.done).toBe(trials[name]);
    },
    300_000,
  );
}
