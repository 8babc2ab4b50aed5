/** What stands before gateways: knows by /readyz which of them take requests. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayProcess } from '../tests/support/gateway-process.ts';

/** How often each is asked: within the second in which a gateway that is asked to stop serves on. */
const ASK_MS = 100;
/** Who takes longer to answer is passed over: a list that waits for the slowest would be older than that second. */
const ANSWER_MS = 300;

export class Balancer {
  readonly #gateways: readonly GatewayProcess[];
  /** By place. */
  readonly #ready: boolean[];
  #stopped = false;
  readonly #asking: Promise<unknown>;

  /** @param gateways those that are up; whoever ends one and starts another changes the list. */
  constructor(gateways: readonly GatewayProcess[]) {
    this.#gateways = gateways;
    this.#ready = gateways.map(() => true);
    this.#asking = Promise.all(gateways.map((_, place) => this.#ask(place)));
  }

  /** Where requests are sent: all, where none has answered in time. */
  get urls(): readonly string[] {
    const ready = this.#gateways.filter((_, place) => this.#ready[place]);
    return (ready.length > 0 ? ready : this.#gateways).map(({ url }) => url);
  }

  async #ask(place: number): Promise<void> {
    while (!this.#stopped) {
      const gateway = this.#gateways[place]!;
      const ready = await fetch(`${gateway.url}/readyz`, { signal: AbortSignal.timeout(ANSWER_MS) }).then(
        ({ ok }) => ok,
        () => false,
      );
      // By now another one may be there, of which nothing is known.
      if (this.#gateways[place] === gateway) this.#ready[place] = ready;
      await sleep(ASK_MS);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#asking;
  }
}
