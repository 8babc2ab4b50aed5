/** What waits for one subscriber. */

/** Events; one that is further behind than this does not read, or not fast enough ever to catch up. */
export const MOST_WAITING = 1000;

export class BoundedQueue<T> {
  readonly #items: T[] = [];
  readonly #most: number;
  #waiting?: (result: IteratorResult<T, undefined>) => void;
  #ended = false;

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
  }

  /** One at a time. */
  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    if (this.#items.length > 0) return Promise.resolve({ value: this.#items.shift()!, done: false });
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }
}
