/** Answers that are the same for everybody who asks the same, kept as they were sent. */
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';

/** How late a cache may show an edit, in seconds. */
const LONGEST_KEPT = 5;
/** Answers; one is about a kilobyte. */
const REMEMBERED = 5000;
/** Characters of what is asked, so that what is remembered stays small. */
const LONGEST_QUESTION = 400;

/** @param holds for how many milliseconds an answer does. */
export const maxAge = (holds: number): string =>
  `max-age=${Math.min(Math.max(0, Math.floor(holds / 1000)), LONGEST_KEPT)}`;

/** Whether the client has this answer (RFC 9110, 13.1.2): weak validators are compared by what they name. */
export function isKnown({ 'if-none-match': tags }: IncomingHttpHeaders, etag: unknown): boolean {
  if (tags === undefined || etag === undefined) return false;
  if (tags === etag || tags === '*') return true;
  return tags.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}

interface Question {
  key: string;
  /** Of what the answer is made from, as it was before that was looked at. */
  edition: number;
  /** In milliseconds since the epoch. */
  until?: number;
}

interface Kept extends Required<Question> {
  body: string;
  etag: string;
}

/**
 * A chat widget asks on every page whether somebody is there: from here an answer costs a fifth of what it costs to make it
 * anew. It is used as long as nothing that it was made from has changed, and it holds. Only for those who come without credentials.
 */
export class SharedAnswers {
  readonly #edition: () => number | undefined;
  readonly #kept = new LRUCache<string, Kept>({ max: REMEMBERED });
  readonly #questions = new WeakMap<FastifyRequest, Question>();

  constructor(edition: () => number | undefined) {
    this.#edition = edition;
  }

  /** @returns false where there is none to be sent. */
  send(request: FastifyRequest, reply: FastifyReply): boolean {
    const edition = this.#edition();
    const key = keyOf(request);
    if (edition === undefined || key === undefined) return false;
    const kept = this.#kept.get(key);
    const now = Date.now();
    if (!kept || kept.edition !== edition || kept.until <= now) {
      this.#questions.set(request, { key, edition });
      return false;
    }
    reply.header('etag', kept.etag).header('cache-control', `public, ${maxAge(kept.until - now)}`);
    reply.header('content-type', 'application/json; charset=utf-8').send(kept.body);
    return true;
  }

  /** The answer to this request holds for so many milliseconds. */
  hold(request: FastifyRequest, holds: number): void {
    const question = this.#questions.get(request);
    if (question) question.until = Date.now() + holds;
  }

  /** Once it is known how it is sent. */
  keep(request: FastifyRequest, reply: FastifyReply, payload: unknown): void {
    const question = this.#questions.get(request);
    const etag = reply.getHeader('etag');
    if (question?.until === undefined || reply.statusCode !== 200 || typeof etag !== 'string') return;
    if (typeof payload !== 'string') return;
    this.#kept.set(question.key, { ...question, until: question.until, body: payload, etag });
  }
}

/** All that the answer depends on besides its edition. */
function keyOf({ method, url, headers }: FastifyRequest): string | undefined {
  if (method !== 'GET' || headers.authorization !== undefined || headers['x-api-key'] !== undefined) return undefined;
  if (headers.cookie !== undefined) return undefined;
  const key = `${url}\n${headers['x-tenant-slug'] ?? ''}\n${headers.host ?? ''}`;
  return key.length <= LONGEST_QUESTION ? key : undefined;
}
