/** Work on tenants' databases that waits its turn, so that neither a rush on many nor one that hangs takes all there is. */
import { AppError } from '../errors.ts';

export interface TurnLimits {
  /** At work at the same time. */
  all: number;
  /** Of these, for one tenant. */
  each: number;
}

export interface TurnsState {
  atWork: number;
  waiting: number;
  givenUp: number;
  /** Under way at most. */
  most: number;
}

interface Waiting {
  tenant: string;
  begin(): void;
}

export class Turns {
  readonly #limits: TurnLimits;
  readonly #waiting = new Set<Waiting>();
  /** At work, by tenant. */
  readonly #busy = new Map<string, number>();
  #atWork = 0;
  #givenUp = 0;

  constructor(limits: TurnLimits) {
    this.#limits = limits;
  }

  /** Work under way, work that waits, and how much has waited too long so far. */
  get state(): TurnsState {
    return { atWork: this.#atWork, waiting: this.#waiting.size, givenUp: this.#givenUp, most: this.#limits.all };
  }

  /** @param waitMs for its turn. @throws {AppError} unavailable when that does not come in time. */
  async take<T>(tenant: string, work: () => Promise<T>, waitMs: number): Promise<T> {
    if (!this.#enter(tenant)) await this.#wait(tenant, waitMs);
    try {
      return await work();
    } finally {
      this.#leave(tenant);
    }
  }

  #enter(tenant: string): boolean {
    const busy = this.#busy.get(tenant) ?? 0;
    if (this.#atWork >= this.#limits.all || busy >= this.#limits.each) return false;
    this.#busy.set(tenant, busy + 1);
    this.#atWork++;
    return true;
  }

  #wait(tenant: string, waitMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#waiting.delete(waiting);
        this.#givenUp++;
        reject(new AppError('unavailable', { retryAfter: 2 }));
      };
      const timer = setTimeout(giveUp, waitMs);
      const waiting: Waiting = {
        tenant,
        begin: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      this.#waiting.add(waiting);
    });
  }

  #leave(tenant: string): void {
    const left = this.#busy.get(tenant)! - 1;
    if (left === 0) this.#busy.delete(tenant);
    else this.#busy.set(tenant, left);
    this.#atWork--;
    // In the order in which they came, past those whose tenant has enough.
    for (const waiting of this.#waiting) {
      if (!this.#enter(waiting.tenant)) continue;
      this.#waiting.delete(waiting);
      waiting.begin();
      return;
    }
  }
}
