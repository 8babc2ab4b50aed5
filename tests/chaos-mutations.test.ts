/** That the experiments can fail: what the platform's promises rest on is taken away, and something is lost. */
import { beforeAll, expect, test } from '@jest/globals';
import { mutants } from '../chaos/mutants.ts';
import { tryMutant } from '../chaos/mutations.ts';
import { ensureBuilt } from './support/built.ts';

/** Times are not what they are to be found by. */
const PATIENCE = 10;
/** The quickest of those that no chance decides; all are tried by `npm run chaos -- --mutations`. */
const SHORT = ['the REVOKE', 'the compare-and-set'];
const chosen = SHORT.map((start) => mutants.find(({ name }) => name.startsWith(start))!);

beforeAll(ensureBuilt);

test.each(chosen.map((mutant) => [mutant.name, mutant] as const))(
  'something is lost without %s',
  async (_, mutant) => {
    expect(await tryMutant(mutant, 20270905, PATIENCE)).not.toEqual([]);
  },
  300_000,
);
