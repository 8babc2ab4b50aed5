/**
 * How other processes see that this one is alive: a session-level advisory lock on a number of its own, which the server
 * lets go the moment the connection ends, however the process died.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { LOCKS } from '../db/locks.ts';

export class WorkerSession {
  readonly #url: string;
  readonly #log: Logger;
  #client?: pg.Client;
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
    const client = new pg.Client({
      connectionString: this.#url,
      connectionTimeoutMillis: 5000,
      keepAlive: true,
      application_name: 'omnistream worker',
    });
    client.on('error', (error) => this.#log.warn({ error: error.message }, 'the worker connection was lost'));
    client.on('end', () => void this.#reopen(client));
    await client.connect();
    const number = randomInt(1, 2 ** 31 - 1);
    await client.query(`select pg_advisory_lock(${LOCKS.worker}, ${number})`);
    this.#client = client;
    this.#number = number;
  }

  async #reopen(lost: pg.Client): Promise<void> {
    if (this.#client !== lost) return;
    this.#client = undefined;
    while (!this.#closed && !this.#client) {
      await sleep(250);
      await this.open().catch(() => {});
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client?.end().catch(() => {});
  }
}
