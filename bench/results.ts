/** The last results of each workload, in one file: a run of some leaves those of the others. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { MachineFacts } from './machine.ts';
import type { Outcome, Settings } from './workloads/workload.ts';

export interface Result extends Outcome {
  title: string;
  /** RFC 3339. */
  at: string;
  settings: Settings;
  machine: MachineFacts;
}

/** By the workload's name. */
export type Results = Record<string, Result>;

export const RESULTS = join(import.meta.dirname, 'results', 'results.json');

export async function readResults(): Promise<Results> {
  const text = await readFile(RESULTS, 'utf8').catch(() => '{}');
  return JSON.parse(text) as Results;
}

export async function keep(name: string, result: Result): Promise<void> {
  const results = { ...(await readResults()), [name]: result };
  const inOrder = Object.entries(results).sort(([a], [b]) => Number(a.slice(1)) - Number(b.slice(1)));
  await mkdir(dirname(RESULTS), { recursive: true });
  await writeFile(RESULTS, `${JSON.stringify(Object.fromEntries(inOrder), null, 2)}\n`);
}
