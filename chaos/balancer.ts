/** What stands before gateways: knows by /readyz which of them take requests. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayProcess } from '../tests/support/gateway-process.ts';

/** How often each is asked: within the second in which a gateway that is asked to stop serves on. */
const ASK_MS = 100;

export class Balancer {
  readonly #gateways: readonly GatewayProcess[];
  #ready: readonly string[];
  #stopped = false;
  readonly #asking: Promise<void>;

  /** @param gateways those that are up; whoever ends one and starts another changes the list. */
  constructor(gateways: readonly GatewayProcess[]) {
    this.#gateways = gateways;
    this.#ready = gateways.map(({ url }) => url);
    this.#asking = this.#ask();
  }

  /** Where requests are sent. */
  get urls(): readonly string[] {
    return this.#ready;
  }

  async #ask(): Promise<void> {
    while (!this.#stopped) {
      const asked = await Promise.all(
        this.#gateways.map(async ({ url }) => {
          const ready = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) }).then(
            ({ ok }) => ok,
            () => false,
          );
          return ready ? [url] : [];
        }),
      );
      this.#ready = asked.flat();
      await sleep(ASK_MS);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#asking;
  }
}
