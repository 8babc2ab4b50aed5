/** What a scale run leaves: curves, each of some values over sizes. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { MachineFacts } from '../machine.ts';

export interface Curve {
  title: string;
  /** What the values are in, such as `ms`. */
  unit: string;
  /** What sizes are of, such as `tenants`. */
  of: string;
  /** By what was measured: the value at each size, ascending. */
  series: Record<string, [size: number, value: number][]>;
}

/** A part of the run: what was asked for, when and where. */
export interface Part {
  /** RFC 3339. */
  at: string;
  machine: MachineFacts;
  curves: Curve[];
  /** What a reader has to know of this run. */
  notes: string[];
}

/** By the part's name. */
export type Scale = Record<string, Part>;

export const SCALE = join(import.meta.dirname, '..', 'results', 'scale.json');

export async function readScale(): Promise<Scale> {
  return JSON.parse(await readFile(SCALE, 'utf8').catch(() => '{}')) as Scale;
}

/** A run of some parts leaves the others as they were. */
export async function keepPart(name: string, part: Part): Promise<void> {
  await mkdir(dirname(SCALE), { recursive: true });
  await writeFile(SCALE, `${JSON.stringify({ ...(await readScale()), [name]: part }, null, 2)}\n`);
}

/** Adds a value to a curve's series. */
export function note(curve: Curve, name: string, size: number, value: number): void {
  curve.series[name] = [...(curve.series[name] ?? []), [size, value]];
}

/** Of the exponent: seven percent for twice as many. */
const FLAT = 0.1;

/**
 * What a series says of another size: by the power law that fits it best (least squares of the logarithms), from its upper half
 * on, where what is there at any size weighs less. What hardly grows, or falls, is not carried on: that is the machine's mood, and
 * nothing gets cheaper for ever. Its mean is taken.
 *
 * @returns the exponent as well: 0 is flat, 1 in proportion; undefined for fewer than two points.
 */
export function project(
  points: readonly [number, number][],
  size: number,
): { value: number; power: number } | undefined {
  const upper = points.slice(Math.floor((points.length - 1) / 2)).filter(([, value]) => value > 0);
  if (upper.length < 2) return undefined;
  const logs = upper.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const mean = (index: 0 | 1) => logs.reduce((sum, one) => sum + one[index], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  const power =
    logs.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0) / logs.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
  const carried = power < FLAT ? 0 : power;
  return { value: Math.exp(y + carried * (Math.log(size) - x)), power: carried };
}

/** Three digits that say something. */
export const figure = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(value >= 1 ? 3 : 2);
