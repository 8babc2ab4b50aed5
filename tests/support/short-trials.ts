/** Experiments of `npm run chaos`, in short. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Tally } from '../../chaos/experiment.ts';
import { experiments } from '../../chaos/experiments/index.ts';
import { Ground } from '../../chaos/ground.ts';

/** How often each is tried, in two suites, which run beside each other. */
export const FAULTS = {
  // Each point once.
  'kill-steps': 14,
  'kill-anywhere': 2,
  freeze: 4,
  'postgres-restart': 1,
  'postgres-kill': 1,
  // Of two, one ends all sessions.
  'postgres-sessions': 2,
};

export const REQUESTS = {
  'idempotency-at-once': 1,
  'idempotency-again': 1,
  'idempotency-other-body': 1,
  'idempotency-cut': 2,
  'race-slug': 1,
  'race-admins': 1,
  'race-limits': 1,
  leave: 80,
  pool: 1,
  disk: 1,
  drain: 1,
};

/** Other tests run at the same time. */
const PATIENCE = 10;
const SEED = 20270905;

/** Tests that nothing is lost by some of them. @param trials of each, by its name. */
export function tryInShort(trials: Readonly<Record<string, number>>): void {
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
        const tally = new Tally(trials[name]!, SEED, PATIENCE);
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
}
