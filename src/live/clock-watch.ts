/** Holds this process's clock against the control database's, by which all processes go. */
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { correctBy, correction } from '../clock.ts';
import type { Queryable } from '../db/control.ts';

const LOOK_MS = 5000;
/** So much is made up for, and so much is told of; milliseconds. */
const CORRECTED_MS = 1000;
const TOLD_MS = 5000;
/** What is made up for changes only by more than this: a clock that jumps a little with each look is no good. */
const STEADY_MS = 100;
const FIRST_LOOKS = 5;

/** Copied for each question: a pool writes its callback into what it is given. */
const ASK = {
  name: 'database_clock',
  text: 'select (extract(epoch from clock_timestamp()) * 1000)::float8 as now',
};

/** How far the database's clock is ahead of the process's own, and how far that may be from the truth. Milliseconds. */
interface Look {
  offset: number;
  unsure: number;
}

async function look(database: Queryable): Promise<Look> {
  const asked = Date.now();
  const start = performance.now();
  const { rows } = await database.query<{ now: number }>({ ...ASK });
  // The answer may be of any moment in between.
  const unsure = (performance.now() - start) / 2;
  return { offset: rows[0]!.now - (asked + unsure), unsure };
}

function goBy({ offset, unsure }: Look): void {
  // First of all: an answer that came late says too little to undo what a quick one said.
  if (Math.abs(offset - correction()) <= STEADY_MS + unsure) return;
  correctBy(Math.abs(offset) <= CORRECTED_MS + unsure ? 0 : Math.round(offset));
}

/** Sets this process's time by the database's clock. @returns how far that is ahead of the process's own, in milliseconds. */
export async function goByDatabase(database: Queryable): Promise<number> {
  const seen = await look(database);
  goBy(seen);
  return seen.offset;
}

/** The same by the quickest of some answers: what is made up for at the start stays, unless it is found to be wrong. */
async function startByDatabase(database: Queryable): Promise<number> {
  let best = await look(database);
  for (let asked = 1; asked < FIRST_LOOKS; asked++) {
    const next = await look(database);
    if (next.unsure < best.unsure) best = next;
  }
  goBy(best);
  return best.offset;
}

export class ClockWatch {
  readonly #pool: Pool;
  readonly #log: Logger;
  #offset = 0;
  #told = false;
  #timer?: NodeJS.Timeout;

  constructor(pool: Pool, log: Logger) {
    this.#pool = pool;
    this.#log = log;
  }

  /** Looks before anything goes by the time, and again every five seconds. */
  async start(): Promise<void> {
    this.#offset = await startByDatabase(this.#pool);
    this.#tell();
    this.#again();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** How far the database's clock is ahead of this process's own, in milliseconds, as it was last seen. */
  get offset(): number {
    return this.#offset;
  }

  /** For an operator; undefined where the clock is right. */
  get notice(): string | undefined {
    if (Math.abs(this.#offset) <= TOLD_MS) return undefined;
    const seconds = Math.round(Math.abs(this.#offset) / 1000);
    return (
      `The clock of this machine is ${seconds} seconds ${this.#offset > 0 ? 'behind' : 'ahead of'} the database's: ` +
      "the process goes by the database's. Set it right."
    );
  }

  #again(): void {
    this.#timer = setTimeout(async () => {
      // A database that is away is told of elsewhere.
      await this.#look().catch(() => {});
      if (this.#timer) this.#again();
    }, LOOK_MS).unref();
  }

  async #look(): Promise<void> {
    this.#offset = await goByDatabase(this.#pool);
    this.#tell();
  }

  #tell(): void {
    const { notice } = this;
    if (notice && !this.#told) this.#log.warn({ offsetMs: Math.round(this.#offset) }, notice);
    if (!notice && this.#told) this.#log.info("the clock of this machine agrees with the database's again");
    this.#told = notice !== undefined;
  }
}
