/** Results for people in front of a terminal. */
import { type Finding, holds, type Measured, type Outcome } from '../workloads/workload.ts';

const digits = (value: number) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

export function valueText({ value, unit }: Pick<Finding, 'value' | 'unit'>): string {
  return unit ? `${digits(value)} ${unit}` : value.toFixed(2);
}

export const goalText = ({ goal, unit }: Finding): string =>
  `${goal.at === 'least' ? '≥' : '≤'} ${unit ? `${goal.value} ${unit}` : goal.value.toFixed(1)}`;

export const verdict = (finding: Finding): string => (holds(finding) ? 'holds' : 'falls short');

/** Rows of equal columns; the first column to the left, numbers to the right. */
export function columns(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: string[]) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ');
  return rows.map((row) => `  ${line(row)}`).join('\n');
}

export const SERVER_COLUMNS: [string, (measured: Measured) => string][] = [
  ['requests/s', ({ perSecond }) => digits(perSecond)],
  ['gateway by it', ({ ratio }) => ratio.toFixed(2)],
  ['by CPU', ({ cpuRatio }) => cpuRatio.toFixed(2)],
  ['p50 ms', ({ p50Ms }) => digits(p50Ms)],
  ['p99 ms', ({ p99Ms }) => digits(p99Ms)],
  ['CPU ms', ({ cpuMs }) => cpuMs.toFixed(3)],
  ['PostgreSQL CPU ms', ({ databaseCpuMs }) => databaseCpuMs.toFixed(3)],
  ['core busy', ({ busy }) => `${Math.round(100 * busy)} %`],
  ['load busy', ({ loadBusy }) => `${Math.round(100 * loadBusy)} %`],
  ['MiB', ({ memoryMb }) => digits(memoryMb)],
];

/** What the servers did, then each finding. */
export function outcomeText(name: string, { loads = [], findings, notes = [] }: Outcome): string {
  const parts = loads.map(({ title, servers }) => {
    const head = [title, ...SERVER_COLUMNS.map(([column]) => column)];
    const rows = Object.entries(servers).map(([server, measured]) => [
      server,
      ...SERVER_COLUMNS.map(([, cell]) => cell(measured)),
    ]);
    return columns([head, ...rows]);
  });
  parts.push(findingsText(findings.map((finding) => [name, finding])));
  parts.push(...notes.map((note) => `  ${note}`));
  return parts.join('\n\n');
}

export function findingsText(findings: [string, Finding][]): string {
  const rows = findings.map(([name, finding]) => [
    `${name} ${finding.what}`,
    valueText(finding),
    goalText(finding),
    verdict(finding),
  ]);
  return columns([['', 'value', 'goal', ''], ...rows]);
}
