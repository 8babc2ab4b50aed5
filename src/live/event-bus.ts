/** Brings the event log to this process: woken by NOTIFY, and by a clock in case a notification is lost. */
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { EVENT_CHANNEL, type LoggedEvent, type Topic } from './event-log.ts';

/** The log is looked at this often without a notification; a revocation has to arrive within a second. */
const POLL_MS = 400;
const BATCH = 500;

export class EventBus {
  readonly #url: string;
  readonly #log: Logger;
  readonly #emitter = new EventEmitter();
  #client?: pg.Client;
  #seq = 0;
  /** When the log was last asked, by this process's clock, and had no more to tell. */
  #readAt = 0;
  #stopped = false;
  #wake: () => void = () => {};
  /** A notification that came while the log was being read. */
  #notified = false;
  #running?: Promise<void>;

  constructor(url: string, log: Logger) {
    this.#url = url;
    this.#log = log;
    this.#emitter.setMaxListeners(0);
  }

  /** Hands every later event of the topic to the listener, in order. @returns what ends it. */
  on<T extends Topic>(topic: T, listener: (event: LoggedEvent<T>) => void): () => void {
    this.#emitter.on(topic, listener);
    return () => this.#emitter.off(topic, listener);
  }

  /**
   * Whether every event that was committed before this many milliseconds has been seen. What is kept in memory on the
   * word of the log must not be used beyond that.
   */
  isCurrent(withinMs: number): boolean {
    return Date.now() - this.#readAt < withinMs;
  }

  /** The last event that this process has seen. */
  get seq(): number {
    return this.#seq;
  }

  /** Starts after the newest event. What the log's past amounts to has to be loaded after this returns. */
  async start(): Promise<void> {
    await this.#connect();
    const { rows } = await this.#client!.query<{ seq: string }>('select coalesce(max(seq), 0) as seq from events');
    this.#seq = Number(rows[0]!.seq);
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#running;
    await this.#client?.end().catch(() => {});
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#url,
      connectionTimeoutMillis: 5000,
      query_timeout: 5000,
      keepAlive: true,
      application_name: 'omnistream events',
    });
    client.on('error', (error) => this.#log.warn({ error: error.message }, 'the event connection was lost'));
    client.on('notification', () => {
      this.#notified = true;
      this.#wake();
    });
    await client.connect();
    await client.query(`listen ${EVENT_CHANNEL}`);
    this.#client = client;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        if (!this.#client) await this.#connect();
        this.#notified = false;
        while (await this.#readBatch()) {}
        if (!this.#notified) await this.#pause(POLL_MS);
      } catch (error) {
        if (this.#stopped) return;
        this.#log.warn({ error: (error as Error).message }, 'the event log cannot be read; trying again');
        void this.#client?.end().catch(() => {});
        this.#client = undefined;
        await sleep(250);
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #readBatch(): Promise<boolean> {
    const askedAt = Date.now();
    const { rows } = await this.#client!.query<{ seq: string; topic: Topic; payload: never }>({
      name: 'events_after',
      text: `select seq, topic, payload from events where seq > $1 order by seq limit ${BATCH}`,
      values: [this.#seq],
    });
    for (const { seq, topic, payload } of rows) {
      this.#seq = Number(seq);
      const event: LoggedEvent = { seq: this.#seq, topic, payload };
      this.#emitter.emit(topic, event);
    }
    const more = rows.length === BATCH;
    if (!more) this.#readAt = askedAt;
    return more;
  }
}
