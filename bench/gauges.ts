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
