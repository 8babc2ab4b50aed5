/** The periodic work that one process does for all: whoever holds the leader's lock. */
import type { Services } from '../context.ts';
import { LOCKS } from '../db/locks.ts';
import { OwnSession } from '../db/own-session.ts';
import { SETTLE_MS, settleRestores } from '../domain/backup/settle-restores.ts';
import { DROP_LEFT_MS, LeftDropper } from '../domain/drop-left.ts';
import { sampleHealth } from '../domain/health-history.ts';
import { WATCH_MS, watchHealth } from '../domain/health-watch.ts';
import { GIVE_BACK_MS, giveBack } from '../domain/move/give-back.ts';
import { beginDuePurges, DUE_MS } from '../domain/offboarding/due.ts';
import { RECORD_MS, recordUsage } from '../domain/usage-days.ts';
import { SEAL_MS, sealControl } from './chain-sealer.ts';
import { cleanUp } from './clean-up.ts';
import { every } from './timers.ts';
import { gatherUsage } from './usage-gatherer.ts';
import { keepWarm } from './warm-keeper.ts';

const CANDIDATE_MS = 1000;
/** Whether a sample is due is looked at. */
const SAMPLE_MS = 1000;
const CLEAN_UP_MS = 10 * 60_000;

export class Leader {
  readonly #services: Services;
  #session?: OwnSession;
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
    await this.#session?.end();
  }

  async #tryToLead(): Promise<void> {
    if (this.#stops.length > 0) return;
    this.#session ??= await this.#connect();
    const { rows } = await this.#session.client.query<{ locked: boolean }>(
      `select pg_try_advisory_lock(${LOCKS.leader}, 0) as locked`,
    );
    if (!rows[0]?.locked) return;
    const { log } = this.#services;
    const leftDropper = new LeftDropper(this.#services);
    this.#stops = [
      gatherUsage(this.#services),
      every(SEAL_MS, () => sealControl(this.#services), log),
      every(WATCH_MS, () => watchHealth(this.#services), log),
      every(SAMPLE_MS, () => sampleHealth(this.#services), log),
      every(RECORD_MS, () => recordUsage(this.#services), log, 0),
      every(DUE_MS, () => beginDuePurges(this.#services), log),
      every(DROP_LEFT_MS, () => leftDropper.run(), log),
      every(GIVE_BACK_MS, () => giveBack(this.#services), log),
      every(SETTLE_MS, () => settleRestores(this.#services), log),
      every(CLEAN_UP_MS, () => cleanUp(this.#services), log),
      keepWarm(this.#services),
    ];
    log.info('this process does the periodic work');
  }

  #connect(): Promise<OwnSession> {
    return OwnSession.open({
      url: this.#services.control.url,
      name: 'omnistream leader',
      lease: true,
      lost: ({ message }) => {
        this.#services.log.warn({ error: message }, 'the leader connection was lost');
        this.#session = undefined;
        void this.#stepDown();
      },
    });
  }

  async #stepDown(): Promise<void> {
    const stops = this.#stops;
    this.#stops = [];
    await Promise.all(stops.map((stop) => stop()));
  }
}
