/** What a process keeps in memory on the word of the event log: whoever keeps a thing forgets it when an event says so. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { EventBus } from './event-bus.ts';

/**
 * How old something may be that no event has contradicted, in milliseconds. While the log cannot be read, everything is
 * asked anew at this pace, so that no process goes on for longer than a second with what has been changed elsewhere.
 */
export const MOST_LAG_MS = 900;

/**
 * How long what is asked anew is waited for where a former value is known, in milliseconds. A database that answers at all
 * does so far sooner; where it hangs, those who ask are not to hang with it.
 */
const PATIENCE_MS = 500;

interface Entry<V> {
  /** What the last load that succeeded brought, and when that began. */
  known?: { value: V; askedAt: number };
  /** While a load is under way: what those who ask meanwhile are told. */
  answer?: Promise<V>;
}

export class Remembered<V extends object> {
  readonly #bus: Pick<EventBus, 'isCurrent'>;
  readonly #strict: boolean;
  readonly #entries: LRUCache<string, Entry<V>>;
  #edition = 0;

  /**
   * @param max how much is kept; the one that was not asked for the longest goes first.
   * @param weigh how much a value is, 1 at least; 1 each, unless given.
   * @param strict for what lets somebody in: what was known before does not go on holding when it cannot be asked anew.
   */
  constructor(
    bus: Pick<EventBus, 'isCurrent'>,
    max: number,
    { weigh = () => 1, strict = false }: { weigh?: (value: V) => number; strict?: boolean } = {},
  ) {
    this.#bus = bus;
    this.#strict = strict;
    this.#entries = new LRUCache({
      maxSize: max,
      sizeCalculation: ({ known }) => (known ? weigh(known.value) : 1),
    });
  }

  /**
   * The value that is kept, or what `load` brings; many who ask at once wait for one load. Where it fails, or takes long,
   * what was known before goes on holding: nothing says that it has changed. What was forgotten, or never known, is
   * waited for.
   */
  async get(key: string, load: () => Promise<V>): Promise<V> {
    let entry = this.#entries.get(key);
    if (!entry) {
      entry = {};
      this.#entries.set(key, entry);
    }
    const { known } = entry;
    if (known && (this.#bus.isCurrent(MOST_LAG_MS) || performance.now() - known.askedAt < MOST_LAG_MS)) {
      return known.value;
    }
    entry.answer ??= this.#ask(key, entry, load);
    return entry.answer;
  }

  /** An entry that is forgotten meanwhile is nobody's any more: what its load brings goes to those who already wait. */
  #ask(key: string, entry: Entry<V>, load: () => Promise<V>): Promise<V> {
    const { known } = entry;
    const loaded = this.#load(key, entry, load);
    const over = () => {
      entry.answer = undefined;
    };
    void loaded.then(over, over);
    if (!known || this.#strict) return loaded;
    const former = () => known.value;
    return Promise.race([loaded.catch(former), sleep(PATIENCE_MS, undefined, { ref: false }).then(former)]);
  }

  async #load(key: string, entry: Entry<V>, load: () => Promise<V>): Promise<V> {
    const askedAt = performance.now();
    const value = await load();
    entry.known = { value, askedAt };
    // Weighed anew: what is set in the place of itself is not.
    if (this.#entries.peek(key) === entry) {
      this.#entries.delete(key);
      this.#entries.set(key, entry);
    }
    return value;
  }

  /** Another one whenever something was forgotten: what is made of the values holds as long as it is the same. */
  get edition(): number {
    return this.#edition;
  }

  forget(key: string): void {
    this.#edition += 1;
    this.#entries.delete(key);
  }

  forgetAll(): void {
    this.#edition += 1;
    this.#entries.clear();
  }
}
