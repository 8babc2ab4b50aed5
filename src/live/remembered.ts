/** What a process keeps in memory on the word of the event log: whoever keeps a thing forgets it when an event says so. */
import { LRUCache } from 'lru-cache';
import type { EventBus } from './event-bus.ts';

/**
 * How old something may be that no event has contradicted, in milliseconds. While the log cannot be read, everything is
 * asked anew at this pace, so that no process goes on for longer than a second with what has been changed elsewhere.
 */
const MOST_LAG_MS = 900;

interface Kept<V> {
  value: Promise<V>;
  askedAt: number;
}

export class Remembered<V extends object> {
  readonly #bus: EventBus;
  readonly #kept: LRUCache<string, Kept<V>>;

  /** @param max how many are kept; the one that was not asked for the longest goes first. */
  constructor(bus: EventBus, max: number) {
    this.#bus = bus;
    this.#kept = new LRUCache({ max });
  }

  /**
   * The value that is kept, or what `load` brings; many who ask at once wait for one load. Where that fails, what was
   * known before goes on holding: nothing says that it has changed, and nobody can change it meanwhile.
   */
  async get(key: string, load: () => Promise<V>): Promise<V> {
    const kept = this.#kept.get(key);
    const now = Date.now();
    if (kept && (this.#bus.isCurrent(MOST_LAG_MS) || now - kept.askedAt < MOST_LAG_MS)) return kept.value;
    const asked = { value: load(), askedAt: now };
    this.#kept.set(key, asked);
    try {
      return await asked.value;
    } catch (error) {
      // Unless it was forgotten, or asked for again, meanwhile.
      if (this.#kept.peek(key) !== asked) throw error;
      this.#kept.delete(key);
      if (!kept) throw error;
      this.#kept.set(key, kept);
      return kept.value;
    }
  }

  forget(key: string): void {
    this.#kept.delete(key);
  }

  forgetAll(): void {
    this.#kept.clear();
  }
}
