/** Connections that a process keeps to itself: for LISTEN, and for locks that others see as long as it lives. */
import { Socket } from 'node:net';
import pg, { type QueryConfig, type QueryResult, type QueryResultRow } from 'pg';
import { NoAnswerError } from '../components/probe.ts';

const CONNECT_MS = 5000;
/** How often a session is asked whether it stands, and how long the answer may take; milliseconds. */
const BEAT_MS = 2000;
const BEAT_PATIENCE_MS = 5000;
/**
 * The server ends a session that has not been heard of for so long, and with it its locks: a process that is frozen, or whose
 * network is cut, would else keep them for hours.
 */
const LEASE_SECONDS = 10;

export interface OwnSessionOptions {
  url: string;
  /** As operators see it in `pg_stat_activity`. */
  name: string;
  /** Keeps it alive as long as the process is, and has the server end it soon afterwards. */
  lease?: boolean;
  /** Called once, when the connection is gone for whatever reason but `end`. */
  lost(error: Error): void;
}

export class OwnSession {
  readonly client: pg.Client;
  readonly #socket: Socket;
  #ended = false;
  #beat?: NodeJS.Timeout;

  private constructor({ url, name, lease, lost }: OwnSessionOptions) {
    const socket = new Socket();
    this.#socket = socket;
    this.client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
      application_name: name,
      stream: () => socket,
      ...(lease && { options: `-c idle_session_timeout=${LEASE_SECONDS}s` }),
    });
    let reason = new Error('the connection was closed');
    this.client.on('error', (error) => {
      reason = error;
    });
    this.client.on('end', () => {
      clearTimeout(this.#beat);
      if (!this.#ended) lost(reason);
    });
  }

  /** @throws when it cannot be had within five seconds; `lost` is not called then. */
  static async open(options: OwnSessionOptions): Promise<OwnSession> {
    let opened = false;
    const session = new OwnSession({ ...options, lost: (error) => opened && options.lost(error) });
    try {
      await session.client.connect();
    } catch (error) {
      session.drop();
      throw error;
    }
    opened = true;
    if (options.lease) session.#goOn();
    return session;
  }

  /** Runs a statement. @throws {NoAnswerError} after so many milliseconds; the session is then to be dropped. */
  async ask<Row extends QueryResultRow>(statement: string | QueryConfig, ms: number): Promise<QueryResult<Row>> {
    const late = Promise.withResolvers<never>();
    // An answer that came while this process was busy lies in the socket: it is read before the turn ends.
    const timer = setTimeout(() => setImmediate(() => late.reject(new NoAnswerError(ms))), ms);
    try {
      return await Promise.race([this.client.query<Row>(statement as QueryConfig), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Lets go of it at once, whether or not the server hears of it. */
  drop(): void {
    this.#socket.destroy();
  }

  async end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#beat);
    // One that hears nothing would keep the process from stopping.
    const timer = setTimeout(() => this.drop(), BEAT_MS);
    await this.client.end().catch(() => {});
    clearTimeout(timer);
  }

  #goOn(): void {
    this.#beat = setTimeout(async () => {
      try {
        await this.ask('select', BEAT_PATIENCE_MS);
        if (!this.#ended) this.#goOn();
      } catch {
        this.drop();
      }
    }, BEAT_MS).unref();
  }
}
