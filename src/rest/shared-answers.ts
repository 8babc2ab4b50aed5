/** Answers that are the same for everybody who asks the same, kept as they were sent. */
import { type IncomingHttpHeaders, type IncomingMessage, STATUS_CODES } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';

/** How late a cache may show an edit, in seconds. */
const LONGEST_KEPT = 5;
/** Answers; one is about a kilobyte. */
const REMEMBERED = 5000;
/** Characters of what is asked, so that what is remembered stays small. */
const LONGEST_QUESTION = 400;
/** Headers that are not the same for everybody; whoever sends what is kept sets them. */
const OF_ONE_REQUEST = new Set(['cache-control', 'connection', 'strict-transport-security', 'x-request-id']);
/** Headers of a body, which a 304 lacks. */
const OF_A_BODY = new Set(['content-length', 'content-type']);

/** How long an answer to everybody may be kept. @param holds for how many milliseconds it does. */
export const openToAll = (holds: number): string => `public, ${maxAge(holds)}`;

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

export interface SharedAnswer extends Required<Question> {
  /** What its route was registered with, and the route's template. */
  route: object;
  path: string | undefined;
  /** The tenant that it is about. */
  orgId?: string;
  etag: string;
  /** The body, a character for each byte (`latin1`), which joins the head without being encoded anew. */
  bytes: string;
  /** With the body, and where the client has it. */
  whole: Head;
  known: Head;
}

/** What is of one request is missing. */
export interface Head {
  status: number;
  /** Names and values in turn. */
  headers: readonly string[];
  /** The first line and these, as they are written. */
  text: string;
}

function headOf(status: number, headers: (readonly [name: string, value: string])[]): Head {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return { status, headers: headers.flat(), text: `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}` };
}

/**
 * A chat widget asks on every page whether somebody is there. An answer is used as long as nothing that it was made from has
 * changed, and it holds. Only for those who come without credentials.
 */
export class SharedAnswers {
  readonly #edition: () => number | undefined;
  readonly #kept = new LRUCache<string, SharedAnswer>({ max: REMEMBERED });
  readonly #questions = new WeakMap<IncomingMessage, Question>();
  readonly #addresses: string[] = [];

  constructor(edition: () => number | undefined) {
    this.#edition = edition;
  }

  /** Answers to what is asked at this address may be kept. */
  shareAt(address: string): void {
    this.#addresses.push(address);
  }

  /** @returns undefined where it has to be worked out; `keep` is told then. */
  find(request: IncomingMessage): SharedAnswer | undefined {
    if (!this.#addresses.some((address) => request.url!.startsWith(address))) return undefined;
    const key = keyOf(request);
    const edition = this.#edition();
    if (edition === undefined || key === undefined) return undefined;
    const kept = this.#kept.get(key);
    if (kept && this.holds(kept)) return kept;
    this.#questions.set(request, { key, edition });
    return undefined;
  }

  /** Whether nothing that it was made from has changed. */
  holds({ edition, until }: SharedAnswer): boolean {
    return edition === this.#edition() && Date.now() < until;
  }

  /** The answer to this request holds for so many milliseconds. */
  hold({ raw }: FastifyRequest, holds: number): void {
    const question = this.#questions.get(raw);
    if (question) question.until = Date.now() + holds;
  }

  /** Once it is known how it is sent. */
  keep(request: FastifyRequest, reply: FastifyReply, body: unknown): void {
    const question = this.#questions.get(request.raw);
    const etag = reply.getHeader('etag');
    if (question?.until === undefined || reply.statusCode !== 200 || typeof etag !== 'string') return;
    if (typeof body !== 'string') return;
    const bytes = Buffer.from(body);
    const headers = Object.entries({ ...reply.getHeaders(), 'content-length': bytes.length })
      .filter(([name]) => !OF_ONE_REQUEST.has(name))
      .map(([name, value]) => [name, String(value)] as const);
    const { config, url } = request.routeOptions;
    this.#kept.set(question.key, {
      ...question,
      until: question.until,
      route: config,
      path: url,
      orgId: request.trail.orgId,
      etag,
      bytes: bytes.toString('latin1'),
      whole: headOf(200, headers),
      known: headOf(
        304,
        headers.filter(([name]) => !OF_A_BODY.has(name)),
      ),
    });
  }
}

/** All that the answer depends on besides its edition. */
function keyOf({ method, url, headers }: IncomingMessage): string | undefined {
  if (method !== 'GET' || headers.authorization !== undefined || headers['x-api-key'] !== undefined) return undefined;
  if (headers.cookie !== undefined) return undefined;
  // What nobody sends who only asks: such requests go the long way, all of it.
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) return undefined;
  if (headers.upgrade !== undefined) return undefined;
  const key = `${url}\n${headers['x-tenant-slug'] ?? ''}\n${headers.host ?? ''}\n${headers['x-forwarded-host'] ?? ''}`;
  return key.length <= LONGEST_QUESTION ? key : undefined;
}
