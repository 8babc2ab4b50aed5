/**
 * Guessing is slowed without locking anyone out. Failures are counted three ways, in the control database and so for
 * all processes together:
 *
 * - account and address: 5 in a minute, then that pair waits;
 * - address: 60 in ten minutes, then that address waits, whatever it tries;
 * - account, from addresses where its owner has not signed in: 30 in ten minutes. Addresses where the owner has signed
 *   in within 90 days are not held to it, so that an attack from elsewhere does not shut the owner out.
 */
import type { Pool } from 'pg';
import { RateLimiterPostgres, type RateLimiterRes } from 'rate-limiter-flexible';
import type { Keys } from '../db/secrets.ts';
import { AppError } from '../errors.ts';

const KNOWN_ADDRESS_SECONDS = 90 * 86_400;

export class LoginThrottle {
  readonly #keys: Keys;
  readonly #pair: RateLimiterPostgres;
  readonly #address: RateLimiterPostgres;
  readonly #account: RateLimiterPostgres;
  readonly #known: RateLimiterPostgres;

  constructor(pool: Pool, keys: Keys) {
    this.#keys = keys;
    const counter = (keyPrefix: string, points: number, duration: number, blockDuration = 0) =>
      new RateLimiterPostgres({
        storeClient: pool,
        storeType: 'pool',
        tableName: 'rate_limits',
        tableCreated: true,
        clearExpiredByTimeout: false,
        keyPrefix,
        points,
        duration,
        blockDuration,
      });
    this.#pair = counter('pair', 5, 60, 30);
    this.#address = counter('address', 60, 600, 60);
    this.#account = counter('account', 30, 600, 60);
    this.#known = counter('known', 1, KNOWN_ADDRESS_SECONDS);
  }

  #names(realm: string, email: string, address: string) {
    const account = this.#keys.fingerprint(realm, email.trim().toLowerCase());
    return { account, pair: this.#keys.fingerprint(account, address), address };
  }

  /** To be asked before the password is looked at. @throws {AppError} rate_limited with the seconds to wait. */
  async check(realm: string, email: string, address: string): Promise<void> {
    const names = this.#names(realm, email, address);
    const [pair, fromAddress, account, known] = await Promise.all([
      this.#pair.get(names.pair),
      this.#address.get(names.address),
      this.#account.get(names.account),
      this.#known.get(names.pair),
    ]);
    const waits = [
      waitFor(pair, this.#pair.points),
      waitFor(fromAddress, this.#address.points),
      known ? 0 : waitFor(account, this.#account.points),
    ];
    const seconds = Math.max(...waits);
    if (seconds > 0) throw new AppError('rate_limited', { retryAfter: seconds });
  }

  async failed(realm: string, email: string, address: string): Promise<void> {
    const names = this.#names(realm, email, address);
    // Going over a limit rejects; the next check() reads that from the table.
    await Promise.allSettled([
      this.#pair.consume(names.pair),
      this.#address.consume(names.address),
      this.#account.consume(names.account),
    ]);
  }

  async succeeded(realm: string, email: string, address: string): Promise<void> {
    const names = this.#names(realm, email, address);
    await Promise.all([this.#pair.delete(names.pair), this.#known.set(names.pair, 1, KNOWN_ADDRESS_SECONDS)]);
  }
}

function waitFor(state: RateLimiterRes | null, points: number): number {
  return state && state.consumedPoints >= points && state.msBeforeNext > 0 ? Math.ceil(state.msBeforeNext / 1000) : 0;
}
