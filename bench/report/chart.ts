/** The results as a picture: requests a second of each server, the hand-written one being 1. */
import type { Results } from '../results.ts';
import type { Measured } from '../workloads/workload.ts';

const WIDTH = 860;
const LABELS = 110;
const BAR = 16;
const GAP = 4;
const GROUP_GAP = 14;
const TOP = 44;
const COLOURS: Record<string, string> = { gateway: '#2563eb', ceiling: '#6b7280' };
const OTHERS = '#c4b5a0';

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Of the requests a second of the ceiling; both are ratios to the gateway. */
const toCeiling = (servers: Record<string, Measured>, name: string) => servers.ceiling!.ratio / servers[name]!.ratio;

/** @returns an SVG; empty of bars where nothing was put under load. */
export function chart(results: Results): string {
  const loads = Object.values(results)
    .flatMap(({ loads = [], title }) => loads.map((load) => ({ ...load, title: `${load.title}  ${title}` })))
    .filter(({ servers }) => servers.ceiling);
  const longest = Math.max(
    1.1,
    ...loads.flatMap(({ servers }) => Object.keys(servers).map((n) => toCeiling(servers, n))),
  );
  const scale = (WIDTH - LABELS - 70) / longest;
  const parts: string[] = [];
  let y = TOP;
  for (const { title, servers } of loads) {
    parts.push(text(16, y + 12, title, 'font-weight="600"'));
    y += BAR + GAP;
    for (const name of Object.keys(servers)) {
      const value = toCeiling(servers, name);
      const width = Math.max(1, value * scale);
      parts.push(
        text(LABELS - 8, y + 12, name, 'text-anchor="end"'),
        `<rect x="${LABELS}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="2" fill="${COLOURS[name] ?? OTHERS}"/>`,
        text(LABELS + width + 6, y + 12, value.toFixed(2), 'fill="#374151"'),
      );
      y += BAR + GAP;
    }
    y += GROUP_GAP;
  }
  const one = (LABELS + scale).toFixed(1);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" role="img" font-family="system-ui, sans-serif" font-size="12">`,
    '<title>Requests a second, the hand-written server being 1</title>',
    `<rect width="${WIDTH}" height="${y}" fill="#ffffff"/>`,
    text(16, 22, 'Requests a second, the hand-written server (ceiling) being 1', 'font-size="14" font-weight="600"'),
    `<line x1="${one}" y1="${TOP - 8}" x2="${one}" y2="${y - GROUP_GAP + 6}" stroke="#6b7280" stroke-dasharray="3 3"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function text(x: number, y: number, what: string, more: string): string {
  return `<text x="${x.toFixed(1)}" y="${y}" ${more}>${escaped(what)}</text>`;
}
