/** Whether a database server, or a pooler in front of one, answers, as this process sees it: what needs one that does not is refused at once. */
import pg from 'pg';
import type { Logger } from 'pino';
import { nowDate } from '../clock.ts';
import { describeFailure } from '../components/describe-failure.ts';
import { untilAborted } from '../components/probe.ts';
import { AppError } from '../errors.ts';
import { Pause } from '../pause.ts';

/** How often it is asked while it answers, and while it does not. Milliseconds. */
const UP_MS = 1000;
const DOWN_MS = 500;
/** How long an answer is waited for; a process that is busy itself asks twice before it says anything. */
const PATIENCE_MS = 1500;
const FAILURES = 2;
/** Of those who are refused. Seconds. */
const RETRY_AFTER = 5;

/** Thrown for work on a server that is away. */
export class ServerAway extends AppError {
  /** What super admins call it; not for tenants' users. */
  readonly server: string;

  constructor(server: string) {
    super('unavailable', {
      message: "The database server of this organization's data is away for the moment. Try again shortly.",
      retryAfter: RETRY_AFTER,
    });
    this.server = server;
  }
}

export interface ServerStanding {
  up: boolean;
  /** When it was found to stand so; absent before it was asked. */
  since?: Date;
  /** Of the last answer. */
  latencyMs?: number;
  /** Why it is down: a sentence for operators. */
  error?: string;
}

export interface LivenessNames {
  /** For the log, where it is something else than a server. */
  noun?: string;
  /** What its session is called at the server. */
  session?: string;
}

export class ServerLiveness {
  readonly #url: string;
  readonly #noun: string;
  readonly #session: string;
  readonly #log: Logger;
  readonly #listeners = new Set<() => void>();
  #client?: pg.Client;
  #standing: ServerStanding = { up: true };
  #failures = 0;
  #stopped = false;
  readonly #pause = new Pause();
  #running?: Promise<void>;

  /** @param url of its maintenance database. @param log names the server. */
  constructor(
    url: string,
    log: Logger,
    { noun = 'a database server', session = 'omnistream health' }: LivenessNames = {},
  ) {
    this.#url = url;
    this.#noun = noun;
    this.#session = session;
    this.#log = log;
  }

  /** A server that was never asked is taken to be up. */
  get standing(): ServerStanding {
    return this.#standing;
  }

  /** Calls the listener whenever the server goes away or comes back. @returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What comes of the work, which is waited for no longer than the server is up. @param work is given a signal that says so. @throws {ServerAway} */
  async whileUp<T>(name: string, work: (away: AbortSignal) => Promise<T>): Promise<T> {
    if (!this.#standing.up) throw new ServerAway(name);
    const away = new AbortController();
    const stop = this.onChange(() => this.#standing.up || away.abort(new ServerAway(name)));
    try {
      return await untilAborted(work(away.signal), away.signal);
    } finally {
      stop();
    }
  }

  /** Asks at once: something has failed that may mean that it is away. */
  suspect(): void {
    if (this.#standing.up) this.#pause.cut();
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#pause.cut();
    await this.#running;
    void this.#client?.end().catch(() => {});
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const asked = performance.now();
      const error = await this.#ask().then(
        () => undefined,
        (failure: unknown) => describeFailure(failure),
      );
      this.#failures = error === undefined ? 0 : this.#failures + 1;
      if (error === undefined) this.#set({ up: true, latencyMs: Math.round(performance.now() - asked) });
      else if (this.#failures >= FAILURES) this.#set({ up: false, error });
      const pause = this.#standing.up ? UP_MS : DOWN_MS;
      await this.#pause.take(this.#failures > 0 && this.#failures < FAILURES ? DOWN_MS / 5 : pause, { ref: false });
    }
  }

  async #ask(): Promise<void> {
    const client = this.#client ?? (await this.#connect());
    try {
      await client.query('select 1');
    } catch (error) {
      this.#client = undefined;
      // One that hangs is not waited for.
      void client.end().catch(() => {});
      throw error;
    }
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#url,
      connectionTimeoutMillis: PATIENCE_MS,
      query_timeout: PATIENCE_MS,
      application_name: this.#session,
    });
    client.on('error', () => {});
    client.on('end', () => {
      if (this.#client !== client) return;
      this.#client = undefined;
      this.suspect();
    });
    await client.connect();
    this.#client = client;
    return client;
  }

  #set(next: ServerStanding): void {
    const changed = next.up !== this.#standing.up;
    const since = changed || !this.#standing.since ? nowDate() : this.#standing.since;
    this.#standing = { ...next, since };
    if (!changed) return;
    if (next.up) this.#log.info(`${this.#noun} is back`);
    else this.#log.error({ error: next.error }, `${this.#noun} is away: its tenants are refused until it is back`);
    for (const listener of this.#listeners) listener();
  }
}
