/** HTTP as no well-behaved client sends it: any path, any method, any bytes, from any loopback address. */
import { request } from 'node:http';
import { connect } from 'node:net';

export interface RawAnswer {
  status: number;
  headers: Headers;
  text: string;
}

export interface RawRequest {
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** The client's own address, such as 127.0.0.2. */
  from?: string;
}

let addresses = 0;

/** A loopback address from which nobody has come before. */
export function newAddress(): string {
  addresses += 1;
  return `127.1.${Math.floor(addresses / 200)}.${(addresses % 200) + 1}`;
}

/** Sends the path as it is written, without the repairs that `fetch` makes. */
export function send(url: string, method: string, path: string, options: RawRequest = {}): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
  const { body, from } = options;
  const headers: Record<string, string> = { ...options.headers };
  // Node leaves it out of a DELETE, and the body would then be read as the next request.
  if (body !== undefined && !headers['transfer-encoding'])
    headers['content-length'] ??= String(Buffer.byteLength(body));
  const outgoing = request({ hostname, port, method, path, headers, localAddress: from, agent: false }, (answer) => {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk) => chunks.push(chunk));
    answer.on('error', reject);
    answer.on('end', () =>
      resolve({
        status: answer.statusCode!,
        headers: new Headers(answer.headers as Record<string, string>),
        text: Buffer.concat(chunks).toString(),
      }),
    );
  });
  outgoing.on('error', reject);
  outgoing.end(body);
  return promise;
}

/** The same with a JSON body, and its answer's. */
export async function sendJson(url: string, method: string, path: string, body: unknown, options: RawRequest = {}) {
  const headers = { 'content-type': 'application/json', ...options.headers };
  const answer = await send(url, method, path, { ...options, headers, body: JSON.stringify(body) });
  return { ...answer, body: JSON.parse(answer.text) };
}

/** Writes bytes to a connection. @param ends whether no more come then. @returns all that comes back until it is closed. */
export function exchange(url: string, bytes: string, ends = true): Promise<string> {
  const { hostname, port } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let received = '';
  const socket = connect(Number(port), hostname, () => (ends ? socket.end(bytes) : socket.write(bytes)));
  socket.setEncoding('utf8');
  socket.on('data', (chunk) => {
    received += chunk;
  });
  socket.on('error', reject);
  socket.on('close', () => resolve(received));
  return promise;
}
