// Writes the parts of the docs that come from the code. Runs after a build, as part of `npm run codegen`.
import { readFileSync, writeFileSync } from 'node:fs';
import { errorTable } from '../dist/errors.js';
import { metricsTable } from '../dist/telemetry/metrics-table.js';

/** Puts a table between the marks `<!-- name: ... -->` and `<!-- end of name -->` of a page. */
function update(page, name, table) {
  const file = new URL(`../docs/${page}`, import.meta.url);
  const text = readFileSync(file, 'utf8');
  const place = new RegExp(`(<!-- ${name}:.*-->\\n)[\\s\\S]*(<!-- end of ${name} -->)`);
  const updated = text.replace(place, (_, start, end) => `${start}${table}\n${end}`);
  if (!updated.includes(table)) throw new Error(`docs/${page} has lost the place of its table of ${name}`);
  writeFileSync(file, updated);
}

const errors = errorTable.map(({ code, status, sentence }) => `| ${status} | \`${code}\` | ${sentence} |`);
update(
  'api.md',
  'errors',
  ['| status | code | says, unless there is more to say |', '|---|---|---|', ...errors].join('\n'),
);
update('observability.md', 'metrics', metricsTable());
