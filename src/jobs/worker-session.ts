/**
 * How other processes see that this one is alive: a session-level advisory lock on a number of its own, which the server
 * lets go the moment the connection ends, however the process died, and ten seconds after it was last heard of.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { LOCKS } from '../db/locks.ts';
import { OwnSession } from '../db/own-session.ts';

const AGAIN_MS = 250;

export class WorkerSession {
  readonly #url: string;
  readonly #log: Logger;
  #session?: OwnSession;
  #number = 0;
  #closed = false;

  constructor(url: string, log: Logger) {
    this.#url = url;
    this.#log = log;
  }

  /** Changes with the connection: what the old number held is taken to be given up. */
  get number(): number {
    return this.#number;
  }

  async open(): Promise<void> {
    const session: OwnSession = await OwnSession.open({
      url: this.#url,
      name: 'omnistream worker',
      lease: true,
      lost: (error) => {
        if (this.#session === session) void this.#reopen(error);
      },
    });
    const number = randomInt(1, 2 ** 31 - 1);
    await session.client.query(`select pg_advisory_lock(${LOCKS.worker}, ${number})`);
    this.#session = session;
    this.#number = number;
  }

  async #reopen({ message }: Error): Promise<void> {
    this.#log.warn({ error: message }, 'the worker connection was lost');
    this.#session = undefined;
    while (!this.#closed && !this.#session) {
      await sleep(AGAIN_MS);
      await this.open().catch(() => {});
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#session?.end();
  }
}
