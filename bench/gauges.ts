/** What a gateway's process says of itself, and the kernel of it. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayProcess } from '../tests/support/gateway-process.ts';

/** In MiB. */
export interface Memory {
  /** What the process holds of the machine's memory. */
  resident: number;
  /** What its objects take, those included that nobody needs any more and that were not collected yet. */
  heap: number;
}

const MIB = 2 ** 20;
/** Answering costs the gateway some milliseconds. */
const ASK_MS = 300;
const CENSUS_MS = 20_000;

/** proc_pid_status(5). */
export function residentMemory(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1];
  return (Number(kib) * 1024) / MIB;
}

export async function gaugesOf(gateway: GatewayProcess): Promise<Memory & { connections: number }> {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  const gauge = (name: string) =>
    [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce(
      (sum, [, value]) => sum + Number(value),
      0,
    );
  return {
    resident: residentMemory(gateway.pid),
    heap: gauge('nodejs_heap_size_used_bytes') / MIB,
    connections: gauge('omnistream_live_connections'),
  };
}

/** What is left of that which clients bring along, when the garbage is collected. */
export interface Census {
  /** Subscriptions that somebody has asked for something. */
  iterators: number;
  timers: number;
  /** That came in. */
  sockets: number;
  /** MiB. */
  heap: number;
}

/** What a gateway has to load before it can be asked for a census. */
export const COUNTED = new URL('../chaos/census.ts', import.meta.url).href;

export async function census(gateway: GatewayProcess): Promise<Census> {
  const said = () => gateway.output().match(/^census .+$/gm) ?? [];
  const known = said().length;
  process.kill(gateway.pid, 'SIGUSR2');
  const all = await until(said, (lines) => lines.length > known, CENSUS_MS);
  if (all.length === known) throw new Error('the gateway does not say what it has in memory');
  return JSON.parse(all.at(-1)!.slice('census '.length));
}

/** Calls again and again. @returns the first answer that will do, or after so many milliseconds the last one. */
export async function until<T>(ask: () => T | Promise<T>, willDo: (answer: T) => boolean, ms: number): Promise<T> {
  for (const deadline = performance.now() + ms; ; await sleep(ASK_MS)) {
    const answer = await ask();
    if (willDo(answer) || performance.now() > deadline) return answer;
  }
}

/** Files that this process, and those it starts, may have open: each socket is one. */
export function openFilesLimit(): number {
  const limit = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))![1]!;
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
}
