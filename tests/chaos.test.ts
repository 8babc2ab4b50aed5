/** The experiments of `npm run chaos`, each in short: that they run, and that nothing is lost. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Tally } from '../chaos/experiment.ts';
import { experiments } from '../chaos/experiments/index.ts';
import { Ground } from '../chaos/ground.ts';

/** Other tests run at the same time. */
const PATIENCE = 10;
const trials: Record<string, number> = {
  'kill-steps': 4,
  'kill-anywhere': 1,
  freeze: 2,
  'postgres-restart': 1,
  'postgres-kill': 1,
  'postgres-sessions': 1,
  'idempotency-at-once': 1,
  'idempotency-again': 1,
  'idempotency-other-body': 2,
  'idempotency-cut': 2,
  'race-slug': 1,
  'race-admins': 2,
  'race-limits': 1,
  leave: 80,
  pool: 1,
  disk: 1,
  drain: 1,
};

let ground: Ground;
beforeAll(async () => {
  ground = await Ground.open();
});
afterAll(() => ground?.close());

test('every experiment has a short form', () => {
  expect(Object.keys(trials)).toEqual(experiments.map(({ name }) => name));
});

for (const { name, fault, run, unable } of experiments) {
  const reason = unable?.();
  if (reason) process.stderr.write(`skipped: ${fault} (${reason})\n`);
  (reason ? test.skip : test)(
    `nothing is lost by: ${fault}`,
    async () => {
      const tally = new Tally(trials[name]!, 20270905, PATIENCE);
      await run(ground, tally);
      expect(tally.losses).toEqual([]);
      expect(tally.done).toBe(trials[name]);
    },
    300_000,
  );
}
