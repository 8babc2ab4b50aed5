/** `npm run chaos -- --mutations`: each experiment against a gateway that lacks what it tries. */
import { type Experiment, Tally } from './experiment.ts';
import { experiments } from './experiments/index.ts';
import { Ground } from './ground.ts';
import { type Mutant, makeMutant } from './mutants.ts';

/** What never comes without it is given up on soon. */
const GIVE_UP_MS = 20_000;

/** Ends between two trials when what is expected was lost. */
class Hunt extends Tally {
  readonly #expects: RegExp;
  readonly #enough: AbortController;

  constructor({ trials, expects }: Mutant, seed: number, patience: number, stopping?: AbortSignal) {
    const enough = new AbortController();
    super(trials, seed, patience, AbortSignal.any([enough.signal, ...(stopping ? [stopping] : [])]), GIVE_UP_MS);
    this.#expects = expects;
    this.#enough = enough;
  }

  override add(trials: number, losses: readonly string[]): void {
    super.add(trials, losses);
    if (losses.some((loss) => this.#expects.test(loss))) this.#enough.abort();
  }
}

/**
 * @returns what was lost by it, as is expected: nothing, when the experiment is blind to it.
 * @throws what kept the experiment from going on: that shows nothing.
 */
export async function tryMutant(
  mutant: Mutant,
  seed: number,
  patience: number,
  stopping?: AbortSignal,
): Promise<readonly string[]> {
  const { build, remove } = makeMutant(mutant);
  const tally = new Hunt(mutant, seed, patience, stopping);
  try {
    const ground = await Ground.open({ build });
    try {
      await experimentOf(mutant).run(ground, tally);
    } finally {
      await ground.close();
    }
  } finally {
    remove();
  }
  return tally.losses.filter((loss) => mutant.expects.test(loss));
}

export const experimentOf = ({ experiment }: Mutant): Experiment =>
  experiments.find(({ name }) => name === experiment)!;
