/**
 * Brings the event log to this process: woken by NOTIFY or through Redis (live/relay.ts), and by a clock, which also fills the
 * gap while whatever wakes it is away.
 */
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { describeFailure } from '../components/describe-failure.ts';
import { OwnSession } from '../db/own-session.ts';
import { Pause } from '../pause.ts';
import { type TraceContext, tracing } from '../telemetry/tracing.ts';
import { EVENT_CHANNEL, type LoggedEvent, type Topic } from './event-log.ts';

/** The log is looked at this often without a notification; a revocation has to arrive within a second. */
const POLL_MS = 400;
const BATCH = 500;
/**
 * An answer is waited for so long before the connection is taken for dead, and another one made; longer where the server is
 * slow, or a busy one would be asked anew again and again. Milliseconds.
 */
const PATIENCE_MS = 750;
const MOST_PATIENCE_MS = 6000;
const AGAIN_MS = 250;
/** How long a late log is waited for, in turns of so many milliseconds: a process that was held up has had none of them. */
const TURNS = 30;
const TURN_MS = 50;

export interface EventBusOptions {
  /** Of the control database, directly: LISTEN does not go through a pooler in transaction mode. */
  url: string;
  log: Logger;
  /** Whether PostgreSQL wakes this process; otherwise somebody calls `wake`. */
  listens: boolean;
}

export class EventBus {
  readonly #options: EventBusOptions;
  readonly #emitter = new EventEmitter();
  #session?: OwnSession;
  #seq = 0;
  /** When the log was last asked and had no more to tell, by `performance.now()`. */
  #readAt = Number.NEGATIVE_INFINITY;
  #patience = PATIENCE_MS;
  #failures = 0;
  /** Settles when the log has been read to its end for the next time. */
  #read = Promise.withResolvers<void>();
  #stopped = false;
  readonly #pause = new Pause();
  /** A notification that came while the log was being read. */
  #notified = false;
  #running?: Promise<void>;

  constructor(options: EventBusOptions) {
    this.#options = options;
    this.#emitter.setMaxListeners(0);
  }

  /** Hands every later event of the topic to the listener, in order. @returns what ends it. */
  on<T extends Topic>(topic: T, listener: (event: LoggedEvent<T>) => void): () => void {
    // One that fails keeps neither others from hearing of it nor any from what comes after.
    const guarded = (event: LoggedEvent<T>) => {
      try {
        listener(event);
      } catch (error) {
        this.#options.log.error({ err: error, topic, seq: event.seq }, 'an event was not taken in');
      }
    };
    this.#emitter.on(topic, guarded);
    return () => this.#emitter.off(topic, guarded);
  }

  /**
   * Whether every event that was committed before this many milliseconds has been seen. What is kept in memory on the
   * word of the log must not be used beyond that.
   */
  isCurrent(withinMs: number): boolean {
    return this.lag < withinMs;
  }

  /** Milliseconds since the log was last known to be read to its end. */
  get lag(): number {
    return performance.now() - this.#readAt;
  }

  /** Whether the log can be read. */
  get isUp(): boolean {
    return this.#failures === 0;
  }

  /**
   * The same, where the log is read first if that was longer ago; a late one is waited for, for a second and a half.
   *
   * @returns false where it cannot be read.
   */
  async catchUp(withinMs: number): Promise<boolean> {
    for (let turn = 0; turn < TURNS && !this.isCurrent(withinMs); turn++) {
      // One that fails is tried again at a pace of its own.
      if (this.isUp) this.#wakeUp();
      await Promise.race([this.#read.promise, sleep(TURN_MS, undefined, { ref: false })]);
    }
    return this.isCurrent(withinMs);
  }

  /** The last event that this process has seen. */
  get seq(): number {
    return this.#seq;
  }

  /** Somebody says that the log has come so far. */
  wake(seq: number): void {
    if (seq > this.#seq) this.#wakeUp();
  }

  /** Calls the listener with the last event of each batch that was read. */
  onRead(listener: (seq: number) => void): void {
    this.#emitter.on(READ, listener);
  }

  /** Starts after the newest event. What the log's past amounts to has to be loaded after this returns. */
  async start(): Promise<void> {
    this.#session = await this.#connect();
    const { rows } = await this.#session.client.query<{ seq: string }>(
      'select coalesce(max(seq), 0) as seq from events',
    );
    this.#seq = Number(rows[0]!.seq);
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#pause.cut();
    await this.#running;
    await this.#session?.end();
  }

  async #connect(): Promise<OwnSession> {
    const { url, listens } = this.#options;
    // One that was given up before is nobody's business any more.
    const lost = () => session === this.#session && this.#wakeUp();
    const session: OwnSession = await OwnSession.open({ url, name: 'omnistream events', lost });
    session.client.on('notification', () => this.#wakeUp());
    try {
      if (listens) await session.ask(`listen ${EVENT_CHANNEL}`, MOST_PATIENCE_MS);
    } catch (error) {
      session.drop();
      throw error;
    }
    return session;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        this.#session ??= await this.#connect();
        this.#notified = false;
        while (await this.#readBatch(this.#session)) {}
        this.#recovered();
        if (!this.#notified) await this.#pause.take(POLL_MS);
      } catch (error) {
        if (this.#stopped) return;
        this.#failed(error);
        // A lost connection is made anew at once; a server that is away is not asked without end.
        if (this.#failures > 1) await this.#pause.take(AGAIN_MS);
      }
    }
  }

  #failed(error: unknown): void {
    this.#session?.drop();
    this.#session = undefined;
    this.#failures += 1;
    this.#patience = Math.min(2 * this.#patience, MOST_PATIENCE_MS);
    if (this.#failures === 1) {
      this.#options.log.warn(
        { error: describeFailure(error) },
        'the event log cannot be read: it is tried again until it can',
      );
    }
  }

  #recovered(): void {
    if (this.#failures > 0) this.#options.log.info('the event log is read again, from where it was left');
    this.#failures = 0;
  }

  #wakeUp(): void {
    this.#notified = true;
    this.#pause.cut();
  }

  #tell(event: LoggedEvent): void {
    const { topic, payload, seq } = event;
    const parent = payload as TraceContext;
    if (!tracing || !parent.traceparent) return void this.#emitter.emit(topic, event);
    const attributes = { 'omnistream.event.seq': seq };
    const span = tracing.begin(`event ${topic}`, { kind: 'consumer', parent, attributes });
    span.within(() => this.#emitter.emit(topic, event));
    span.end();
  }

  async #readBatch(session: OwnSession): Promise<boolean> {
    const askedAt = performance.now();
    const { rows } = await session.ask<{ seq: string; topic: Topic; payload: never }>(
      {
        name: 'events_after',
        text: `select seq, topic, payload from events where seq > $1 order by seq limit ${BATCH}`,
        values: [this.#seq],
      },
      this.#patience,
    );
    this.#patience = Math.max(PATIENCE_MS, Math.min(4 * (performance.now() - askedAt), MOST_PATIENCE_MS));
    for (const { seq, topic, payload } of rows) {
      this.#seq = Number(seq);
      const event: LoggedEvent = { seq: this.#seq, topic, payload };
      this.#tell(event);
    }
    if (rows.length > 0) this.#emitter.emit(READ, this.#seq);
    const more = rows.length === BATCH;
    if (more) return true;
    this.#readAt = askedAt;
    this.#read.resolve();
    this.#read = Promise.withResolvers();
    return false;
  }
}

const READ = Symbol('read');
