/** A time zone as what it is for a schedule: a wall clock that runs, and is sometimes set. */

import { LRUCache } from 'lru-cache';
import { IANAZone } from 'luxon';

const MINUTE = 60_000;
const DAY_MS = 86_400_000;

/** A wall clock, whatever its source. Instants and offsets are in milliseconds. */
export interface WallClock {
  /** How far it is ahead of UTC at an instant. */
  offset(instant: number): number;
  /** The first instant after this one at which it is set, if that is before `until`. */
  nextSetting(instant: number, until: number): number | undefined;
}

/** How far a wall clock is ahead of UTC at an instant, by other zone data than the runtime's. */
export type OffsetSource = (instant: number) => number;

/** A stretch of time, `[from, to)`, through which a wall clock runs without being set. */
interface Run {
  from: number;
  to: number;
  /** How far the clock is ahead of UTC, in milliseconds. */
  offset: number;
}

/** Runs by zone and UTC year, ascending: asking the runtime costs a few microseconds a time. */
const known = new LRUCache<string, readonly Run[]>({ max: 20_000 });

/**
 * How far apart looks are taken at a clock. No clock goes back sooner to what it showed before than a week after: Recife in
 * October 2000, and in years to come what Ramadan leaves of Gaza's summers.
 */
const STEP = 5 * DAY_MS;

export class Zone implements WallClock {
  readonly name: string;
  readonly #ask: OffsetSource;
  readonly #known: { get(key: string): readonly Run[] | undefined; set(key: string, runs: readonly Run[]): unknown };
  /** The one asked for last is mostly the next one too. */
  #recent: Run = { from: 0, to: 0, offset: 0 };

  /**
   * @param name an IANA name; links such as `Asia/Calcutta` included.
   * @param source asked instead of the runtime, of any name.
   * @throws {RangeError} when the runtime is to be asked and does not know the name.
   */
  constructor(name: string, source?: OffsetSource) {
    this.name = name;
    this.#ask = source ?? runtimeSource(name);
    // What the runtime says is shared; what another source says is its own.
    this.#known = source ? new Map() : known;
  }

  /** How far the wall clock is ahead of UTC at an instant, in milliseconds. */
  offset(instant: number): number {
    return this.#runAt(instant).offset;
  }

  /** The first instant after this one at which the wall clock is set, if that is before `until`. */
  nextSetting(instant: number, until: number): number | undefined {
    for (let run = this.#runAt(instant); run.to < until; ) {
      const next = this.#runAt(run.to);
      if (next.offset !== run.offset) return run.to;
      run = next;
    }
    return undefined;
  }

  #runAt(instant: number): Run {
    const { from, to } = this.#recent;
    if (instant < from || instant >= to) {
      const runs = this.#runs(new Date(instant).getUTCFullYear());
      this.#recent = runs.find((run) => instant < run.to)!;
    }
    return this.#recent;
  }

  #runs(year: number): readonly Run[] {
    const key = `${this.name} ${year}`;
    let runs = this.#known.get(key);
    if (!runs) {
      runs = this.#findRuns(Date.UTC(year, 0), Date.UTC(year + 1, 0));
      this.#known.set(key, runs);
    }
    return runs;
  }

  #findRuns(from: number, to: number): Run[] {
    const runs: Run[] = [];
    let run = { from, to, offset: this.#ask(from) };
    for (let at = from; at < to; ) {
      const next = Math.min(at + STEP, to);
      if (this.#ask(next) === run.offset) {
        at = next;
        continue;
      }
      at = this.#settingWithin(at, next);
      if (at === to) break;
      runs.push({ ...run, to: at });
      run = { from: at, to, offset: this.#ask(at) };
    }
    return [...runs, run];
  }

  /** The instant in `(before, after]` from which the later offset holds, to the second. */
  #settingWithin(before: number, after: number): number {
    const old = this.#ask(before);
    let [low, high] = [before, after];
    while (high - low > 1000) {
      const middle = low + Math.floor((high - low) / 2000) * 1000;
      if (this.#ask(middle) === old) low = middle;
      else high = middle;
    }
    return high;
  }
}

function runtimeSource(name: string): OffsetSource {
  const zone = IANAZone.create(name);
  if (!zone.isValid) throw new RangeError(`${name} is not a time zone`);
  return (instant) => Math.round(zone.offset(instant) * MINUTE);
}
