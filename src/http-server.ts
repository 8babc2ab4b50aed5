/** The HTTP server beneath the surface: how long it waits, and what it does with what is no request. */
import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { answerEarly, type EarlyAnswer, type Innards } from './early-answers.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** Whoever sends slowly has so long for the headers, and so long for all of a request; looked at every second. Milliseconds. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
/** A connection that says nothing is kept for so long: longer than balancers keep theirs. Milliseconds. */
const KEEP_ALIVE_MS = 72_000;
/** And so much longer than it is told: Node's own default. */
const KEEP_ALIVE_SPARE_MS = 1000;

/** All headers of a request together, whatever Node is told otherwise. Bytes. */
const HEADERS_BYTES = 16 * 1024;

/** @param early answers what stands ready; absent where nothing does. */
export function httpServer(answer: RequestListener, early?: EarlyAnswer): Server {
  const server = createServer(
    {
      maxHeaderSize: HEADERS_BYTES,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveTimeoutBuffer: KEEP_ALIVE_SPARE_MS,
      connectionsCheckingInterval: 1000,
      // Others, such as h2c, are an offer that may be passed over.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
    answer,
  );
  // Whatever is expected besides 100-continue may be passed over (RFC 9110, 10.1.1); Node would answer without a word.
  server.on('checkExpectation', answer);
  if (early) answerEarly(server, early, KEEP_ALIVE_MS + KEEP_ALIVE_SPARE_MS);
  return server;
}

/** The lines that Node adds to the head of an answer whose connection is kept. */
export function linesOfNode(): string {
  const now = Date.now();
  const second = now - (now % 1000);
  if (second !== datedAt) {
    datedAt = second;
    dated = `Date: ${new Date(second).toUTCString()}\r\nConnection: keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE_MS / 1000}\r\n`;
  }
  return dated;
}
let datedAt = 0;
let dated = '';

/** The caller's own, where it is fit for a log line. */
export function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.:/+=-]{1,128}$/.test(given) ? given : randomUUID();
}

/** Connections whose bytes are refused once what was asked before is answered. */
const waiting = new WeakSet<Socket>();

/** Answers what is not HTTP, or does not come to an end, so that there is no request to answer; never in the place of another's answer. */
export function refuseBytes(error: NodeJS.ErrnoException, socket: Socket & Innards): void {
  if (!socket.writable || waiting.has(socket)) return;
  const answer = socket._httpMessage;
  if (answer?.headersSent && !answer.writableEnded) {
    // Such as a stream of events: whatever is written would be taken for a part of it.
    socket.destroy();
  } else if (answer?.req.complete) {
    waiting.add(socket);
    answer.once('close', () => {
      waiting.delete(socket);
      refuseBytes(error, socket);
    });
  } else sayWhatIsWrong(error, socket);
}

function sayWhatIsWrong({ code }: NodeJS.ErrnoException, socket: Socket): void {
  const slow = code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const id = randomUUID();
  const error = slow ? 'The request did not arrive in time.' : 'The request is not valid HTTP.';
  const body = JSON.stringify({ error, code: 'validation_failed', request_id: id });
  const headers = {
    ...SECURITY_HEADERS,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-request-id': id,
    connection: 'close',
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const status = slow ? '408 Request Timeout' : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\n${head.join('\r\n')}\r\n\r\n${body}`);
}
