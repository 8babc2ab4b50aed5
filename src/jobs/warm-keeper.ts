/** Keeps a few databases ready for tenants that are yet to come, while nobody waits for one. */
import { statfs } from 'node:fs/promises';
import type { ClientBase } from 'pg';
import type { Services } from '../context.ts';
import { query } from '../db/control.ts';
import { clusterIn } from '../db/embedded-cluster.ts';
import type { TenantCluster } from '../db/tenant-cluster.ts';
import type { WarmDatabases } from '../db/warm-databases.ts';
import { ServerState } from '../entities/control/database-server.ts';
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
  const keepers = new Map<TenantCluster, Keeper>();
  const look = async () => {
    const servers = services.servers.all();
    for (const server of keepers.keys()) if (!servers.includes(server)) keepers.delete(server);
    for (const server of servers)
      if (!keepers.has(server)) keepers.set(server, new Keeper(services, server, () => stopped));
    await Promise.all([...keepers.values()].map((keeper) => keeper.look()));
  };
  let stopped = false;
  const stop = every(LOOK_MS, look, services.log);
  return () => {
    stopped = true;
    return stop();
  };
}

/** Of one server. */
class Keeper {
  readonly #services: Services;
  readonly #server: TenantCluster;
  readonly #warm: WarmDatabases;
  readonly #isStopped: () => boolean;
  #notBefore = 0;
  #told = false;

  constructor(services: Services, server: TenantCluster, isStopped: () => boolean) {
    this.#services = services;
    this.#server = server;
    this.#warm = services.warmOn(server);
    this.#isStopped = isStopped;
  }

  /** One that takes no new tenants needs none. */
  get #wanted(): number {
    return this.#server.state === ServerState.OPEN ? this.#services.config.warmDatabases : 0;
  }

  async look(): Promise<void> {
    if (Date.now() < this.#notBefore || this.#server.isAway) return;
    try {
      if (await this.#hasWork()) await this.#warm.alone((client) => this.#work(client));
    } catch (error) {
      this.#notBefore = Date.now() + PATIENCE_MS;
      const { log } = this.#services;
      log.warn(
        { err: error, server: this.#server.name },
        'preparing databases for new tenants failed; it goes on in a minute',
      );
    }
  }

  async #hasWork(): Promise<boolean> {
    const { ready, useless } = await this.#warm.stock();
    return useless.length > 0 || ready.length !== this.#wanted;
  }

  /** One at a time, and each only while no tenant is being made: a copy competes with them for the disk. */
  async #work(client: ClientBase): Promise<void> {
    await this.#server.prepare();
    // Seen anew: what another process was preparing may be ready by now.
    const { ready, useless } = await this.#warm.stock();
    const surplus = ready.slice(this.#wanted);
    for (const name of [...useless, ...surplus]) {
      if (await this.#isToWait()) return;
      await this.#warm.remove(client, name);
    }
    for (let count = ready.length; count < this.#wanted; count++) {
      if ((await this.#isToWait()) || !(await this.#hasRoom())) return;
      await this.#warm.add(client);
    }
  }

  async #isToWait(): Promise<boolean> {
    if (this.#isStopped()) return true;
    const { name, text } = isBusy;
    const { rows } = await this.#services.control.pool.query<{ busy: boolean }>({ name, text });
    return rows[0]!.busy;
  }

  /** Of a server that is elsewhere it is not known. */
  async #hasRoom(): Promise<boolean> {
    const { config, log } = this.#services;
    const isElsewhere = config.databaseUrl !== undefined || !this.#server.isHome;
    const disk = isElsewhere ? undefined : await statfs(clusterIn(config.dataDir)).catch(() => undefined);
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
