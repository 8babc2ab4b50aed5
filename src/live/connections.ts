/** Whatever stays open: looked at again and again, so that nobody stays in who may no more. */
import type { Logger } from 'pino';
import { type AppError, toAppError } from '../errors.ts';
import type { EventBus } from './event-bus.ts';

export type ConnectionKind = 'socket' | 'stream';

/** A socket, or a stream of events. */
export interface OpenConnection {
  readonly kind: ConnectionKind;
  /** @throws {AppError} when its credentials are no good any more. */
  check(): void | Promise<void>;
  /** Ends it, saying why. */
  refuse(reason: AppError): void;
  /** Ends it because the gateway stops. */
  goAway(): void;
}

/** Expiry is found this late at most, in milliseconds; what the event log tells, at once. */
const SWEEP_MS = 500;

/** One look at a connection that takes a while, such as at an API key that the database is asked about. */
interface Look {
  underWay: boolean;
  /** Something happened meanwhile. */
  again: boolean;
}

export class Connections {
  readonly #open = new Map<OpenConnection, Look>();
  readonly #log: Logger;
  readonly #stops: (() => void)[];
  #closed = false;

  constructor(bus: EventBus, log: Logger) {
    this.#log = log;
    // Listeners are called in the order in which they came: revocations and keys are known by now.
    const sweep = () => this.#sweep();
    const timer = setInterval(sweep, SWEEP_MS);
    this.#stops = [bus.on('revocation', sweep), bus.on('api_key', sweep), () => clearInterval(timer)];
  }

  count(kind: ConnectionKind): number {
    let count = 0;
    for (const connection of this.#open.keys()) if (connection.kind === kind) count++;
    return count;
  }

  /** One that comes when all others have been ended is ended at once. @returns what is to be called when it has ended. */
  add(connection: OpenConnection): () => void {
    this.#open.set(connection, { underWay: false, again: false });
    if (this.#closed) connection.goAway();
    return () => this.#open.delete(connection);
  }

  /** Ends all of them. */
  close(): void {
    this.#closed = true;
    for (const stop of this.#stops) stop();
    for (const connection of this.#open.keys()) connection.goAway();
  }

  /** None waits for another: a database that does not answer about one says nothing of the others. */
  #sweep(): void {
    for (const [connection, look] of this.#open) {
      if (look.underWay) look.again = true;
      else this.#look(connection, look);
    }
  }

  #look(connection: OpenConnection, look: Look): void {
    look.again = false;
    const fails = (error: unknown) => this.#judge(connection, error);
    try {
      const checked = connection.check();
      if (!checked) return;
      look.underWay = true;
      void checked.catch(fails).finally(() => {
        look.underWay = false;
        if (look.again && this.#open.has(connection)) this.#look(connection, look);
      });
    } catch (error) {
      fails(error);
    }
  }

  #judge(connection: OpenConnection, error: unknown): void {
    const reason = toAppError(error);
    // A database that is away is no reason to cut everybody off.
    if (reason.status < 500) connection.refuse(reason);
    else this.#log.debug({ err: error }, 'a connection could not be looked at again');
  }
}
