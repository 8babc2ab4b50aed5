/**
 * How many requests a minute may come from one address, by what they ask for. Counted in Redis where there is one, so for all
 * processes together, and otherwise, or while it is away, in each process for itself: neither nobody nor everybody is let in then.
 *
 * Guessing passwords is slowed by domain/login-throttle.ts besides.
 */
import type { FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { createClient } from 'redis';
import { describeFailure } from './components/describe-failure.ts';
import { withDeadline } from './components/probe.ts';
import type { Config, RateLimit } from './config.ts';
import { COOKIE } from './credentials.ts';
import { AppError } from './errors.ts';
import { networkOf } from './network.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a route's requests are counted as; without it, by whether they carry credentials. */
    rateLimit?: RateLimit;
  }
}

const WINDOW_SECONDS = 60;
/** Redis has so long to answer before a request is counted here, and is left alone for so long when it did not. Milliseconds. */
const PATIENCE_MS = 200;
const LEFT_ALONE_MS = 2000;

export interface RateLimits {
  /** Undefined where nothing is counted. @throws {AppError} rate_limited */
  count(request: FastifyRequest): Promise<void> | undefined;
  close(): void;
}

export function makeRateLimits({ rateLimits, components }: Config, log: Logger): RateLimits {
  const limited = Object.entries(rateLimits).filter(([, points]) => points > 0) as [RateLimit, number][];
  const redis = components.redisUrl && limited.length > 0 ? openRedis(components.redisUrl, log) : undefined;
  const limiters = Object.fromEntries(
    limited.map(([name, points]) => [name, limiterOf(name, points, redis)]),
  ) as Partial<Record<RateLimit, RateLimiterAbstract>>;
  return {
    count(request) {
      const asked = classOf(request);
      const limiter = limiters[asked];
      return limiter && consume(limiter, networkOf(request.ip));
    },
    close: () => redis?.close(),
  };
}

type EvalOptions = { keys: string[]; arguments: string[] };

/** What carries credentials is answered for by an account, so that only what is costly is counted. */
function classOf({ headers, cookies, routeOptions }: FastifyRequest): RateLimit {
  const own = routeOptions.config?.rateLimit;
  if (own && own !== 'graphql') return own;
  if (headers.authorization !== undefined || headers['x-api-key'] !== undefined || cookies[COOKIE]) return 'signed_in';
  return own ?? 'public';
}

function limiterOf(name: RateLimit, points: number, redis: ReturnType<typeof openRedis> | undefined) {
  const options = { keyPrefix: `omnistream:rate:${name}`, points, duration: WINDOW_SECONDS };
  const memory = new RateLimiterMemory(options);
  if (!redis) return memory;
  return new RateLimiterRedis({
    ...options,
    storeClient: redis.store,
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

/** A connection that fails rather than keeps a request waiting; it comes back by itself. */
function openRedis(url: string, log: Logger) {
  const client = createClient({
    url,
    RESP: 2,
    disableClientInfo: true,
    disableOfflineQueue: true,
    socket: { connectTimeout: 1500, reconnectStrategy: (retries) => Math.min(2000, 100 * 2 ** retries) },
  });
  let away = false;
  let leftAloneUntil = 0;
  const isAway = (error: unknown) => {
    leftAloneUntil = Date.now() + LEFT_ALONE_MS;
    if (!away) log.warn({ error: describeFailure(error) }, 'Redis is away: each process counts requests for itself');
    away = true;
  };
  client.on('error', isAway);
  client.on('ready', () => {
    leftAloneUntil = 0;
  });
  client.connect().catch(isAway);

  const run = async (script: string, options: EvalOptions) => {
    try {
      const counted = await withDeadline(PATIENCE_MS, () => client.eval(script, options));
      if (away) log.info('Redis is back: requests are counted for all processes together');
      away = false;
      return counted;
    } catch (error) {
      isAway(error);
      throw error;
    }
  };
  return {
    /** As much of a client as a RateLimiterRedis asks for. */
    store: {
      get isReady() {
        return client.isReady && Date.now() >= leftAloneUntil;
      },
      eval: run,
    },
    close: () => client.destroy(),
  };
}
