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

export class Connections {
  readonly #open = new Set<OpenConnection>();
  readonly #log: Logger;
  readonly #stops: (() => void)[];
  #sweeping = false;
  /** Something happened while a sweep was under way. */
  #again = false;
  #closed = false;

  constructor(bus: EventBus, log: Logger) {
    this.#log = log;
    // Listeners are called in the order in which they came: revocations and keys are known by now.
    const sweep = () => void this.#sweep();
    const timer = setInterval(sweep, SWEEP_MS);
    this.#stops = [bus.on('revocation', sweep), bus.on('api_key', sweep), () => clearInterval(timer)];
  }

  count(kind: ConnectionKind): number {
    let count = 0;
    for (const connection of this.#open) if (connection.kind === kind) count++;
    return count;
  }

  /** One that comes when all others have been ended is ended at once. @returns what is to be called when it has ended. */
  add(connection: OpenConnection): () => void {
    this.#open.add(connection);
    if (this.#closed) connection.goAway();
    return () => this.#open.delete(connection);
  }

  /** Ends all of them. */
  close(): void {
    this.#closed = true;
    for (const stop of this.#stops) stop();
    for (const connection of this.#open) connection.goAway();
  }

  async #sweep(): Promise<void> {
    this.#again = true;
    if (this.#sweeping) return;
    this.#sweeping = true;
    while (this.#again) {
      this.#again = false;
      for (const connection of this.#open) {
        const looked = this.#look(connection);
        if (looked) await looked;
      }
    }
    this.#sweeping = false;
  }

  async #look(connection: OpenConnection): Promise<void> {
    try {
      const checked = connection.check();
      if (checked) await checked;
    } catch (error) {
      const reason = toAppError(error);
      // A database that is away is no reason to cut everybody off.
      if (reason.status < 500) connection.refuse(reason);
      else this.#log.debug({ err: error }, 'a connection could not be looked at again');
    }
  }
}
