/**
 * This process's connections to Redis, which are known to be alive: each is asked every two seconds, and made anew when it
 * does not answer. Nothing depends on them: requests are then counted and events looked for by each process itself.
 */
import type { Logger } from 'pino';
import { createClient } from 'redis';
import { describeFailure } from '../components/describe-failure.ts';
import { withDeadline } from '../components/probe.ts';
import { Pause } from '../pause.ts';

/** Milliseconds. */
const BEAT_MS = 2000;
const PATIENCE_MS = 2000;
const AGAIN_MS = 500;

const AWAY = 'Redis is away: each process counts requests for itself, and looks for events by itself.';

type Client = ReturnType<typeof makeClient>;
type EvalOptions = { keys: string[]; arguments: string[] };

export class RedisLink {
  readonly #url: string;
  readonly #log: Logger;
  readonly #connections: Connection[] = [];
  readonly #commands: Connection;
  #away = false;

  constructor(url: string, log: Logger) {
    this.#url = url;
    this.#log = log;
    this.#commands = this.#connect(async () => {});
  }

  /** Whether every connection has answered lately. */
  get isUp(): boolean {
    return this.#connections.every(({ isUp }) => isUp);
  }

  /** For an operator; undefined where there is nothing to say. */
  get notice(): string | undefined {
    return this.isUp ? undefined : AWAY;
  }

  /** @throws at once while it is away, and after so many milliseconds, when it is taken to be away. */
  async eval(script: string, options: EvalOptions, ms: number): Promise<unknown> {
    const { client } = this.#commands;
    try {
      return await withDeadline(ms, () => client.eval(script, options));
    } catch (error) {
      this.#commands.doubt(error);
      throw error;
    }
  }

  /** To whoever listens at the moment. Where it does not get through, nobody is told. */
  publish(channel: string, message: string): void {
    if (this.#commands.isUp)
      this.#commands.client.publish(channel, message).catch((error: unknown) => this.#commands.doubt(error));
  }

  /** Hands what is published to the listener, by a connection of its own. */
  subscribe(channel: string, listener: (message: string) => void): void {
    this.#connect((client) => client.subscribe(channel, listener));
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }

  #connect(prepare: (client: Client) => Promise<void>): Connection {
    const connection = new Connection(this.#url, prepare, (failure) => this.#tell(failure));
    this.#connections.push(connection);
    return connection;
  }

  /** One sentence when the first of the connections is away, and one when all are back. */
  #tell(failure: unknown): void {
    if (failure !== undefined && !this.#away) {
      this.#away = true;
      this.#log.warn({ error: describeFailure(failure) }, AWAY);
    } else if (this.#away && this.isUp) {
      this.#away = false;
      this.#log.info('Redis is back: requests are counted for all processes together, and it tells of events.');
    }
  }
}

class Connection {
  readonly #url: string;
  readonly #prepare: (client: Client) => Promise<void>;
  readonly #tell: (failure: unknown) => void;
  readonly #running: Promise<void>;
  #client: Client;
  #isUp = false;
  #closed = false;
  readonly #pause = new Pause();

  /** @param tell is called with what failed, or with nothing each time that it answers. */
  constructor(url: string, prepare: (client: Client) => Promise<void>, tell: (failure: unknown) => void) {
    this.#url = url;
    this.#prepare = prepare;
    this.#tell = tell;
    this.#client = makeClient(url);
    this.#running = this.#keep();
  }

  get client(): Client {
    return this.#client;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Somebody was not answered: it is left alone until it has answered the next beat. */
  doubt(failure: unknown): void {
    if (this.#closed) return;
    this.#isUp = false;
    this.#tell(failure);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#pause.cut();
    letGo(this.#client);
    await this.#running;
  }

  async #keep(): Promise<void> {
    for (; !this.#closed; this.#client = makeClient(this.#url)) {
      const client = this.#client;
      client.on('error', () => this.#pause.cut());
      try {
        await withDeadline(PATIENCE_MS, () => client.connect());
        await withDeadline(PATIENCE_MS, () => this.#prepare(client));
        for (; !this.#closed; await this.#pause.take(BEAT_MS)) {
          // A connection that was made says nothing yet: the kernel takes them for a server that hangs as well.
          await withDeadline(PATIENCE_MS, () => client.ping());
          this.#isUp = true;
          this.#tell(undefined);
        }
      } catch (failure) {
        this.doubt(failure);
      }
      letGo(client);
      if (!this.#closed) await this.#pause.take(AGAIN_MS);
    }
  }
}

function letGo(client: Client): void {
  if (client.isOpen) client.destroy();
}

function makeClient(url: string) {
  return createClient({
    url,
    // RESP 3 begins with HELLO, which Redis before 6 does not know.
    RESP: 2,
    disableClientInfo: true,
    disableOfflineQueue: true,
    // It is made anew here, also where it stands and does not answer.
    socket: { connectTimeout: PATIENCE_MS, reconnectStrategy: false },
  });
}
