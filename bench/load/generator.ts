/**
 * The load, a process of its own: so many kept-alive connections, each of which sends one ready request after the other. It
 * reads of the answers their status and their length, so that it costs little beside PostgreSQL, with which it may share a core;
 * what it costs is told with each result.
 */
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job, Told } from './load.ts';

/** Of answers, for numbers that say something; so many times longer they are waited for. */
const FEWEST = 50;
const MOST_TIMES = 5;
const HEAD_END = '\r\n\r\n';
const LAST_CHUNK = '0\r\n\r\n';

class Window {
  latencies: number[] = [];
  bytes = 0;
  readonly statuses = new Map<number, number>();
  failures = 0;

  summary() {
    const sorted = Float64Array.from(this.latencies).sort();
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
    return {
      answers: sorted.length,
      bytes: this.bytes,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      statuses: Object.fromEntries(this.statuses),
      failures: this.failures,
    };
  }
}

let window = new Window();
let running = true;

class Connection {
  readonly #socket: Socket;
  readonly #requests: Buffer[];
  #next: number;
  readonly #everyMs?: number;
  /** When the next one has to be sent, at a pace. */
  #dueAt: number;
  #sentAt = 0;
  /** What came of a head that is not whole yet. */
  #head?: Buffer;
  /** Bytes of the body that are still to come; of a chunked one NaN. */
  #left?: number;
  #tail = '';
  #status = 0;

  constructor(port: number, requests: Buffer[], start: number, everyMs?: number) {
    this.#requests = requests;
    this.#next = start;
    this.#everyMs = everyMs;
    this.#dueAt = performance.now();
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('connect', () => this.#send());
    this.#socket.on('data', (chunk) => this.#read(chunk));
    for (const event of ['error', 'end'] as const) {
      this.#socket.on(event, () => {
        if (running) window.failures++;
      });
    }
  }

  #send(): void {
    if (this.#socket.destroyed) return;
    this.#sentAt = performance.now();
    this.#socket.write(this.#requests[this.#next++ % this.#requests.length]!);
  }

  #read(chunk: Buffer): void {
    window.bytes += chunk.length;
    let data = chunk;
    if (this.#left === undefined) {
      if (this.#head) data = Buffer.concat([this.#head, chunk]);
      const end = data.indexOf(HEAD_END);
      if (end < 0) {
        this.#head = data;
        return;
      }
      this.#head = undefined;
      const head = data.toString('latin1', 0, end);
      this.#status = Number(head.slice(9, 12));
      const length = /\r\ncontent-length: *(\d+)/i.exec(head);
      if (length) this.#left = Number(length[1]);
      else this.#left = /\r\ntransfer-encoding: *chunked/i.test(head) ? Number.NaN : 0;
      data = data.subarray(end + HEAD_END.length);
    }
    if (Number.isNaN(this.#left)) {
      this.#tail = (this.#tail + data.toString('latin1', Math.max(0, data.length - LAST_CHUNK.length))).slice(
        -LAST_CHUNK.length,
      );
      if (this.#tail === LAST_CHUNK) this.#answered();
    } else {
      this.#left -= data.length;
      if (this.#left <= 0) this.#answered();
    }
  }

  #answered(): void {
    this.#left = undefined;
    this.#tail = '';
    window.latencies.push(performance.now() - this.#sentAt);
    window.statuses.set(this.#status, (window.statuses.get(this.#status) ?? 0) + 1);
    if (running) this.#goOn();
  }

  /** At a pace, one that could not be sent in time has waited since it was due. */
  #goOn(): void {
    if (!this.#everyMs) {
      this.#send();
      return;
    }
    this.#dueAt += this.#everyMs;
    const wait = this.#dueAt - performance.now();
    if (wait > 0) setTimeout(() => this.#send(), wait);
    else {
      this.#send();
      this.#sentAt = this.#dueAt;
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}

const sets = new Map<string, Buffer[]>();
const tell = (told: Told) => process.send!(told);

/** Waits, and longer where a machine is overloaded. */
async function untilAnswered(ms: number, answers: number): Promise<void> {
  for (let time = 0; time === 0 || (time < MOST_TIMES && window.latencies.length < answers); time++) await sleep(ms);
}

process.on('message', async (job: Job) => {
  if (job.kind === 'requests') {
    sets.set(
      job.name,
      job.requests.map((text) => Buffer.from(text)),
    );
    return;
  }
  const requests = sets.get(job.name)!;
  const anywhere = () => Math.floor(Math.random() * requests.length);
  running = true;
  window = new Window();
  const ports = [job.port, ...(job.morePorts ?? [])];
  const opened = Array.from(
    { length: job.connections },
    (_, index) => new Connection(ports[index % ports.length]!, requests, anywhere(), job.everyMs),
  );
  await untilAnswered(job.warmUpMs, job.warmUpAnswers ?? 0);
  window = new Window();
  const began = performance.now();
  const cpuBefore = process.cpuUsage();
  tell({ kind: 'started' });
  await untilAnswered(job.ms, FEWEST);
  running = false;
  const ms = performance.now() - began;
  const cpu = process.cpuUsage(cpuBefore);
  tell({ kind: 'ended' });
  for (const connection of opened) connection.close();
  tell({ kind: 'result', ms, cpuMs: (cpu.user + cpu.system) / 1000, ...window.summary() });
});
process.on('disconnect', () => process.exit(0));
