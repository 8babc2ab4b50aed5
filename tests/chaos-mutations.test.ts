/** That the experiments can fail: what the platform's promises rest on is taken away, and something is lost. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { experiments } from '../chaos/experiments/index.ts';
import { makeMutant, mutants } from '../chaos/mutants.ts';
import { tryMutant } from '../chaos/mutations.ts';
import { dist, ensureBuilt } from './support/built.ts';

/** Times are not what they are to be found by. */
const PATIENCE = 10;
/** What everything else rests on; all are tried by `npm run chaos -- --mutations`. */
const SHORT = ['the fence', 'the REVOKE', 'the compare-and-set', 'duplicate names'];
const chosen = SHORT.map((start) => mutants.find(({ name }) => name.startsWith(start))!);

beforeAll(ensureBuilt);

test.each(mutants.map((mutant) => [mutant.name, mutant] as const))('there is: %s', (_, { file, from, experiment }) => {
  expect(readFileSync(join(dist, file), 'utf8')).toMatch(from);
  expect(experiments.map(({ name }) => name)).toContain(experiment);
});

test('each experiment has something to miss', () => {
  const tried = new Set(mutants.map(({ experiment }) => experiment));
  expect(experiments.filter(({ name }) => !tried.has(name))).toEqual([]);
});

test.each(
  mutants.filter(({ file }) => file.startsWith('db/migrations')).map((mutant) => [mutant.name, mutant] as const),
)('a gateway starts with the migration that is changed for: %s', async (_, mutant) => {
  const { build, remove } = makeMutant(mutant);
  try {
    const { refuseChanged } = await import(join(build, 'db', 'migrations', 'frozen.js'));
    const migrations = Object.values(await import(join(build, mutant.file)));
    expect(migrations).toHaveLength(1);
    expect(() => refuseChanged(migrations)).not.toThrow();
  } finally {
    remove();
  }
});

test.each(chosen.map((mutant) => [mutant.name, mutant] as const))(
  'something is lost without %s',
  async (_, mutant) => {
    expect(await tryMutant(mutant, 20270905, PATIENCE)).not.toEqual([]);
  },
  300_000,
);
