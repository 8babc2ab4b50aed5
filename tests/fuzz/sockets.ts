/** Sockets used as the protocol forbids: messages that mean nothing, frames that are none. Nothing of it may harm the process. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { WebSocket } from 'ws';
import { errorTable } from '../../src/errors.ts';
import { INNARDS } from '../support/innards.ts';
import { socketUrl } from '../support/sockets.ts';
import { hostileText, hostileValue } from './hostile-values.ts';
import type { Problem } from './model.ts';

const AT_ONCE = 20;
/** For what a client did wrong, or did not do; 1006, a line that is cut, is none of them. */
const CLIENTS_FAULTS = [1000, 1002, 1003, 1005, 1007, 1008, 1009, 4400, 4401, 4403, 4404, 4406, 4408, 4409, 4429];
const CODES = new Set(errorTable.map(({ code }) => code.toUpperCase()));
const FAULTS = ['INTERNAL_ERROR', 'UNAVAILABLE'];

type Message = string | Buffer;

const documents = fc.oneof(
  fc.constantFrom(
    'subscription { workingHoursStatusChanged { sequence } }',
    'subscription { tenantChanged { sequence } }',
    'subscription { a: tenantChanged { sequence } b: tenantChanged { sequence } }',
    '{ me { id } }',
    'mutation { logout { done } }',
    '{ __schema { types { name } } }',
    'subscription { tenantProvisioning(tenantId: "x") { sequence } }',
  ),
  hostileText,
);
const id = fc.oneof(fc.constantFrom<unknown>('1', '2', '', 5, null, '__proto__', 'x'.repeat(5000)), hostileValue);
const payload = fc.oneof(
  fc.record({
    query: fc.oneof(documents, hostileValue),
    variables: fc.option(hostileValue),
    operationName: fc.option(hostileValue),
    extensions: fc.option(hostileValue),
  }),
  hostileValue,
);
const protocolMessage = fc.oneof(
  fc.record({
    type: fc.constant('connection_init'),
    payload: fc.oneof(
      hostileValue,
      fc.constant({}),
      fc.oneof(hostileText, hostileValue).map((authorization) => ({ authorization })),
    ),
  }),
  fc.record({ type: fc.constant('subscribe'), id, payload }),
  fc.record({ type: fc.constant('complete'), id }),
  fc.record({
    type: fc.constantFrom('ping', 'pong', 'next', 'error', 'connection_ack', 'start', '', '__proto__'),
    id,
    payload,
  }),
  hostileValue,
);
const text = protocolMessage.map((message) => (JSON.stringify(message) ?? 'undefined').replace(/"@raw:(.*?)@"/g, '$1'));
const message: fc.Arbitrary<Message> = fc.oneof(
  { weight: 6, arbitrary: text },
  { weight: 1, arbitrary: hostileText },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.tuple(text, fc.nat({ max: 300 })).map(([whole, n]) => whole.slice(0, n)) },
);
const INIT = '{"type":"connection_init"}';
const conversation = fc
  .tuple(fc.boolean(), fc.array(message, { minLength: 1, maxLength: 8 }))
  .map(([begun, messages]) => (begun ? [INIT, ...messages] : messages));
/** What follows a handshake that was well done. */
const frames = fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { minLength: 1, maxLength: 5 });

/** Holds so many conversations. @returns what went wrong, each with what was said. */
export async function fuzzSockets(
  gateway: { url: string },
  { seed, conversations }: { seed: number; conversations: number },
): Promise<Problem[]> {
  const problems: Problem[] = [];
  const talks = fc.sample(conversation, { seed, numRuns: conversations });
  const bytes = fc.sample(frames, { seed, numRuns: Math.ceil(conversations / 4) });
  for (let at = 0; at < talks.length; at += AT_ONCE) {
    const ended = await Promise.all(talks.slice(at, at + AT_ONCE).map((messages) => talk(gateway, messages)));
    await Promise.all(bytes.slice(at / 4, (at + AT_ONCE) / 4).map((parts) => babble(gateway, parts)));
    problems.push(...ended.flat());
    const { status } = await fetch(`${gateway.url}/api/health`);
    if (status !== 200) problems.push({ oracle: 'the process goes on', detail: `health answers ${status}` });
  }
  return problems;
}

async function talk(gateway: { url: string }, messages: Message[]): Promise<Problem[]> {
  const socket = new WebSocket(socketUrl(gateway), 'graphql-transport-ws');
  const received: string[] = [];
  socket.on('message', (data) => received.push(String(data)));
  socket.on('error', () => {});
  const closed = new Promise<[number, Buffer]>((resolve) => socket.once('close', (...why) => resolve(why)));
  // Not by `once`, which an error would fail.
  const opened = new Promise((resolve) => socket.once('open', resolve));
  await Promise.race([opened, closed]);
  for (const each of messages) {
    if (socket.readyState === WebSocket.OPEN) socket.send(each);
    await sleep(2);
  }
  const leftOpen = await Promise.race([closed.then(() => false), sleep(100, true)]);
  socket.terminate();
  const [code, reason] = await closed;
  const said = JSON.stringify(messages.map(String)).slice(0, 2000);
  const fail = (oracle: string, detail: string): Problem => ({ oracle, detail: `${detail}, after ${said}` });
  const problems = received.flatMap(wrongIn).map((detail) => fail('every error has the one form', detail));
  if (!leftOpen && !CLIENTS_FAULTS.includes(code))
    problems.push(fail('a socket is closed with the code of a client’s fault', `${code} ${reason}`));
  return problems;
}

function wrongIn(text: string): string[] {
  const { type, payload } = JSON.parse(text);
  const errors = type === 'error' ? payload : (payload?.errors ?? []);
  return errors.flatMap(({ extensions }: { extensions?: { code?: string } }) => {
    const code = extensions?.code ?? '';
    if (!CODES.has(code as never)) return [`the code ${code}: ${text.slice(0, 300)}`];
    if (FAULTS.includes(code)) return [text.slice(0, 300)];
    return INNARDS.test(text) ? [text.slice(0, 300)] : [];
  });
}

/** Shakes hands and goes on with any bytes. */
async function babble(gateway: { url: string }, parts: Uint8Array[]): Promise<void> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const answered = new Promise((resolve) => socket.once('data', resolve));
  socket.write(
    `GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n`,
  );
  await Promise.race([answered, closed, sleep(1000)]);
  for (const part of parts) if (socket.writable) socket.write(part);
  await Promise.race([closed, sleep(50)]);
  socket.destroy();
  await closed;
}
