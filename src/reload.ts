import { setTimeout as sleep } from 'node:timers/promises';

/** Reads anew what was told of: of several that are told of at once one reads, until one has read what was told of last. */
export class Reload {
  readonly #load: () => Promise<void>;
  readonly #failed: (error: unknown) => number | undefined;
  /** Something has been told of that is not read yet. */
  #due = false;
  #running?: Promise<void>;
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

  stop(): void {
    this.#stopped = true;
  }

  async #run(): Promise<void> {
    while (this.#due && !this.#stopped) {
      this.#due = false;
      try {
        await this.#load();
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
