/** What an experiment is: a fault, tried many times, and what was lost by it. */
import { createHash } from 'node:crypto';
import type { Ground } from './ground.ts';

export interface Experiment {
  /** For `--only`. */
  name: string;
  /** What is done to the platform, for the summary. */
  fault: string;
  /** Trials of a full run. */
  trials: number;
  /** Why it cannot be tried here; undefined where it can. */
  unable?(): string | undefined;
  run(ground: Ground, tally: Tally): Promise<void>;
}

/** Many times what anything takes; with patience it is longer. */
const GIVE_UP_MS = 20_000;

/** Counts trials and keeps what was lost and the worst times. */
export class Tally {
  /** How many trials there are to be. */
  readonly wanted: number;
  readonly losses: string[] = [];
  /** The longest times, by what took them, in milliseconds. */
  readonly worst = new Map<string, number>();
  /** How often something has happened, for the summary. */
  readonly counts = new Map<string, number>();
  readonly #seed: number;
  /** How many times longer than promised something may take. */
  readonly patience: number;
  /** How long something is waited for that has to come, in milliseconds. */
  readonly giveUpMs: number;
  readonly #stopping: AbortSignal;
  #done = 0;

  /**
   * @param patience how many times longer than promised something may take: 1 on a machine with nothing else to do.
   * @param stopping ends the experiment between two trials.
   * @param giveUpMs how long something is waited for that has to come, in milliseconds.
   */
  constructor(
    wanted: number,
    seed: number,
    patience: number,
    stopping: AbortSignal = new AbortController().signal,
    giveUpMs: number = GIVE_UP_MS * patience,
  ) {
    this.wanted = wanted;
    this.#seed = seed;
    this.patience = patience;
    this.giveUpMs = giveUpMs;
    this.#stopping = stopping;
  }

  get done(): number {
    return this.#done;
  }

  /** Whether no further trial is to be begun. */
  get stopped(): boolean {
    return this.#stopping.aborted;
  }

  /** From 0 up to 1, the same for the same seed and name. */
  chance(...name: (string | number)[]): number {
    return (
      createHash('sha256')
        .update([this.#seed, ...name].join(' '))
        .digest()
        .readUInt32LE() /
      2 ** 32
    );
  }

  /** In an order that the seed decides. */
  shuffled<T>(items: readonly T[], name: string): T[] {
    const keyed = items.map((item, index) => ({ item, key: this.chance(name, index) }));
    return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
  }

  /** Trials that have ended, and what was lost by them. */
  add(trials: number, losses: readonly string[]): void {
    this.#done += trials;
    this.losses.push(...losses);
  }

  /** Keeps a time. @returns what is wrong with it, where there is a bound and it is over it. */
  time(what: string, ms: number, bound?: number): string[] {
    this.worst.set(what, Math.max(ms, this.worst.get(what) ?? 0));
    if (bound === undefined || ms <= bound * this.patience) return [];
    return [`${what} took ${Math.round(ms)} ms, where ${bound * this.patience} are allowed`];
  }

  /** Keeps how often something has happened, of all trials together. */
  count(what: string, times: number): void {
    this.counts.set(what, times + (this.counts.get(what) ?? 0));
  }

  /** Runs trials one after the other in so many lanes. @param body is told the number of the trial. */
  async lanes(count: number, trials: number, body: (trial: number, lane: number) => Promise<void>): Promise<void> {
    let next = 0;
    const lane = async (_: unknown, number: number) => {
      while (next < trials && !this.stopped) await body(next++, number);
    };
    await Promise.all(Array.from({ length: Math.min(count, trials) }, lane));
  }
}
