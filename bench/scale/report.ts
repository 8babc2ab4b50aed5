/** Curves for people: as tables on a terminal and in docs/scale.md, and as a picture. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fillPlaces, table } from '../report/places.ts';
import { curveChart } from './chart.ts';
import { type Curve, figure, type Part, project, type Scale } from './curves.ts';

const DOCS = join(import.meta.dirname, '..', '..', 'docs');
const PAGE = join(DOCS, 'scale.md');
const MILLION = 1e6;

/** What is flat, and what grows how. */
function growth(power: number): string {
  if (power === 0) return 'flat';
  if (power > 0.9 && power < 1.1) return 'in proportion';
  return `× ${(2 ** power).toFixed(2)} for twice as many`;
}

const growsTowardsMillion = ({ of }: Curve) => of !== 'gateways';

/** A table of one curve: a row a size, a column a series, and what they say at a million. */
export function curveTable(curve: Curve): string {
  const names = Object.keys(curve.series);
  const sizes = [...new Set(names.flatMap((name) => curve.series[name]!.map(([size]) => size)))].sort((a, b) => a - b);
  const rows = sizes.map((size) => [
    size.toLocaleString('en'),
    ...names.map((name) => {
      const point = curve.series[name]!.find(([one]) => one === size);
      return point ? figure(point[1]) : '';
    }),
  ]);
  if (growsTowardsMillion(curve)) {
    const told = names.map((name) => project(curve.series[name]!, MILLION));
    if (told.some(Boolean))
      rows.push(['*at a million*', ...told.map((one) => (one ? `*${figure(one.value)}* (${growth(one.power)})` : ''))]);
  }
  return table([curve.of, ...names], rows);
}

export function partText({ curves, notes }: Part): string {
  return [...curves.map((curve) => `\n${curve.title}, ${curve.unit}\n\n${curveTable(curve)}`), ...notes].join('\n');
}

/** Writes docs/scale.md's tables, its picture, and the results. @returns the files. */
export async function writeScaleDocs(scale: Scale): Promise<string[]> {
  const picture = join(DOCS, 'images', 'scale.svg');
  const data = join(DOCS, 'scale.json');
  const parts = Object.fromEntries(
    ['rows', 'databases', 'processes'].map((name) => [name, scale[name] ? forDocs(scale[name]) : 'Not measured yet.']),
  );
  await writeFile(PAGE, fillPlaces(await readFile(PAGE, 'utf8'), parts, 'docs/scale.md'));
  await writeFile(picture, curveChart(Object.values(scale).flatMap(({ curves }) => curves)));
  await writeFile(data, `${JSON.stringify(scale, null, 2)}\n`);
  return [PAGE, picture, data];
}

function forDocs(part: Part): string {
  const { cores, processor, memoryGb, node } = part.machine;
  return [
    `Measured on ${part.at.slice(0, 10)} on ${cores} cores (${processor}), ${memoryGb} GB, Node ${node}.`,
    ...part.curves.map((curve) => `\n**${curve.title}**, ${curve.unit}:\n\n${curveTable(curve)}`),
    ...part.notes.map((one) => `\n${one}`),
  ].join('\n');
}
