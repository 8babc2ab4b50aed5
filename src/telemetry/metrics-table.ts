/** The metrics as the docs show them (scripts/update-docs.mjs). */
import { registerGauges } from './gauges.ts';
import { Metrics } from './metrics.ts';

interface Described {
  name: string;
  help: string;
  type: string;
  labelNames?: readonly string[];
}

/** Those of Node.js and of the process, which prom-client describes itself. */
const STANDARD = /^(process|nodejs)_/;

/** Every metric of the gateway's own, ordered by name. */
export function describedMetrics(): Described[] {
  const { registry } = new Metrics();
  // They look nothing up before they are scraped.
  registerGauges(registry, { health: {} } as never);
  const all = registry.getMetricsAsArray() as unknown as Described[];
  return all.filter(({ name }) => !STANDARD.test(name)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** As a table in Markdown. */
export function metricsTable(): string {
  const rows = describedMetrics().map(({ name, type, labelNames = [], help }) => {
    const labels = labelNames.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${labels} | ${help} |`;
  });
  return ['| metric | type | labels | tells |', '|---|---|---|---|', ...rows].join('\n');
}
