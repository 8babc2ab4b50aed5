/**
 * `Idempotency-Key`: a `POST` that was already answered gets the same answer for 24 hours, also when two arrive at once
 * (contract section 1, "repeats"). The answer is stored in the control plane's transaction of the work, so that of what is done there never
 * is the one without the other, whatever dies when. Work in a tenant's database commits there right before: a crash between the two leaves
 * it done without its answer, and the same request is then work anew (docs/decisions/0007).
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EntityManager } from '@mikro-orm/postgresql';
import pLimit from 'p-limit';
import { nowDate, nowMs } from '../clock.ts';
import type { Actor, Context } from '../context.ts';
import { query } from '../db/control.ts';
import { LOCKS } from '../db/locks.ts';
import { IdempotencyKey } from '../entities/control/idempotency-key.ts';
import { AppError, invalid, toAppError } from '../errors.ts';

/** An answer as HTTP gives it. */
export interface Answer {
  status: number;
  body: unknown;
  headers: Record<string, string>;
}

/** What is kept, sealed: an answer may hold a token. */
type Kept = Omit<Answer, 'status'> & {
  /** The one that the answer set or cleared, and when its time is over, in milliseconds since the epoch. */
  cookie?: { token?: string; until: number };
};

interface Stored {
  fingerprint: string;
  status: number;
  sealedAnswer: string;
}

const findStored = query<Stored>(
  'idempotency_key',
  `select fingerprint, status, sealed_answer as "sealedAnswer" from idempotency_keys
    where key = any ($1) and created_at > now() - interval '24 hours'`,
);
const tryLock = query<{ locked: boolean }>('idempotency_lock', 'select pg_try_advisory_xact_lock($1, $2) as locked');

/**
 * Each of these requests keeps a connection of the control pool while its work may ask for another one. At most half of the
 * pool's twenty are kept, so that there is always one to be had.
 */
const atOnce = pLimit(10);

const LONGEST_WAIT_MS = 30_000;
/** Answers that say nothing of the request itself, so that trying again later may end otherwise. */
const NOT_KEPT = new Set([401, 403, 429]);

/** How an error is spelt as an answer; given by the HTTP layer. */
export type ErrorAnswer = (error: AppError) => Answer;

/**
 * @param asked what the request asks for: method, path with query, body.
 * @throws {AppError} idempotency_key_reused; unavailable when the first request with the key takes too long.
 */
export async function once(
  ctx: Context,
  idempotencyKey: string,
  asked: string[],
  errorAnswer: ErrorAnswer,
  work: (ctx: Context) => Promise<Answer>,
): Promise<Answer> {
  if (!/^[\x21-\x7e]{1,255}$/.test(idempotencyKey)) {
    throw invalid('Idempotency-Key', 'must be 1 to 255 visible ASCII characters');
  }
  const { keys } = ctx.services;
  const { actor } = ctx;
  const who = 'id' in actor ? [actor.kind, actor.id, ...behind(actor)] : [actor.kind, ctx.address];
  const subject = [...who, idempotencyKey];
  // By the first keys that there were: the same for processes that use others at this moment.
  const lock = createHash('sha256')
    .update(keys.fingerprintOf(0, ...subject))
    .digest()
    .readInt32BE(0);

  for (const deadline = Date.now() + LONGEST_WAIT_MS; ; await sleep(20 + Math.random() * 30)) {
    const attempt = async (em: EntityManager) => {
      let cookie: Kept['cookie'];
      const within = ctx.within(em, (token, maxAgeSeconds) => {
        cookie = { token, until: nowMs() + maxAgeSeconds * 1000 };
        ctx.setCookie(token, maxAgeSeconds);
      });
      const [held] = await within.rows(tryLock, [LOCKS.idempotency, lock]);
      // Somebody is at it. Waiting without a connection: fifty waiting requests would otherwise hold them all.
      if (!held?.locked) return undefined;
      const [stored] = await within.rows(findStored, [keys.fingerprints(...subject)]);
      if (stored) return replay(ctx, stored, keys.fingerprints(...asked));
      const result = await work(within).catch((error: unknown) => {
        const known = toAppError(error);
        if (known.status >= 500 || known.retryAfter || NOT_KEPT.has(known.status)) throw error;
        return errorAnswer(known);
      });
      await em.upsert(IdempotencyKey, {
        key: keys.fingerprint(...subject),
        fingerprint: keys.fingerprint(...asked),
        status: result.status,
        sealedAnswer: keys.seal(JSON.stringify({ body: result.body, headers: result.headers, cookie } satisfies Kept)),
        createdAt: nowDate(),
      });
      return result;
    };
    const answer = await atOnce(() => ctx.em.fork().transactional(attempt));
    if (answer) return answer;
    if (Date.now() > deadline) throw new AppError('unavailable', { retryAfter: 5 });
  }
}

/** A key's requests, and those of who impersonates, are not the agent's own. */
const behind = (actor: Extract<Actor, { id: string }>): string[] =>
  actor.kind === 'agent' ? [actor.impersonator?.id ?? '', ...(actor.apiKey ? [actor.apiKey.id] : [])] : [''];

/** @param fingerprints of what is asked for now. */
function replay(ctx: Context, stored: Stored, fingerprints: readonly string[]): Answer {
  if (!fingerprints.includes(stored.fingerprint)) throw new AppError('idempotency_key_reused');
  const { body, headers, cookie } = JSON.parse(ctx.services.keys.open(stored.sealedAnswer)) as Kept;
  if (cookie) ctx.setCookie(cookie.token, Math.max(0, Math.floor((cookie.until - nowMs()) / 1000)));
  return { status: stored.status, body, headers: { ...headers, 'idempotent-replayed': 'true' } };
}
