/** Servers under the same load, one after the other in each round, so that what the machine does meanwhile meets all alike. */
import type { ServerName } from './fleet.ts';
import { residentMemory } from './gauges.ts';
import type { LoadResult } from './load/load.ts';
import { cpuMs, familyCpuMs } from './machine.ts';
import type { Server } from './servers.ts';
import type { Bench, Measured } from './workloads/workload.ts';

/** Of each turn; the first round's compiles what runs hot. Milliseconds. */
const WARM_UP_MS = 400;
const FIRST_WARM_UP_MS = 2500;
const FIRST_WARM_UP_ANSWERS = 1500;

export interface SideBySide {
  workload: string;
  servers: ServerName[];
  /** Whole HTTP requests that a server is sent in turn, from a random one on. */
  requests: (server: ServerName) => string[];
  /** That every answer has; 200. */
  status?: number;
  /** Called before a server's turn, while it runs. @returns what it is sent in that turn. */
  before?: (server: Server) => Promise<string[]>;
}

interface Turn {
  result: LoadResult;
  /** The server's own, and PostgreSQL's. */
  cpuMs: number;
  databaseCpuMs: number;
  memoryMb: number;
}

export const median = (values: number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

export async function sideBySide(bench: Bench, wanted: SideBySide): Promise<Record<string, Measured>> {
  const { load, fleet, settings, say } = bench;
  const { workload, servers, requests, status = 200, before } = wanted;
  const running = new Map<ServerName, Server>();
  for (const name of servers) {
    running.set(name, await fleet.server(name));
    load.prepare(`${workload} ${name}`, requests(name));
  }
  const turns = new Map<ServerName, Turn[]>(servers.map((name) => [name, []]));
  const began = performance.now();
  try {
    for (const server of running.values()) server.pause();
    for (let round = 0; round < settings.rounds; round++) {
      const order = servers.map((_, index) => servers[(index + round) % servers.length]!);
      for (const name of order) {
        const server = running.get(name)!;
        server.goOn();
        const job = `${workload} ${name}`;
        if (before) load.prepare(job, await before(server));
        const turn = await takeTurn(bench, job, server, round === 0);
        server.pause();
        refuseFailures(name, turn, status);
        turns.get(name)!.push(turn);
      }
      const rates = servers.map((name) => `${name} ${rateOf(turns.get(name)!.at(-1)!).toFixed(0)}/s`);
      const left = ((performance.now() - began) / (round + 1)) * (settings.rounds - round - 1);
      say(
        `  ${workload} round ${round + 1} of ${settings.rounds}: ${rates.join(', ')}${left > 0 ? `; ${Math.ceil(left / 1000)} s left` : ''}`,
      );
    }
  } finally {
    for (const server of running.values()) server.goOn();
  }
  const gateway = turns.get('gateway')!;
  return Object.fromEntries(servers.map((name) => [name, summary(turns.get(name)!, gateway)]));
}

async function takeTurn(bench: Bench, name: string, server: Server, isFirst: boolean): Promise<Turn> {
  const { load, settings, platform } = bench;
  const postgres = platform.postgresPid();
  const used = { own: 0, database: 0 };
  const job = {
    port: server.port,
    name,
    connections: settings.connections,
    warmUpMs: isFirst ? FIRST_WARM_UP_MS : WARM_UP_MS,
    warmUpAnswers: isFirst ? FIRST_WARM_UP_ANSWERS : 0,
    ms: settings.seconds * 1000,
  };
  const result = await load.run(job, () => {
    const since = { own: cpuMs(server.pid), database: familyCpuMs(postgres) };
    return () => {
      used.own = cpuMs(server.pid) - since.own;
      used.database = familyCpuMs(postgres) - since.database;
    };
  });
  return { result, memoryMb: residentMemory(server.pid), cpuMs: used.own, databaseCpuMs: used.database };
}

/** Answers of another status could be quick for not doing the work. */
export function refuseFailures(name: ServerName, { result }: { result: LoadResult }, wanted: number): void {
  const { statuses, failures, answers } = result;
  const others = Object.entries(statuses).filter(([status]) => Number(status) !== wanted);
  if (failures > 0 || others.length > 0 || answers === 0) {
    throw new Error(`${name} failed: ${failures} connections, answers by status ${JSON.stringify(statuses)}`);
  }
}

const rateOf = ({ result }: Turn) => (1000 * result.answers) / result.ms;
const cpuOf = ({ result, cpuMs }: Turn) => cpuMs / result.answers;

function summary(turns: Turn[], gateway: Turn[]): Measured {
  const of = (value: (turn: Turn, round: number) => number) => median(turns.map(value));
  return {
    perSecond: of(rateOf),
    p50Ms: of(({ result }) => result.p50Ms),
    p99Ms: of(({ result }) => result.p99Ms),
    cpuMs: of(cpuOf),
    databaseCpuMs: of(({ databaseCpuMs, result }) => databaseCpuMs / result.answers),
    busy: of(({ cpuMs, result }) => cpuMs / result.ms),
    loadBusy: of(({ result }) => result.cpuMs / result.ms),
    memoryMb: of(({ memoryMb }) => memoryMb),
    ratio: of((turn, round) => rateOf(gateway[round]!) / rateOf(turn)),
    cpuRatio: of((turn, round) => cpuOf(turn) / cpuOf(gateway[round]!)),
  };
}
