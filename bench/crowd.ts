/** Subscribers of `tenantChanged` by the thousand: a bare `ws` client each, which keeps what it is told and no more. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { WebSocket } from 'ws';

const SUBSCRIPTION = `subscription Crowd($after: Sequence) {
  tenantChanged(after: $after) { sequence kind change tenant { id name updatedAt } counts { total active suspended } }
}`;

/** Many come at once and wait for one another. Milliseconds. */
const OPEN_MS = 30_000;

interface Message {
  type: string;
  payload?: {
    data: { tenantChanged: { sequence: number; kind: string; tenant?: { name: string; updatedAt: string } } };
  };
}

/** What several subscribers are told, each thing kept once. */
export class Hearsay {
  /** The name that the tenant got, by the event's sequence. */
  readonly names = new Map<number, string>();
  /** Milliseconds from the change to the client, of every event of every reader. */
  readonly lateness: number[] = [];
  /** By `Date.now()`, of any reader. */
  firstAt = Number.POSITIVE_INFINITY;
  lastAt = 0;
}

export class Subscriber {
  /** Sequences of the changes, as they came. */
  readonly changes: number[] = [];
  /** The sequence of what held when it came. */
  snapshot?: number;
  /** Events told as another than before, errors, and what else ought not to come. */
  readonly surprises: string[] = [];
  /** The close code, once it is closed. */
  closed?: number;
  readonly #socket: WebSocket;
  readonly #heard: Hearsay;

  private constructor(socket: WebSocket, heard: Hearsay) {
    this.#socket = socket;
    this.#heard = heard;
    socket.once('close', (code) => {
      this.closed = code;
    });
    socket.on('error', (error) => this.surprises.push(error.message));
  }

  /** @returns one that was told what holds now; with `after`, one that has asked. */
  static open(url: string, token: string, heard: Hearsay, after?: number): Promise<Subscriber> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      perMessageDeflate: false,
      handshakeTimeout: OPEN_MS,
    });
    const subscriber = new Subscriber(socket, heard);
    const { promise, resolve, reject } = Promise.withResolvers<Subscriber>();
    const say = (message: object) => socket.send(JSON.stringify(message));
    socket.once('open', () => say({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
    socket.once('close', (code, reason) => reject(new Error(`a socket was closed: ${code} ${reason}`)));
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as Message;
      if (message.type === 'connection_ack') {
        say({ type: 'subscribe', id: '1', payload: { query: SUBSCRIPTION, variables: { after } } });
        if (after !== undefined) resolve(subscriber);
      } else if (subscriber.#hear(message)) resolve(subscriber);
    });
    return promise;
  }

  /** @returns whether it says what holds now. */
  #hear({ type, payload }: Message): boolean {
    const event = payload?.data?.tenantChanged;
    if (type !== 'next' || !event) {
      this.surprises.push(JSON.stringify({ type, payload }));
      return false;
    }
    if (!event.tenant) {
      if (this.snapshot !== undefined || event.kind !== 'SNAPSHOT') this.surprises.push(JSON.stringify(event));
      this.snapshot = event.sequence;
      return true;
    }
    const { names, lateness } = this.#heard;
    const { name, updatedAt } = event.tenant;
    const known = names.get(event.sequence);
    if (known === undefined) names.set(event.sequence, name);
    else if (known !== name) this.surprises.push(`event ${event.sequence} says ${name}, and ${known} to another`);
    const now = Date.now();
    this.#heard.firstAt = Math.min(this.#heard.firstAt, now);
    this.#heard.lastAt = now;
    lateness.push(now - Date.parse(updatedAt));
    this.changes.push(event.sequence);
    return false;
  }

  /** Reads no more, so that it answers no ping either. */
  fallSilent(): void {
    this.#socket.pause();
  }

  /** Reads what there is, the end included. */
  wake(): void {
    this.#socket.resume();
  }

  leave(): void {
    this.#socket.close(1000);
  }
}

/** So much of each event that kernels cannot keep some hundred of them for a client. */
const AT_LENGTH = Array.from(
  { length: 25 },
  (_, index) =>
    `tenant${index}: tenant { ...Told provisioning { steps { name state attempt startedAt finishedAt error } } }`,
);
const LONG_SUBSCRIPTION = `subscription { tenantChanged { ${AT_LENGTH.join(' ')} } }
  fragment Told on Tenant { id name slug status createdAt updatedAt }`;

/** A follower over server-sent events who reads nothing of what they are told. */
export class SilentStream {
  closed?: true;
  readonly #answer: IncomingMessage;

  private constructor(answer: IncomingMessage) {
    this.#answer = answer;
    answer.once('close', () => {
      this.closed = true;
    });
    answer.on('error', () => {});
  }

  /** @returns one that is told something from now on. */
  static async open(url: string, token: string): Promise<SilentStream> {
    const asked = request(`${url}/graphql/stream`, {
      method: 'POST',
      agent: false,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'text/event-stream' },
    });
    asked.end(JSON.stringify({ query: LONG_SUBSCRIPTION }));
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    if (answer.statusCode !== 200) throw new Error(`a stream was answered ${answer.statusCode}`);
    answer.pause();
    return new SilentStream(answer);
  }

  /** Reads what there is, the end included. */
  wake(): void {
    this.#answer.resume();
  }
}
