/** The periodic work that one process does for all: whoever holds the leader's lock. */
import pg from 'pg';
import type { Services } from '../context.ts';
import { LOCKS } from '../db/locks.ts';
import { SAMPLE_SECONDS, sampleHealth } from '../domain/health-history.ts';
import { WATCH_MS, watchHealth } from '../domain/health-watch.ts';
import { RECORD_MS, recordUsage } from '../domain/usage-days.ts';
import { SEAL_MS, sealControl } from './chain-sealer.ts';
import { cleanUp } from './clean-up.ts';
import { every } from './timers.ts';
import { GATHER_MS, gatherUsage } from './usage-gatherer.ts';
import { keepWarm } from './warm-keeper.ts';

const CANDIDATE_MS = 1000;
const CLEAN_UP_MS = 10 * 60_000;

export class Leader {
  readonly #services: Services;
  #client?: pg.Client;
  #stops: (() => Promise<void>)[] = [];
  #stopCandidate: () => Promise<void> = async () => {};

  constructor(services: Services) {
    this.#services = services;
  }

  start(): void {
    this.#stopCandidate = every(CANDIDATE_MS, () => this.#tryToLead(), this.#services.log);
  }

  async stop(): Promise<void> {
    await this.#stopCandidate();
    await this.#stepDown();
    await this.#client?.end().catch(() => {});
  }

  async #tryToLead(): Promise<void> {
    if (this.#stops.length > 0) return;
    const client = this.#client ?? (await this.#connect());
    const { rows } = await client.query<{ locked: boolean }>(
      `select pg_try_advisory_lock(${LOCKS.leader}, 0) as locked`,
    );
    if (!rows[0]?.locked) return;
    const { log } = this.#services;
    this.#stops = [
      every(GATHER_MS, () => gatherUsage(this.#services), log),
      every(SEAL_MS, () => sealControl(this.#services), log),
      every(WATCH_MS, () => watchHealth(this.#services), log),
      every(SAMPLE_SECONDS * 1000, () => sampleHealth(this.#services), log),
      every(RECORD_MS, () => recordUsage(this.#services), log, 0),
      every(CLEAN_UP_MS, () => cleanUp(this.#services), log),
      keepWarm(this.#services),
    ];
    log.debug('this process does the periodic work');
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#services.control.url,
      connectionTimeoutMillis: 5000,
      keepAlive: true,
      application_name: 'omnistream leader',
    });
    client.on('error', (error) => this.#services.log.warn({ error: error.message }, 'the leader connection was lost'));
    client.on('end', () => {
      if (this.#client === client) this.#client = undefined;
      void this.#stepDown();
    });
    await client.connect();
    this.#client = client;
    return client;
  }

  async #stepDown(): Promise<void> {
    const stops = this.#stops;
    this.#stops = [];
    await Promise.all(stops.map((stop) => stop()));
  }
}
