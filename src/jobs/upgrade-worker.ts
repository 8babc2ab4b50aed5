/** Works on the upgrade that is under way, in this process, beside its requests and beside other processes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { query } from '../db/control.ts';
import { TENANT_SCHEMA_VERSION } from '../db/migrations/tenant/index.ts';
import {
  SEEN_MS,
  sayAtWork,
  type Taken,
  takeOverOrphans,
  takeTenant,
  type UpgradeServices,
  upgradeTenant,
} from '../domain/upgrades/work.ts';
import { every } from './timers.ts';
import type { WorkerSession } from './worker-session.ts';

const LOOK_MS = 500;
/** Tenants that one process works on at a time, whatever the upgrade allows all of them together. */
const MOST_AT_ONCE = 8;
/** How long those that are under way may take when the process is to end. */
const DRAIN_MS = 5000;

/** Orphans of an upgrade that was called off are to be seen to as well. */
const hasWork = query<{ work: boolean }>(
  'upgrade_has_work',
  `select exists (select from upgrade_runs where state = 'running' and to_version <= $1)
       or exists (select from upgrade_items where state = 'running') as work`,
);

export class UpgradeWorker {
  readonly #services: UpgradeServices;
  readonly #session: Pick<WorkerSession, 'number'>;
  /** By tenant. */
  readonly #underWay = new Map<string, Promise<void>>();
  #stops: (() => Promise<void>)[] = [];
  #stopped = false;
  /** While tenants are being taken up. */
  #filling?: Promise<void>;
  /** Whether there may be room that was not seen yet. */
  #mayHaveRoom = false;

  constructor(services: UpgradeServices, session: Pick<WorkerSession, 'number'>) {
    this.#services = services;
    this.#session = session;
  }

  start(): void {
    const { log } = this.#services;
    this.#stops = [
      every(LOOK_MS, () => this.#look(), log),
      every(
        SEEN_MS,
        async () => {
          const tenants = [...this.#underWay.keys()];
          if (tenants.length > 0) await sayAtWork(this.#services, this.#session.number, tenants);
        },
        log,
      ),
    ];
  }

  /** Takes up no more; waits a while for those that are under way. What is left is another process's. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#stops.map((stop) => stop()));
    await this.#filling;
    await Promise.race([Promise.all(this.#underWay.values()), sleep(DRAIN_MS, undefined, { ref: false })]);
  }

  async #look(): Promise<void> {
    const { name, text } = hasWork;
    const { rows } = await this.#services.control.pool.query<{ work: boolean }>({
      name,
      text,
      values: [TENANT_SCHEMA_VERSION],
    });
    if (!rows[0]!.work) return;
    await takeOverOrphans(this.#services);
    await this.#fill();
  }

  /** Takes up as many as may be under way at once; whoever ends makes room for the next one. */
  async #fill(): Promise<void> {
    this.#mayHaveRoom = true;
    this.#filling ??= this.#takeUp().finally(() => {
      this.#filling = undefined;
    });
    await this.#filling;
  }

  async #takeUp(): Promise<void> {
    while (this.#mayHaveRoom) {
      this.#mayHaveRoom = false;
      while (!this.#stopped && this.#underWay.size < MOST_AT_ONCE) {
        const taken = await takeTenant(this.#services, this.#session.number);
        if (!taken) break;
        this.#work(taken);
      }
    }
  }

  #work(taken: Taken): void {
    const { tenantId } = taken.item;
    const work = upgradeTenant(this.#services, taken)
      // Another process, or this one, takes it over when nobody has said for long enough to be at it.
      .catch((err: unknown) =>
        this.#services.log.warn({ err, orgId: tenantId }, 'what became of an upgrade could not be recorded'),
      )
      .then(() => {
        this.#underWay.delete(tenantId);
        if (!this.#stopped) void this.#fill().catch(() => {});
      });
    this.#underWay.set(tenantId, work);
  }
}
