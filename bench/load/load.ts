/** The bench's side of the load generator. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pinned } from '../machine.ts';

/** What the generator is told. */
export type Job = { kind: 'requests'; name: string; requests: string[] } | ({ kind: 'run' } & Run);

export interface Run {
  port: number;
  /** Of others, to which connections go in turn with it. */
  morePorts?: number[];
  /** Of the requests. */
  name: string;
  connections: number;
  /** Between the requests of a connection; absent: each follows the answer to the one before. */
  everyMs?: number;
  warmUpMs: number;
  /** Warming up goes on until there are so many, five times as long at most. */
  warmUpAnswers?: number;
  ms: number;
}

export interface LoadResult {
  answers: number;
  ms: number;
  bytes: number;
  p50Ms: number;
  p99Ms: number;
  /** How many answers had which status. */
  statuses: Record<string, number>;
  /** Connections that failed or were closed. */
  failures: number;
  /** The generator's own processor time. */
  cpuMs: number;
}

/** What it tells: that warming up is over, that measuring is, and what came out. */
export type Told = { kind: 'started' } | { kind: 'ended' } | ({ kind: 'result' } & LoadResult);

export class Load {
  readonly #child: ChildProcess;

  constructor(cores: string | undefined) {
    const [command, args] = pinned(cores, [process.execPath, join(import.meta.dirname, 'generator.ts')]);
    this.#child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' });
  }

  /** Whole HTTP requests, by a name. */
  prepare(name: string, requests: string[]): void {
    this.#tell({ kind: 'requests', name, requests });
  }

  /** @param whileMeasured called when measuring begins; what it gives is called when it ends. */
  async run(job: Run, whileMeasured: () => () => void): Promise<LoadResult> {
    this.#tell({ kind: 'run', ...job });
    let end: (() => void) | undefined;
    for (;;) {
      const [told] = (await once(this.#child, 'message')) as [Told];
      if (told.kind === 'started') end = whileMeasured();
      else if (told.kind === 'ended') end!();
      else if (told.kind === 'result') return told;
    }
  }

  #tell(job: Job): void {
    this.#child.send(job);
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}

/** An HTTP/1.1 request as it goes over the wire. */
export function request(method: string, path: string, headers: Record<string, string>, body?: unknown): string {
  const text = body === undefined ? '' : JSON.stringify(body);
  const all: Record<string, string> = {
    host: 'gateway.test',
    ...headers,
    ...(body !== undefined && {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(text)),
    }),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${text}`;
}
