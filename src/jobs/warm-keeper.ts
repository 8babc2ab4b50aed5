/** Keeps a few databases ready for tenants that are yet to come, while nobody waits for one. */
import { statfs } from 'node:fs/promises';
import type { ClientBase } from 'pg';
import type { Services } from '../context.ts';
import { query } from '../db/control.ts';
import { clusterIn } from '../db/embedded-cluster.ts';
import { every } from './timers.ts';

const LOOK_MS = 500;
/** After a failure, which is likely to come again. */
const PATIENCE_MS = 60_000;
/** A copy of the template takes 8 MB; what is free is for tenants. */
const SPARE_BYTES = 1024 ** 3;

const isBusy = query<{ busy: boolean }>(
  'provisioning_is_busy',
  `select exists (select from provisioning_runs where state in ('queued', 'running')) as busy`,
);

/** @returns what ends it, after the database that is being prepared. */
export function keepWarm(services: Services): () => Promise<void> {
  const keeper = new Keeper(services);
  const stop = every(LOOK_MS, () => keeper.look(), services.log);
  return () => {
    keeper.stopped = true;
    return stop();
  };
}

class Keeper {
  readonly #services: Services;
  #notBefore = 0;
  #told = false;
  stopped = false;

  constructor(services: Services) {
    this.#services = services;
  }

  async look(): Promise<void> {
    const { warm, log } = this.#services;
    if (Date.now() < this.#notBefore || !(await this.#hasWork())) return;
    try {
      await warm.alone((client) => this.#work(client));
    } catch (error) {
      this.#notBefore = Date.now() + PATIENCE_MS;
      log.warn({ err: error }, 'preparing databases for new tenants failed; it goes on in a minute');
    }
  }

  async #hasWork(): Promise<boolean> {
    const { ready, useless } = await this.#services.warm.stock();
    return useless.length > 0 || ready.length !== this.#services.config.warmDatabases;
  }

  /** One at a time, and each only while no tenant is being made: a copy competes with them for the disk. */
  async #work(client: ClientBase): Promise<void> {
    const { warm, config } = this.#services;
    // Seen anew: what another process was preparing may be ready by now.
    const { ready, useless } = await warm.stock();
    const surplus = ready.slice(config.warmDatabases);
    for (const name of [...useless, ...surplus]) {
      if (await this.#isToWait()) return;
      await warm.remove(client, name);
    }
    for (let count = ready.length; count < config.warmDatabases; count++) {
      if ((await this.#isToWait()) || !(await this.#hasRoom())) return;
      await warm.add(client);
    }
  }

  async #isToWait(): Promise<boolean> {
    if (this.stopped) return true;
    const { name, text } = isBusy;
    const { rows } = await this.#services.control.pool.query<{ busy: boolean }>({ name, text });
    return rows[0]!.busy;
  }

  /** Of a server that is elsewhere it is not known. */
  async #hasRoom(): Promise<boolean> {
    const { config, log } = this.#services;
    const disk = config.databaseUrl ? undefined : await statfs(clusterIn(config.dataDir)).catch(() => undefined);
    const room = !disk || disk.bavail * disk.bsize >= SPARE_BYTES;
    if (!room && !this.#told) {
      log.warn(
        `less than 1 GiB is free in ${config.dataDir}: no databases are prepared for new tenants until there is`,
      );
    }
    this.#told = !room;
    return room;
  }
}
