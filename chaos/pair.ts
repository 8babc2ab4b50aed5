/** Two gateways of one installation, one of which is to come to harm; a new installation now and then. */
import type { Actor } from '../tests/support/actors.ts';
import type { GatewayProcess } from '../tests/support/gateway-process.ts';
import type { Ground } from './ground.ts';
import type { Equipment, Installation } from './installation.ts';

export interface Ready {
  installation: Installation;
  survivor: GatewayProcess;
  /** At the survivor. */
  admin: Actor;
}

export class Pair {
  readonly #ground: Ground;
  readonly #rounds: number;
  readonly #equipment: Equipment;
  #left = 0;
  #ready?: Ready;

  /** @param rounds that an installation is used for: the checker looks at all that was ever made in it. */
  constructor(ground: Ground, rounds: number, equipment: Equipment) {
    this.#ground = ground;
    this.#rounds = rounds;
    this.#equipment = equipment;
  }

  /** The one that stays, in an installation that has had few rounds. */
  async ready(): Promise<Ready> {
    if (this.#left-- > 0 && this.#ready) return this.#ready;
    await this.close();
    const installation = await this.#ground.install(this.#equipment);
    const survivor = await installation.start();
    this.#ready = { installation, survivor, admin: await installation.admin(survivor) };
    this.#left = this.#rounds - 1;
    return this.#ready;
  }

  async close(): Promise<void> {
    if (this.#ready) await this.#ground.remove(this.#ready.installation);
    this.#ready = undefined;
  }
}
