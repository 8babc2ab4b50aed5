/** `npm run chaos -- --mutations`: each experiment against a gateway that lacks what it tries. */
import { type Experiment, Tally } from './experiment.ts';
import { experiments } from './experiments/index.ts';
import { Ground } from './ground.ts';
import { type Mutant, makeMutant } from './mutants.ts';

/** @returns what was lost: nothing, when the experiment is blind to it. */
export async function tryMutant(
  mutant: Mutant,
  seed: number,
  patience: number,
  stopping?: AbortSignal,
): Promise<readonly string[]> {
  const { build, remove } = makeMutant(mutant);
  const tally = new Tally(mutant.trials, seed, patience, stopping);
  try {
    const ground = await Ground.open({ build });
    try {
      await experimentOf(mutant).run(ground, tally);
    } catch (error) {
      tally.add(0, [(error as Error).message]);
    } finally {
      await ground.close();
    }
  } finally {
    remove();
  }
  return tally.losses;
}

export const experimentOf = ({ experiment }: Mutant): Experiment =>
  experiments.find(({ name }) => name === experiment)!;
