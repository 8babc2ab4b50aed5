/**
 * `npm run prove:hours -- --cases 1000000 [--seed N]`: tries so many cases of the working hours in every time zone and counts
 * where the code and the oracle disagree. A case is one schedule at one instant: open or not, and the next two changes.
 * `--zone Asia/Jakarta --batch 3` repeats one batch of a seed; `--years 1970-2019` looks at others than 2020 to 2037.
 */
import { createHash, randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import fc from 'fast-check';
import * as businessTime from '../src/domain/working-hours/business-time.ts';
import * as clock from '../src/domain/working-hours/clock.ts';
import * as occurrences from '../src/domain/working-hours/occurrences.ts';
import { commandArguments } from './support/command-arguments.ts';
import { disagreement } from './support/hours-agreement.ts';
import { type HoursCase, hoursCases, INSTANTS, type Years, zones } from './support/hours-cases.ts';
import { WallClock } from './support/wall-clock.ts';

const USAGE =
  'Usage: npm run prove:hours -- [--cases 100000] [--seed N] [--years 2020-2037] [--zone Asia/Jakarta [--batch 3]]';

/** Schedules to a batch: few enough that a Ctrl-C and the progress need not wait. */
const SCHEDULES = 50;
/** So many disagreements are printed in full; more would say the same. */
const PRINTED = 5;

/** Batches of one zone, which share what was read about it; what a batch tries hangs on seed, zone and its number alone. */
interface Task {
  zone: string;
  batches: number[];
}

interface Setting {
  seed: number;
  years?: Years;
}

interface Result {
  cases: number;
  found?: string;
  /** The task is done. */
  done: boolean;
}

function tryBatch({ seed, years }: Setting, wall: WallClock, batch: number): Result {
  const modules = { ...clock, ...businessTime, ...occurrences };
  const property = fc.property(hoursCases(wall, years), (tried) => disagreement(modules, wall, tried) === undefined);
  const digest = createHash('sha256').update(`${seed} ${wall.timezone} ${batch}`).digest();
  const run = fc.check(property, { seed: digest.readInt32LE(), numRuns: SCHEDULES });
  const cases = run.numRuns * INSTANTS;
  const ofYears = years ? ` --years ${years.join('-')}` : '';
  const repeat = `npm run prove:hours -- --seed ${seed}${ofYears} --zone ${wall.timezone} --batch ${batch}`;
  const [tried] = run.counterexample ?? [];
  return {
    cases,
    done: false,
    found: run.failed ? described(modules, wall, tried!, run.errorInstance, repeat) : undefined,
  };
}

function described(
  modules: Parameters<typeof disagreement>[0],
  wall: WallClock,
  tried: HoursCase,
  error: unknown,
  repeat: string,
): string {
  let about: ReturnType<typeof disagreement>;
  try {
    about = disagreement(modules, wall, tried);
  } catch {
    // The error below says it.
  }
  const lines = about
    ? [`  question: ${about.question}`, `  code:     ${about.module}`, `  oracle:   ${about.oracle}`]
    : [`  ${error instanceof Error ? error.stack : error}`];
  const instants = tried.instants.map((instant) => new Date(instant).toISOString()).join(', ');
  const { schedule, later, duration } = tried;
  return [
    `${wall.timezone}`,
    ...lines,
    `  instants: ${instants}; duration ${duration} ms`,
    `  schedule: ${JSON.stringify(schedule)}`,
    `  later:    ${JSON.stringify(later)}`,
    `  repeat:   ${repeat}`,
  ].join('\n');
}

function work(): void {
  const setting = workerData as Setting;
  parentPort!.on('message', ({ zone, batches }: Task) => {
    const wall = new WallClock(zone);
    for (const [index, batch] of batches.entries()) {
      const result: Result = { ...tryBatch(setting, wall, batch), done: index === batches.length - 1 };
      parentPort!.postMessage(result);
    }
  });
}

async function main(): Promise<void> {
  const { values } = commandArguments(USAGE, {
    options: {
      cases: { type: 'string' },
      seed: { type: 'string' },
      zone: { type: 'string' },
      batch: { type: 'string' },
      years: { type: 'string' },
    },
  });
  const seed = Number(values.seed ?? randomInt(2 ** 31));
  const years = values.years?.split('-').map(Number) as [number, number] | undefined;
  const tasks = tasksOf(Number(values.cases ?? 100_000), values.zone, values.batch);
  const wanted = tasks.reduce((sum, { batches }) => sum + batches.length, 0) * SCHEDULES * INSTANTS;
  if (!Number.isInteger(seed) || !Number.isInteger(wanted) || wanted === 0) {
    print(USAGE);
    process.exitCode = 2;
    return;
  }
  const tried = new Set<string>();
  const found: string[] = [];
  let [cases, disagreements] = [0, 0];
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const workers = Array.from({ length: Math.min(availableParallelism(), tasks.length) }, startWorker({ seed, years }));

  const showEvery = process.stdout.isTTY ? 250 : 5000;
  const show = () => {
    const rate = cases / seconds();
    const rest = rate > 0 ? `${Math.ceil((wanted - cases) / rate)} s to go` : 'starting';
    const line = `${cases} of ${wanted} cases, ${disagreements} disagreements, ${Math.round(rate)} a second, ${rest}`;
    if (process.stdout.isTTY) process.stdout.write(`\r${line}\u001b[K`);
    else print(line);
  };
  const progress = setInterval(show, showEvery);

  const interrupted = Promise.withResolvers<void>();
  let stopped = false;
  process.once('SIGINT', () => {
    stopped = true;
    interrupted.resolve();
  });
  const runs = workers.map(async (worker) => {
    for (let task = tasks.pop(); task && !stopped; task = tasks.pop()) {
      tried.add(task.zone);
      await run(worker, task, (result) => {
        cases += result.cases;
        if (!result.found) return;
        disagreements++;
        if (found.length < PRINTED) found.push(result.found);
      });
    }
  });
  try {
    await Promise.race([Promise.all(runs), interrupted.promise]);
  } finally {
    clearInterval(progress);
    if (process.stdout.isTTY) process.stdout.write('\r\u001b[K');
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  for (const each of found) print(`\n${each}`);
  if (found.length > 0) print('');
  const facts = `zones ${tried.size}, zone data ${process.versions.tz}, seed ${seed}, ${Math.round(seconds())} s`;
  print(`${cases} cases, ${disagreements} disagreements (${facts})${stopped ? ', stopped before the end' : ''}`);
  process.exitCode = disagreements > 0 ? 1 : stopped ? 130 : 0;
}

/** At least so many cases, in whole batches dealt out evenly to all zones. */
function tasksOf(cases: number, zone: string | undefined, batch: string | undefined): Task[] {
  const chosen = zone ? [zone] : zones;
  if (batch !== undefined) return [{ zone: chosen[0]!, batches: [Number(batch)] }];
  const batches = Math.ceil(cases / (SCHEDULES * INSTANTS));
  const tasks = chosen.map((each, index): Task => {
    const count = Math.floor((batches + chosen.length - 1 - index) / chosen.length);
    return { zone: each, batches: Array.from({ length: count }, (_, number) => number) };
  });
  return tasks.filter((task) => task.batches.length > 0);
}

const startWorker = (workerData: Setting) => () => new Worker(new URL(import.meta.url), { workerData });

function run(worker: Worker, task: Task, report: (result: Result) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const listen = (result: Result) => {
      report(result);
      if (!result.done) return;
      worker.off('message', listen);
      worker.off('error', reject);
      resolve();
    };
    worker.on('message', listen);
    worker.on('error', reject);
    worker.postMessage(task);
  });
}

const print = (line: string) => process.stdout.write(`${line}\n`);

if (isMainThread) await main();
else work();
