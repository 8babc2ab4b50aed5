/** A wait that somebody may cut short. */
export class Pause {
  #cut: () => void = () => {};

  /**
   * Waits for so many milliseconds, or until it is cut short.
   *
   * @param options.ref whether the process lives for it; true.
   */
  async take(ms: number, { ref = true } = {}): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      if (!ref) timer.unref();
      this.#cut = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Where nobody waits, nothing happens. */
  cut(): void {
    this.#cut();
  }
}
