/**
 * Guessing is slowed without locking anyone out. Attempts are counted three ways, in the control database and so for all
 * processes together; one that succeeds is given back:
 *
 * - account and address: 5 a minute;
 * - address: 60 in ten minutes, whatever accounts it tries;
 * - account: 100 in ten minutes, which one address alone cannot reach.
 *
 * An address is an IPv4 address or an IPv6 network of /64.
 *
 * Companies that sign themselves up: 60 an hour from one address.
 *
 * Where an account has been signed in to within 90 days, its attempts are held to the first alone, so that neither an attack
 * from elsewhere nor a neighbour behind the same address shuts its owner out.
 */
import type { Pool } from 'pg';
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import type { Context } from '../context.ts';
import type { Keys } from '../db/keys.ts';
import { AppError } from '../errors.ts';
import { networkOf } from '../network.ts';
import { emailKey } from './rules.ts';

const KNOWN_ADDRESS_SECONDS = 90 * 86_400;
const UNTOLD = 'that guessing came to be refused is not in the audit log: its entry could not be written';

export class LoginThrottle {
  readonly #keys: Keys;
  readonly #pair: RateLimiterPostgres;
  readonly #address: RateLimiterPostgres;
  readonly #account: RateLimiterPostgres;
  readonly #known: RateLimiterPostgres;
  readonly #register: RateLimiterPostgres;
  /** The end of the last attempt under way, by account and address. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(pool: Pool, keys: Keys) {
    this.#keys = keys;
    const counter = (keyPrefix: string, points: number, duration: number) =>
      new RateLimiterPostgres({
        storeClient: pool,
        storeType: 'pool',
        tableName: 'rate_limits',
        tableCreated: true,
        clearExpiredByTimeout: false,
        keyPrefix,
        points,
        duration,
      });
    this.#pair = counter('pair', 5, 60);
    this.#address = counter('address', 60, 600);
    this.#account = counter('account', 100, 600);
    this.#register = counter('register', 60, 3600);
    this.#known = counter('known', 1, KNOWN_ADDRESS_SECONDS);
  }

  /**
   * Counts an attempt before the password is looked at, so that many at once cannot slip through together.
   *
   * @param realm which kind of account the address is looked for among.
   * @param check finds the account, or undefined where the password is wrong.
   * @param ctx whose address is counted.
   * @param refused is told of the first attempt that one limit refuses, not of those that follow: they may be without end. Where it fails,
   * the attempt is refused all the same.
   * @throws {AppError} rate_limited with the seconds to wait.
   */
  attempt<T>(
    realm: string,
    email: string,
    ctx: Context,
    check: () => Promise<T | undefined>,
    refused: () => Promise<void>,
  ): Promise<T | undefined> {
    const account = this.#keys.fingerprint(realm, emailKey(email));
    const from = networkOf(ctx.address);
    const pair = this.#keys.fingerprint(account, from);
    const told = (work: () => Promise<void>) => () =>
      work().catch((err: unknown) => ctx.services.log.error({ err, ...ctx.trail }, UNTOLD));
    return this.#inTurn(pair, async () => {
      // Whoever is over the limit of their address could have as many accounts refused as they can name.
      const unlessFlooding = async () => {
        const { consumedPoints = 0 } = (await this.#address.get(from)) ?? {};
        if (consumedPoints <= this.#address.points) await refused();
      };
      await consume(this.#pair, pair, told(unlessFlooding));
      const known = await this.#known.get(pair);
      if (!known) {
        await consume(this.#address, from, told(refused));
        await consume(this.#account, account, told(refused));
      }
      const found = await check();
      if (found !== undefined) {
        await Promise.all([
          this.#pair.delete(pair),
          ...(known ? [] : [this.#address.reward(from), this.#account.reward(account)]),
          this.#known.set(pair, 1, KNOWN_ADDRESS_SECONDS),
        ]);
      }
      return found;
    });
  }

  /** @throws {AppError} rate_limited */
  countRegistration(address: string): Promise<void> {
    return consume(this.#register, networkOf(address));
  }

  /** One attempt at a time: an owner who signs in ten times at once would otherwise be taken for a guesser. */
  #inTurn<T>(pair: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(pair) ?? Promise.resolve()).then(work);
    const ended = turn.then(
      () => {},
      () => {},
    );
    this.#turns.set(pair, ended);
    void ended.then(() => {
      if (this.#turns.get(pair) === ended) this.#turns.delete(pair);
    });
    return turn;
  }
}

async function consume(limiter: RateLimiterPostgres, key: string, refused?: () => Promise<void>): Promise<void> {
  await limiter.consume(key).catch(async (refusal: unknown) => {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    if (refusal.consumedPoints === limiter.points + 1) await refused?.();
    // Who counted last may have had another clock: nobody is sent away for longer than it is counted.
    const seconds = Math.min(refusal.msBeforeNext / 1000, limiter.duration);
    throw new AppError('rate_limited', { retryAfter: Math.max(1, Math.ceil(seconds)) });
  });
}
