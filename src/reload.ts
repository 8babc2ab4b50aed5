import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Reads anew what was told of: of several that are told of at once one reads, until one has read what was told of last. One reading at a
 * time, so that none is put in the place of a later one.
 */
export class Reload {
  readonly #load: () => Promise<void>;
  readonly #failed: (error: unknown) => number | undefined;
  /** Something has been told of that is not read yet. */
  #due = false;
  #running?: Promise<void>;
  /** The end of the last reading, and one that has not begun. */
  #ended: Promise<void> = Promise.resolve();
  #next?: Promise<void>;
  #stopped = false;

  /** @param failed says after how many milliseconds to try again; undefined where not to. */
  constructor(load: () => Promise<void>, failed: (error: unknown) => number | undefined) {
    this.#load = load;
    this.#failed = failed;
  }

  told(): void {
    this.#due = true;
    this.#running ??= this.#run();
  }

  /**
   * Reads as soon as no reading is under way, together with whoever waits for that already.
   *
   * @throws what it fails with, which is not tried again; where all is stopped by then.
   */
  now(): Promise<void> {
    this.#next ??= this.#ended.then(() => {
      this.#next = undefined;
      if (this.#stopped) throw new Error('nothing is read any more');
      const reading = this.#load();
      this.#ended = reading.catch(() => {});
      return reading;
    });
    return this.#next;
  }

  stop(): void {
    this.#stopped = true;
  }

  async #run(): Promise<void> {
    while (this.#due && !this.#stopped) {
      this.#due = false;
      try {
        await this.now();
      } catch (error) {
        if (this.#stopped) break;
        const ms = this.#failed(error);
        if (ms === undefined) break;
        this.#due = true;
        await sleep(ms, undefined, { ref: false });
      }
    }
    this.#running = undefined;
  }
}
