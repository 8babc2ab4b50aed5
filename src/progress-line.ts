/** How far something is: a bar that is drawn anew on a terminal, now and then a line elsewhere. */

const BAR = 24;
const LINE_EVERY_MS = 5000;

export interface Progress {
  done: number;
  total: number;
  text: string;
}

export class ProgressLine {
  readonly #out: NodeJS.WriteStream;
  #drawn = false;
  #saidAt = 0;
  #said = '';

  constructor(out: NodeJS.WriteStream = process.stdout) {
    this.#out = out;
  }

  show({ done, total, text }: Progress): void {
    if (this.#out.isTTY) this.#draw(`${bar(done, total)} ${text}`);
    else if (text !== this.#said && Date.now() - this.#saidAt >= LINE_EVERY_MS) {
      this.#saidAt = Date.now();
      this.#said = text;
      this.#out.write(`${text}\n`);
    }
  }

  /** Leaves a terminal's line free for what comes next. */
  end(): void {
    if (this.#drawn) this.#draw('');
    this.#drawn = false;
  }

  #draw(text: string): void {
    this.#drawn = true;
    this.#out.cursorTo(0);
    this.#out.write(text.slice(0, Math.max(20, (this.#out.columns ?? 80) - 1)));
    this.#out.clearLine(1);
  }
}

/** @param total 0 is done. */
export function bar(done: number, total: number): string {
  const full = total === 0 ? BAR : Math.floor((done * BAR) / total);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR - full)}]`;
}
