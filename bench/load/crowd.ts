/** The bench's side of a crowd of sockets. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pinned } from '../machine.ts';

export interface Crowd {
  name: string;
  url: string;
  protocol?: string;
  count: number;
  /** What each socket says, one after each answer; it is ready after the answer to the last one. */
  say: string[];
}

export type CrowdJob = { kind: 'open'; crowd: Crowd } | { kind: 'listen' | 'close'; name: string };

export type CrowdTold =
  | { kind: 'open' }
  | { kind: 'listening' }
  /** The last one was told; by the machine's monotonic clock, in nanoseconds. */
  | { kind: 'all'; at: bigint; text: string }
  | { kind: 'lost'; reason: string };

/** Opens sockets and waits for what they are told. */
export class Listeners {
  readonly #child: ChildProcess;

  constructor(cores: string | undefined) {
    const [command, args] = pinned(cores, [process.execPath, join(import.meta.dirname, 'listeners.ts')]);
    this.#child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' });
  }

  async open(crowd: Crowd): Promise<void> {
    this.#ask({ kind: 'open', crowd });
    await this.#told('open');
  }

  /** @param publish what all are told of. @returns the milliseconds from its end to the last one, and what was told. */
  async untilAll(name: string, publish: () => Promise<void>): Promise<{ ms: number; text: string }> {
    this.#ask({ kind: 'listen', name });
    await this.#told('listening');
    const told = this.#told('all');
    await publish();
    const published = process.hrtime.bigint();
    const { at, text } = await told;
    return { ms: Number(at - published) / 1e6, text };
  }

  leave(name: string): void {
    this.#ask({ kind: 'close', name });
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }

  #ask(job: CrowdJob): void {
    this.#child.send(job);
  }

  async #told<Kind extends CrowdTold['kind']>(kind: Kind): Promise<Extract<CrowdTold, { kind: Kind }>> {
    const [told] = (await once(this.#child, 'message')) as [CrowdTold];
    if (told.kind === kind) return told as Extract<CrowdTold, { kind: Kind }>;
    throw new Error(told.kind === 'lost' ? told.reason : `the sockets told ${told.kind} instead of ${kind}`);
  }
}
