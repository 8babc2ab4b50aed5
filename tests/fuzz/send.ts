/** Sends requests as they are written, over kept connections, and waits no longer than a client would. */
import { Agent, type IncomingMessage, request } from 'node:http';
import type { Answer, Wire } from './model.ts';

/** What has no answer by then hangs. */
const PATIENCE_MS = 20_000;
/** Requests come from so many addresses, each of which is throttled by itself. */
const ADDRESSES = 200;
/** A stream that was opened goes on; whoever looked at its beginning leaves. */
const STREAM_MS = 150;

export class Sender {
  readonly #url: URL;
  readonly #patienceMs: number;
  readonly #agents = Array.from({ length: ADDRESSES }, () => new Agent({ keepAlive: true }));
  #sent = 0;

  constructor(url: string, patienceMs = PATIENCE_MS) {
    this.#url = new URL(url);
    this.#patienceMs = patienceMs;
  }

  /** @returns the answer, or why there was none. */
  send({ method, path, headers, body, from }: Wire): Promise<Answer | { failure: string }> {
    const { promise, resolve } = Promise.withResolvers<Answer | { failure: string }>();
    const began = performance.now();
    const { hostname, port } = this.#url;
    const at = from ?? this.#sent++ % ADDRESSES;
    const source = { agent: this.#agents[at]!, localAddress: `127.9.0.${at + 1}` };
    const length: Record<string, string> = body ? { 'content-length': String(body.length) } : {};
    const options = { hostname, port, method, path, headers: { ...length, ...headers }, ...source };
    const outgoing = request(options, (incoming) => {
      const chunks: Buffer[] = [];
      const end = () => {
        clearTimeout(patience);
        resolve(answerOf(incoming, chunks, performance.now() - began));
      };
      incoming.on('data', (chunk) => chunks.push(chunk));
      incoming.on('end', end);
      const streams = String(incoming.headers['content-type']).startsWith('text/event-stream');
      const brokenOff = () => resolve({ failure: `the answer broke off after status ${incoming.statusCode}` });
      // A stream is cut off when its follower may no more.
      incoming.on('error', streams ? end : brokenOff);
      if (!streams) return;
      setTimeout(() => {
        end();
        outgoing.destroy();
      }, STREAM_MS);
    });
    const patience = setTimeout(() => {
      resolve({ failure: `no answer within ${this.#patienceMs} ms` });
      outgoing.destroy();
    }, this.#patienceMs);
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(patience);
      resolve({ failure: error.code ?? error.message });
    });
    outgoing.end(body);
    return promise;
  }

  close(): void {
    for (const agent of this.#agents) agent.destroy();
  }
}

const answerOf = ({ statusCode, headers }: IncomingMessage, chunks: Buffer[], ms: number): Answer => ({
  status: statusCode!,
  headers,
  text: Buffer.concat(chunks).toString(),
  ms,
});
