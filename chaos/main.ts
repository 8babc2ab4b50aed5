/**
 * `npm run chaos`: breaks the platform in every way that it promises to withstand, and looks at everything after each trial.
 * `-- --only kill-steps --trials 20 --seed 7` tries one fault; `--quick` tries each a twentieth as often. Ends with 1 on any loss.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type Experiment, Tally } from './experiment.ts';
import { experiments } from './experiments/index.ts';
import { Ground } from './ground.ts';
import { mutants } from './mutants.ts';
import { experimentOf, tryMutant } from './mutations.ts';
import { progressOf, summary } from './summary.ts';

const QUICK = 20;
const print = (line: string) => process.stdout.write(`${line}\n`);

const USAGE = `Usage: npm run chaos -- [--only <name>[,<name>]] [--trials n] [--seed n] [--quick] [--patience n] [--mutations]
  --only      ${experiments.map(({ name }) => name).join(', ')}
  --trials    of each experiment, instead of its own number
  --seed      what is done, and when; the same seed does the same
  --quick     a ${QUICK}th of the trials
  --patience  how many times longer than promised something may take, on a machine that has other work; 1
  --mutations takes away what the promises rest on, one by one: each time something has to be lost`;

interface Wanted {
  chosen: Experiment[];
  trialsOf(experiment: Experiment): number;
  seed: number;
  patience: number;
  mutations: boolean;
}

/** @throws where the command line cannot be used. */
function wanted(): Wanted {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      trials: { type: 'string' },
      seed: { type: 'string' },
      quick: { type: 'boolean', default: false },
      patience: { type: 'string', default: '1' },
      mutations: { type: 'boolean', default: false },
    },
  });
  const number = (text: string, least: number) => {
    if (!/^\d+$/.test(text) || Number(text) < least) throw new Error(`${text} is not a whole number from ${least} on.`);
    return Number(text);
  };
  const names = values.only?.split(',');
  const unknown = names?.find((name) => !experiments.some((experiment) => experiment.name === name));
  if (unknown !== undefined) throw new Error(`There is no experiment ${unknown}.`);
  const trials = values.trials === undefined ? undefined : number(values.trials, 1);
  return {
    chosen: experiments.filter(({ name }) => names?.includes(name) ?? true),
    trialsOf: (experiment) => trials ?? (values.quick ? Math.ceil(experiment.trials / QUICK) : experiment.trials),
    seed: values.seed === undefined ? randomInt(2 ** 31) : number(values.seed, 0),
    patience: number(values.patience, 1),
    mutations: values.mutations,
  };
}

async function main(): Promise<number> {
  let settings: Wanted;
  try {
    settings = wanted();
  } catch (error) {
    print(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  const stopping = new AbortController();
  process.once('SIGINT', () => {
    stopping.abort();
    print('\nstopping; a second Ctrl-C does not wait for the trial that is under way');
    process.once('SIGINT', () => process.exit(130));
  });
  print(`seed ${settings.seed}: npm run chaos -- --seed ${settings.seed} does the same again`);
  const found = await (settings.mutations ? takeAway : breakAll)(settings, stopping.signal);
  return stopping.signal.aborted && found === 0 ? 130 : found;
}

/** @returns 1 on any loss. */
async function breakAll({ chosen, trialsOf, seed, patience }: Wanted, stopping: AbortSignal): Promise<number> {
  const began = performance.now();
  const results: [Experiment, Tally | string][] = [];
  for (const experiment of chosen) {
    if (stopping.aborted) break;
    const unable = experiment.unable?.();
    const tally = new Tally(trialsOf(experiment), seed, patience, stopping);
    results.push([experiment, unable ?? tally]);
    if (unable === undefined) await carryOut(experiment, tally);
    else print(`${experiment.name}: skipped, ${unable}`);
  }
  print(`\n${summary(results, { seed, patience, seconds: (performance.now() - began) / 1000 })}`);
  return results.some(([, result]) => typeof result !== 'string' && result.losses.length > 0) ? 1 : 0;
}

/** @returns 1 when something was taken away and not missed, 2 when nothing could be tried. */
async function takeAway({ chosen, seed, patience }: Wanted, stopping: AbortSignal): Promise<number> {
  let [tried, blind] = [0, 0];
  const wanted = mutants.filter((mutant) => chosen.includes(experimentOf(mutant)));
  for (const mutant of wanted) {
    if (stopping.aborted) break;
    const experiment = experimentOf(mutant);
    const unable = experiment.unable?.();
    if (unable) {
      print(`without ${mutant.name}\n  ${experiment.name}: skipped, ${unable}`);
      continue;
    }
    const found = await tryMutant(mutant, seed, patience, stopping).then(
      ([loss]) => loss?.slice(0, 300),
      (error: Error) => void print(`  the experiment could not go on: ${error.stack}`),
    );
    if (stopping.aborted) break;
    tried++;
    if (!found) blind++;
    print(`without ${mutant.name}\n  ${experiment.name}: ${found ?? 'NOTHING IS LOST OF WHAT WAS EXPECTED'}`);
  }
  print(`\n${tried} of ${wanted.length} things were taken away; ${tried - blind} times something was lost`);
  if (tried === 0) return 2;
  return blind === 0 ? 0 : 1;
}

async function carryOut(experiment: Experiment, tally: Tally): Promise<void> {
  const progress = progressOf(experiment.name, tally);
  const ground = await Ground.open();
  try {
    await experiment.run(ground, tally);
  } catch (error) {
    tally.add(0, [`the experiment could not go on: ${(error as Error).stack}`]);
  } finally {
    await ground.close();
    progress.end();
  }
}

process.exitCode = await main();
