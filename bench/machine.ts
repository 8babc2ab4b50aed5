/** Cores and who runs on which; processor time and memory of processes, as proc(5) has them. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

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

/** Of a process that may run wherever there is room. */
export const allCores = ({ server, load, database }: Pins): string | undefined =>
  server && [...new Set([server, load, database])].filter(Boolean).join(',');

/** Moves this process, and those that it starts from now on. */
export function moveTo(cores: string | undefined): void {
  if (cores) spawnSync('taskset', ['-acp', cores, String(process.pid)], { stdio: 'ignore' });
}

/** A command line that runs on the given cores and that the kernel ends when this process dies, however it dies. */
export function pinned(cores: string | undefined, command: string[]): [string, string[]] {
  const [first, ...rest] = [...(cores ? ['taskset', '-c', cores] : []), 'setpriv', '--pdeathsig', 'KILL', ...command];
  return [first!, rest];
}

/** Nanoseconds on a processor, of each thread: the first number of its schedstat (kernel's sched-stats). */
const threadNs = (pid: number, thread: string) =>
  Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);

/** Milliseconds of processor time of a process, of the threads that it has. */
export function cpuMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => sum + (quietly(() => threadNs(pid, thread)) ?? 0), 0) / 1e6;
}

/** Of a process and its children. Children that have ended don't count: only connections that are kept are measured. */
export function familyCpuMs(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, member) => sum + (quietly(() => cpuMs(member)) ?? 0), 0);
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((other) => other > 0 && quietly(() => parentOf(other)) === pid);
}

/** proc_pid_stat(5): the name may hold anything but `)`. */
const parentOf = (pid: number) =>
  Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(')').at(-1)!.trim().split(' ')[1]);

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
  cores: cpus().length,
  processor: cpus()[0]?.model ?? 'unknown',
  memoryGb: Math.round(totalmem() / 2 ** 30),
  node: process.versions.node,
  pins: said,
});
