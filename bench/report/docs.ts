/** Writes the parts of docs/performance.md that come from the last results, the chart, and the results themselves. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Result, Results } from '../results.ts';
import { workloads } from '../workloads/index.ts';
import { chart } from './chart.ts';
import { fillPlaces, table } from './places.ts';
import { goalText, SERVER_COLUMNS, valueText, verdict } from './print.ts';

const DOCS = join(import.meta.dirname, '..', '..', 'docs');
const PAGE = join(DOCS, 'performance.md');
const CHART = join(DOCS, 'images', 'performance.svg');
const DATA = join(DOCS, 'performance.json');

/** @returns the files that were written. @throws where the page has lost one of its places. */
export async function writeDocs(results: Results): Promise<string[]> {
  const page = await readFile(PAGE, 'utf8');
  const parts = { goals: goals(results), servers: servers(results), machine: machine(Object.values(results)) };
  await mkdir(dirname(CHART), { recursive: true });
  await writeFile(PAGE, fillPlaces(page, parts, 'docs/performance.md'));
  await writeFile(CHART, chart(results));
  await writeFile(DATA, `${JSON.stringify(results, null, 2)}\n`);
  return [PAGE, CHART, DATA];
}

function goals(results: Results): string {
  const rows = Object.entries(results).flatMap(([name, { title, findings }]) =>
    findings.map((finding) => [
      `${name} ${title}: ${finding.what}`,
      goalText(finding),
      `**${valueText(finding)}**`,
      verdict(finding),
    ]),
  );
  const notes = Object.entries(results).flatMap(([name, { notes = [] }]) => notes.map((note) => `- ${name}: ${note}`));
  const missing = workloads.filter(({ name }) => !results[name]).map(({ name, title }) => `${name} (${title})`);
  if (missing.length > 0) notes.push(`- Not measured in this run: ${missing.join(', ')}.`);
  return [table(['', 'goal', 'measured', ''], rows), ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
}

function servers(results: Results): string {
  const head = ['', ...SERVER_COLUMNS.map(([title]) => title)];
  const rows = Object.values(results)
    .flatMap(({ loads = [] }) => loads)
    .flatMap(({ title, servers }) =>
      Object.entries(servers).map(([server, measured]) => [
        `${title}: ${server}`,
        ...SERVER_COLUMNS.map(([, cell]) => cell(measured)),
      ]),
    );
  return table(head, rows);
}

/** Of the newest result; where others were measured elsewhere, that is said. */
function machine(all: Result[]): string {
  const [newest] = all.toSorted((a, b) => b.at.localeCompare(a.at));
  if (!newest) return 'Nothing has been measured yet.';
  const { cores, processor, memoryGb, node, pins } = newest.machine;
  const { rounds, seconds, connections } = newest.settings;
  const days = [...new Set(all.map(({ at }) => at.slice(0, 10)))].sort();
  return (
    `Measured ${days.length > 1 ? `from ${days[0]} to ${days.at(-1)}` : `on ${days[0]}`} on ${cores} cores (${processor}), ` +
    `${memoryGb} GB, Node ${node}; ${pins}. ${rounds} rounds of ${seconds} s for each server, ${connections} connections.`
  );
}
