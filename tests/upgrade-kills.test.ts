/** `npm run prove:upgrades` in short. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Tally } from '../chaos/experiment.ts';
import { Ground } from '../chaos/ground.ts';
import { proveUpgrade } from '../chaos/upgrade-proof.ts';

let ground: Ground;
beforeAll(async () => {
  ground = await Ground.open();
});
afterAll(() => ground?.close());

test('20 tenants, 2 of them poisoned, 3 kills: none twice, the 2 set aside, the rest at the new version, every request answered', async () => {
  const stopping = new AbortController();
  const tally = new Tally(1, 20270905, 10, stopping.signal);
  const { losses, facts } = await proveUpgrade(ground, {
    tenants: 20,
    poisoned: 2,
    kills: 3,
    chance: (...name) => tally.chance(...name),
    tell: () => {},
    stopping: stopping.signal,
  });
  expect(losses).toEqual([]);
  expect(facts).toHaveLength(3);
}, 300_000);
