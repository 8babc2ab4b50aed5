/** Cores and who runs on which; processor time and memory of processes, as proc(5) has them. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';

/** Lists of cores as taskset(1) takes them; undefined where nothing is pinned. */
export interface Pins {
  server?: string;
  load?: string;
  /** PostgreSQL's, the same for all servers. */
  database?: string;
  /** For people. */
  said: string;
}

/** The server under test has a core to itself; load and PostgreSQL share another, or have one each where there are three. */
export function choosePins(): Pins {
  const pinned = spawnSync('taskset', ['-cp', String(process.pid)], { encoding: 'utf8' });
  const cores = pinned.status === 0 ? coresIn(/: *([\d,-]+)\s*$/.exec(pinned.stdout)?.[1] ?? '') : [];
  if (cores.length === 0) return { said: 'nothing is pinned: there is no taskset(1) here' };
  const [server, load, database = load] = cores.map(String);
  if (!load) {
    return { said: 'nothing is pinned: there is one core, which the server, the load and PostgreSQL share' };
  }
  const shared = database === load ? `the load and PostgreSQL share core ${load}` : `the load has core ${load}`;
  const own = database === load ? '' : `, PostgreSQL core ${database}`;
  return { server, load, database, said: `the server under test has core ${server}, ${shared}${own}` };
}

function coresIn(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [from, to = from] = part.split('-').map(Number);
    return Number.isInteger(from) ? Array.from({ length: to! - from! + 1 }, (_, index) => from! + index) : [];
  });
}

/** Moves this process, and those that it starts from now on. */
export function moveTo(cores: string | undefined): void {
  if (cores) spawnSync('taskset', ['-acp', cores, String(process.pid)], { stdio: 'ignore' });
}

/** A command line that runs on the given cores and that the kernel ends when this process dies, however it dies. */
export function pinned(cores: string | undefined, command: string[]): [string, string[]] {
  const [first, ...rest] = [...(cores ? ['taskset', '-c', cores] : []), 'setpriv', '--pdeathsig', 'KILL', ...command];
  return [first!, rest];
}

/** proc_pid_stat(5): in ticks of 10 ms. The name may hold anything but `)`. */
function statOf(pid: number): { parent: number; ms: number; endedMs: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(')').at(-1)!.trim().split(' ');
  const ticks = (index: number) => 10 * Number(fields[index]);
  return { parent: Number(fields[1]), ms: ticks(11) + ticks(12), endedMs: ticks(13) + ticks(14) };
}

/** Milliseconds of processor time of a process, its threads included. */
export const cpuMs = (pid: number): number => statOf(pid).ms;

/** Of a process and all its children, those included that have ended. */
export function familyCpuMs(pid: number): number {
  const own = statOf(pid);
  return (
    own.ms + own.endedMs + childrenOf(pid).reduce((sum, child) => sum + (quietly(() => familyCpuMs(child)) ?? 0), 0)
  );
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((other) => other > 0 && quietly(() => statOf(other).parent) === pid);
}

/** Processes end while one looks at them. */
function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Whether that is what it runs on. */
export interface MachineFacts {
  cores: number;
  processor: string;
  memoryGb: number;
  node: string;
  pins: string;
}

export const machineFacts = ({ said }: Pins): MachineFacts => ({
  cores: availableParallelism(),
  processor: cpus()[0]?.model ?? 'unknown',
  memoryGb: Math.round(totalmem() / 2 ** 30),
  node: process.versions.node,
  pins: said,
});
