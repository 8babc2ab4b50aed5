/** Servers under test, each a process of its own on the core that is kept for it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dist } from '../tests/support/built.ts';
import { pinned } from './machine.ts';

const START_MS = 60_000;

const running = new Set<ChildProcess>();

/** Has it ended with the others, if it is still there then. */
export function endsWithBench(child: ChildProcess): void {
  running.add(child);
  child.once('exit', () => running.delete(child));
}

/** Ends all that are left; to be called last. */
export async function endServers(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }),
  );
}

/** What follows `node`, for a server whose garbage is to be collected before its memory is looked at. */
export const COLLECTS = ['--import', new URL('collect.ts', import.meta.url).href];

export interface Start {
  name: string;
  /** What follows `node`. */
  args: string[];
  env: Record<string, string>;
  /** Where it writes what it says. */
  log: string;
  cores?: string;
}

export class Server {
  readonly name: string;
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(name: string, port: number, child: ChildProcess) {
    this.name = name;
    this.port = port;
    this.#child = child;
  }

  /** Starts it and waits until it listens. @throws what it said when it does not come up. */
  static async start({ name, args, env, log, cores }: Start): Promise<Server> {
    const [command, rest] = pinned(cores, [process.execPath, ...args]);
    const out = openSync(log, 'w');
    const child = spawn(command, rest, {
      stdio: ['ignore', out, out],
      env: { PATH: process.env.PATH, NODE_ENV: 'production', ...env },
    });
    closeSync(out);
    endsWithBench(child);
    for (const deadline = Date.now() + START_MS; ; await sleep(20)) {
      const said = readFileSync(log, 'utf8');
      const port = /(?:REST +http:\S+:|listening on )(\d+)/.exec(said)?.[1];
      if (port) return new Server(name, Number(port), child);
      if (child.exitCode !== null || Date.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`${name} did not start:\n${said}`);
      }
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** For one that was started with `COLLECTS`: what nobody needs any more is not to be counted. */
  collect(): void {
    this.#child.kill('SIGUSR2');
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Lets it do nothing while others are measured: its timers and background work would be on their core. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  goOn(): void {
    this.#child.kill('SIGCONT');
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.goOn();
    this.#child.kill(signal);
    await ended;
  }
}

/** A file a module, for profiles: what follows `node`. */
export const MODULES = ['--enable-source-maps', join(dist, 'main.js')];
