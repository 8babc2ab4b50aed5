/**
 * The connections of a worker that moves a tenant. They are its fence on the two servers: whoever takes a move up ends those of
 * everybody before, and a connection that is opened is used only if nobody has taken the move up until then. So a worker that
 * was thought dead and comes back can send nothing more.
 */
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { databaseUrlOf, SESSION_OPTIONS } from '../../db/control.ts';
import { endSessions } from '../../db/end-sessions.ts';

/** What a move needs to know of a database server. */
export interface MoveServer {
  readonly id: string;
  readonly name: string;
  /** Connects the gateway's own role, directly. */
  readonly url: string;
}

/**
 * Writes also where the database is closed to writers, and is done with what it has written when it says so. The lock timeout
 * is for those who wait behind it.
 */
const OPTIONS =
  `${SESSION_OPTIONS} -c default_transaction_read_only=off -c synchronous_commit=local -c datestyle=ISO ` +
  '-c statement_timeout=0 -c lock_timeout=10s -c extra_float_digits=1';

export interface Attempt {
  orgId: string;
  number: number;
  /** @throws when somebody has taken the move up since. */
  check(): Promise<void>;
}

/** A server that hangs never says goodbye. Milliseconds. */
const GOODBYE_MS = 1000;

/** The names of these sessions begin with this. */
export const MOVE_SESSION = 'omnistream-move ';
/** SQL of the sessions of everybody else in the database $1. */
export const OTHERS = `datname = $1 and backend_type = 'client backend' and not starts_with(application_name, '${MOVE_SESSION}')`;
const labelOf = ({ orgId }: Attempt) => `${MOVE_SESSION}${orgId.replaceAll('-', '')} `;

export class MoveSessions {
  readonly #attempt: Attempt;
  readonly #open = new Map<string, Promise<pg.Client>>();
  readonly #fenced = new Map<string, Promise<void>>();
  readonly #sockets = new Set<Socket>();
  /** Those that were let go of may still be at what they were sent: they are ended as another worker's would be. */
  #generation = 0;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  /** A session in a database of a server; one for each. */
  async in(server: MoveServer, database: string): Promise<pg.Client> {
    const key = `${server.id} ${database}`;
    const open = this.#open.get(key) ?? this.#connect(server, database);
    this.#open.set(key, open);
    try {
      return await open;
    } catch (error) {
      this.#open.delete(key);
      throw error;
    }
  }

  async #connect(server: MoveServer, database: string): Promise<pg.Client> {
    const socket = new Socket();
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const client = new pg.Client({
      connectionString: databaseUrlOf(server.url, database),
      stream: () => socket,
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
      options: OPTIONS,
      application_name: this.#label,
    });
    client.on('error', () => {});
    await client.connect();
    try {
      const fenced = this.#fenced.get(server.id) ?? this.#endFormer(client);
      this.#fenced.set(server.id, fenced);
      await fenced.catch((error: unknown) => {
        this.#fenced.delete(server.id);
        throw error;
      });
      await this.#attempt.check();
      return client;
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
  }

  get #label(): string {
    return `${labelOf(this.#attempt)}${this.#attempt.number}.${this.#generation}`;
  }

  async #endFormer(client: pg.Client): Promise<void> {
    const label = labelOf(this.#attempt);
    await endSessions(client, 'starts_with(application_name, $1) and application_name <> $2', [label, this.#label]);
  }

  /** Ends what is open to one database, for it to be dropped, or to all. */
  async close(database?: string): Promise<void> {
    for (const [key, open] of this.#open) {
      if (database && !key.endsWith(` ${database}`)) continue;
      this.#open.delete(key);
      await Promise.race([
        open.then((client) => client.end()).catch(() => {}),
        sleep(GOODBYE_MS, undefined, { ref: false }),
      ]);
    }
    if (!database) this.abandon();
  }

  /** Lets go of all at once, whatever a server is still to say: who waits for an answer is told that there will be none. */
  abandon(): void {
    this.#generation += 1;
    this.#open.clear();
    this.#fenced.clear();
    for (const socket of this.#sockets) socket.destroy();
  }
}
