/**
 * Answers that are written before Node makes a response of their request. Node's parser has read it, its socket is what is written to;
 * what is left out are the response and its events, timers and listeners, which take as long as all the rest together.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Of a connection, as Node has it: neither is documented. */
export interface Innards {
  parser?: {
    onIncoming?: (request: IncomingMessage, keepsAlive: boolean) => number;
    incoming: IncomingMessage | null;
  } | null;
  /** The response that is being sent. */
  _httpMessage?: ServerResponse | null;
}

/** What Node's `onIncoming` says of a request that is read on as usual. */
const AS_USUAL = 0;

/**
 * Answers a request without a body, on a connection that is kept, by giving all of the answer to `write`, once, a character for each
 * byte (`latin1`). May not throw. @returns false where the request goes the long way, and nothing was written.
 */
export type EarlyAnswer = (request: IncomingMessage, write: (answer: string) => void) => boolean;

/**
 * Where Node's innards are others than these, every request goes the long way.
 *
 * @param idleMs how long a connection is kept after such an answer.
 */
export function answerEarly(server: Server, answer: EarlyAnswer, idleMs: number): void {
  // After Node's own listener, which gives the connection its parser.
  server.on('connection', (socket: Socket & Innards) => {
    const { parser } = socket;
    const usual = parser?.onIncoming;
    if (typeof usual !== 'function') return;
    let waits = false;
    const write = (text: string) => socket.write(text, 'latin1');
    parser!.onIncoming = (request, keepsAlive) => {
      if (!isPlain(request, keepsAlive, socket) || !answer(request, write)) {
        // Whoever takes long to answer is not idle.
        if (waits) socket.setTimeout(server.timeout);
        waits = false;
        return usual(request, keepsAlive);
      }
      // Nobody is to be told of its end.
      parser!.incoming = null;
      if (!waits) socket.setTimeout(idleMs);
      waits = true;
      return AS_USUAL;
    };
  });
}

/** Whether nothing is asked of Node, and no answer is under way that has to come before. */
function isPlain(request: IncomingMessage, keepsAlive: boolean, socket: Socket & Innards): boolean {
  if (!keepsAlive || request.httpVersion !== '1.1' || socket._httpMessage || socket.writableLength > 0) return false;
  const { host, expect, upgrade } = request.headers;
  return host !== undefined && expect === undefined && upgrade === undefined;
}
