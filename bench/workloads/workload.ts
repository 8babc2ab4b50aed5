/** What is measured, what came out, and what is held to it. */

import type { Fleet } from '../fleet.ts';
import type { Load } from '../load/load.ts';
import type { Platform } from '../platform.ts';

export interface Settings {
  rounds: number;
  /** Of measuring, for each server in each round. */
  seconds: number;
  connections: number;
}

export interface Bench {
  readonly settings: Settings;
  readonly platform: Platform;
  readonly fleet: Fleet;
  readonly load: Load;
  /** A line for people. */
  say(text: string): void;
}

/** Something that was measured, held to its goal. */
export interface Finding {
  /** Such as `to the ceiling`. */
  what: string;
  value: number;
  /** What `value` is in, such as `ms`; absent for a ratio. */
  unit?: string;
  goal: { at: 'least' | 'most'; value: number };
}

export const holds = ({ value, goal }: Finding): boolean =>
  goal.at === 'least' ? value >= goal.value : value <= goal.value;

/** One server, over all rounds: medians. */
export interface Measured {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Milliseconds of processor time for a request: the server's own, and PostgreSQL's. */
  cpuMs: number;
  databaseCpuMs: number;
  /** How busy the server kept its core, and the load generator its own: 1 is all the time. */
  busy: number;
  loadBusy: number;
  /** Resident, in MiB. */
  memoryMb: number;
  /** Of requests a second and of processor time, the gateway's is 1; medians of the rounds' ratios. */
  ratio: number;
  cpuRatio: number;
}

/** Servers that were put under the same load. */
export interface LoadOutcome {
  title: string;
  /** By their names. */
  servers: Record<string, Measured>;
}

export interface Outcome {
  findings: Finding[];
  loads?: LoadOutcome[];
  /** What a reader has to know of this run. */
  notes?: string[];
}

export interface Workload {
  /** `W1` */
  name: string;
  title: string;
  /** Tenants in the control database. */
  tenants: number;
  run(bench: Bench): Promise<Outcome>;
}
