/** Curves as a picture: a panel each, sizes by powers of ten. */
import { type Curve, figure } from './curves.ts';

const [WIDTH, HEIGHT] = [420, 230];
const COLUMNS = 2;
const [LEFT, RIGHT, TOP, BOTTOM] = [56, 16, 52, 30];
const COLOURS = ['#2563eb', '#d97706', '#059669', '#7c3aed', '#dc2626'];

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const text = (x: number, y: number, what: string, more = '') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escaped(what)}</text>`;

/** @returns an SVG. */
export function curveChart(curves: Curve[]): string {
  const [width, height] = [COLUMNS * WIDTH, Math.ceil(curves.length / COLUMNS) * HEIGHT];
  const panels = curves.map((curve, index) => {
    const [x, y] = [(index % COLUMNS) * WIDTH, Math.floor(index / COLUMNS) * HEIGHT];
    return `<g transform="translate(${x} ${y})">${panel(curve)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="system-ui, sans-serif" font-size="11">`,
    '<title>What grows with the number of tenants, and what does not</title>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...panels,
    '</svg>',
    '',
  ].join('\n');
}

function panel({ title, unit, of, series }: Curve): string {
  const all = Object.values(series).flat();
  const sizes = [...new Set(all.map(([size]) => size))].sort((a, b) => a - b);
  const highest = 1.1 * Math.max(...all.map(([, value]) => value));
  const [first, last] = [Math.log10(sizes[0]!), Math.log10(sizes.at(-1)!)];
  const x = (size: number) => LEFT + ((Math.log10(size) - first) / (last - first || 1)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => HEIGHT - BOTTOM - (value / highest) * (HEIGHT - TOP - BOTTOM);
  const floor = HEIGHT - BOTTOM;
  const parts = [
    text(12, 18, title, 'font-size="12" font-weight="600"'),
    text(12, 32, `${unit}, by ${of}`, 'fill="#6b7280"'),
    ...[0, highest / 2.2, highest / 1.1].flatMap((value) => [
      `<line x1="${LEFT}" y1="${y(value).toFixed(1)}" x2="${WIDTH - RIGHT}" y2="${y(value).toFixed(1)}" stroke="#e5e7eb"/>`,
      text(LEFT - 6, y(value) + 4, value === 0 ? '0' : figure(value), 'text-anchor="end" fill="#374151"'),
    ]),
    ...sizes.map((size) => text(x(size), floor + 16, size.toLocaleString('en'), 'text-anchor="middle" fill="#374151"')),
  ];
  for (const [index, [name, points]] of Object.entries(series).entries()) {
    const colour = COLOURS[index % COLOURS.length]!;
    const path = points.map(([size, value]) => `${x(size).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    parts.push(
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...points.map(
        ([size, value]) => `<circle cx="${x(size).toFixed(1)}" cy="${y(value).toFixed(1)}" r="2.5" fill="${colour}"/>`,
      ),
      text(LEFT + 6 + (index % 5) * 72, TOP - 6, name.slice(0, 24), `fill="${colour}"`),
    );
  }
  return parts.join('');
}
