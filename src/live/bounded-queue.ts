/** What waits for one subscriber. */

/** Is busy with an item until what it returns has settled. */
export type Take<T> = (item: T) => Promise<void> | undefined;

interface Taker<T> {
  take: Take<T>;
  busy: boolean;
  end(): void;
  fail(error: unknown): void;
}

/** Events; one that is further behind than this does not read, or not fast enough ever to catch up. */
export const MOST_WAITING = 1000;

export class BoundedQueue<T> {
  readonly #items: T[] = [];
  readonly #most: number;
  #waiting?: (result: IteratorResult<T, undefined>) => void;
  #ended = false;
  /** There while items are handed on without being asked for. */
  #taker?: Taker<T>;

  constructor(most = MOST_WAITING) {
    this.#most = most;
  }

  /** @returns false when there is no room: the item is dropped. */
  push(item: T): boolean {
    if (this.#ended) return true;
    if (this.#waiting) {
      this.#waiting({ value: item, done: false });
      this.#waiting = undefined;
      return true;
    }
    if (this.#taker?.busy === false) {
      this.#hand(this.#taker, item);
      return true;
    }
    if (this.#items.length >= this.#most) return false;
    this.#items.push(item);
    return true;
  }

  /** What is left is dropped. */
  end(): void {
    this.#ended = true;
    this.#items.length = 0;
    this.#waiting?.({ value: undefined, done: true });
    this.#waiting = undefined;
    this.#taker?.end();
  }

  /** One at a time. */
  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    if (this.#items.length > 0) return Promise.resolve({ value: this.#items.shift()!, done: false });
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /**
   * Hands on every item, one after the other: while nothing is under way, in the turn in which it comes. Settles at the end.
   *
   * @throws what `take` throws.
   */
  each(take: Take<T>): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((end, fail) => {
      this.#taker = { take, busy: false, end, fail };
      this.#handOn(this.#taker);
    });
  }

  #handOn(taker: Taker<T>): void {
    while (!taker.busy && this.#items.length > 0) this.#hand(taker, this.#items.shift()!);
  }

  #hand(taker: Taker<T>, item: T): void {
    try {
      const under = taker.take(item);
      if (!under) return;
      taker.busy = true;
      under.then(() => {
        taker.busy = false;
        this.#handOn(taker);
      }, taker.fail);
    } catch (error) {
      // Whoever brings the item has nothing to do with that.
      taker.busy = true;
      taker.fail(error);
    }
  }
}
