/**
 * How many requests a minute may come from one address, by what they ask for. Counted in Redis where there is one, so for all
 * processes together, and otherwise, or while it is away, in each process for itself: neither nobody nor everybody is let in then.
 *
 * Guessing passwords is slowed by domain/login-throttle.ts besides.
 */
import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Config, RateLimit } from './config.ts';
import { COOKIE } from './credentials.ts';
import { AppError } from './errors.ts';
import type { RedisLink } from './live/redis-link.ts';
import { networkOf } from './network.ts';
import type { Proxies } from './proxies.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a route's requests are counted as; without it, by whether they carry credentials. */
    rateLimit?: RateLimit;
  }
}

const WINDOW_SECONDS = 60;
/** Redis has so long to answer before a request is counted here. Milliseconds. */
const PATIENCE_MS = 200;

export interface RateLimits {
  /** @param asked what it counts as, where the request alone does not say. @returns undefined where nothing is counted. @throws {AppError} rate_limited */
  count(request: FastifyRequest, asked?: RateLimit): Promise<void> | undefined;
  /** Whether `countEarly` counts anything. */
  readonly countsEarly: boolean;
  /** Counts as `public` before Fastify has seen the request: where it goes on to there, it is not counted again. */
  countEarly(request: IncomingMessage): Promise<void> | undefined;
}

export function makeRateLimits({ rateLimits }: Config, proxies: Proxies, redis: RedisLink | undefined): RateLimits {
  const limited = Object.entries(rateLimits).filter(([, points]) => points > 0) as [RateLimit, number][];
  const limiters = Object.fromEntries(
    limited.map(([name, points]) => [name, limiterOf(name, points, redis)]),
  ) as Partial<Record<RateLimit, RateLimiterAbstract>>;
  const early = new WeakMap<IncomingMessage, Promise<void>>();
  const countAs = (asked: RateLimit, request: IncomingMessage) => {
    const limiter = limiters[asked];
    return limiter && consume(limiter, networkOf(proxies.addressOf(request)));
  };
  return {
    countsEarly: limiters.public !== undefined,
    count: (request, asked = classOf(request)) =>
      (asked === 'public' && early.get(request.raw)) || countAs(asked, request.raw),
    countEarly(request) {
      const counted = countAs('public', request);
      if (counted) early.set(request, counted);
      return counted;
    },
  };
}

/** What carries credentials is answered for by an account, so that only what is costly is counted. */
function classOf({ headers, cookies, routeOptions }: FastifyRequest): RateLimit {
  const own = routeOptions.config?.rateLimit;
  if (own && own !== 'graphql') return own;
  if (headers.authorization !== undefined || headers['x-api-key'] !== undefined || cookies[COOKIE]) return 'signed_in';
  return own ?? 'public';
}

function limiterOf(name: RateLimit, points: number, redis: RedisLink | undefined) {
  const options = { keyPrefix: `omnistream:rate:${name}`, points, duration: WINDOW_SECONDS };
  const memory = new RateLimiterMemory(options);
  if (!redis) return memory;
  return new RateLimiterRedis({
    ...options,
    storeClient: storeIn(redis),
    useRedisPackage: true,
    rejectIfRedisNotReady: true,
    insuranceLimiter: memory,
    // Who is over the limit is refused without asking again.
    inMemoryBlockOnConsumed: points + 1,
  });
}

async function consume(limiter: RateLimiterAbstract, key: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    throw new AppError('rate_limited', {
      message: 'Too many requests from this address: wait a moment and try again.',
      retryAfter: Math.max(1, Math.ceil(refusal.msBeforeNext / 1000)),
    });
  }
}

/** As much of a client as a RateLimiterRedis asks for. */
const storeIn = (redis: RedisLink) => ({
  get isReady() {
    return redis.isUp;
  },
  eval: (...[script, options]: [script: string, options: { keys: string[]; arguments: string[] }]) =>
    redis.eval(script, options, PATIENCE_MS),
});
