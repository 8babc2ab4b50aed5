/** What one subscriber is told: first what holds now or what it missed, then what happens, each once and in order. */
import { BoundedQueue, type Take } from './bounded-queue.ts';

/** Why a subscriber is told something. */
export enum EventKind {
  SNAPSHOT = 'snapshot',
  RESET = 'reset',
  CHANGE = 'change',
}

/** Something to tell, with its place in the order. */
export interface Told {
  seq: number;
}

export interface FeedSource<T extends Told> {
  /** Begins to hand on what happens. @returns what ends that. */
  listen(tell: (event: T) => void, end: () => void): () => void;
  /** What comes before, read after `listen` was called: what both know of is told once. */
  past(): AsyncGenerator<T, void, undefined>;
  /** The subscriber does not keep up. */
  overflow(): void;
}

/**
 * Not an async generator: one that waits for an event cannot be ended until the event comes.
 */
export class Feed<T extends Told> implements AsyncGenerator<T, undefined, undefined> {
  readonly #queue = new BoundedQueue<T>();
  readonly #stopListening: () => void;
  #past?: AsyncGenerator<T, void, undefined>;
  #last = Number.NEGATIVE_INFINITY;

  constructor(source: FeedSource<T>) {
    this.#stopListening = source.listen(
      (event) => {
        if (this.#queue.push(event)) return;
        this.#close();
        source.overflow();
      },
      () => this.#close(),
    );
    this.#past = source.past();
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    while (this.#past) {
      const result = await this.#past.next();
      if (result.done) this.#past = undefined;
      else if (this.#isNew(result.value)) return result;
    }
    for (;;) {
      const result = await this.#queue.next();
      if (result.done || this.#isNew(result.value)) return result;
    }
  }

  /**
   * Hands on all that there is to tell, until the end: what happens then and there where nothing is under way, so that the last of
   * thousands of subscribers does not wait for the promises of all.
   *
   * @throws what `take` throws, and what reading the past does.
   */
  async each(take: Take<T>): Promise<void> {
    while (this.#past) {
      const { value, done } = await this.#past.next();
      if (done) this.#past = undefined;
      else if (this.#isNew(value)) await take(value);
    }
    await this.#queue.each((event) => (this.#isNew(event) ? take(event) : undefined));
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#close();
    return { value: undefined, done: true };
  }

  async throw(error: unknown): Promise<IteratorResult<T, undefined>> {
    this.#close();
    throw error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #isNew({ seq }: T): boolean {
    if (seq <= this.#last) return false;
    this.#last = seq;
    return true;
  }

  #close(): void {
    this.#stopListening();
    this.#queue.end();
    void this.#past?.return();
    this.#past = undefined;
  }
}
