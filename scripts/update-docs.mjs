// Writes the parts of the docs that come from the code. Runs after a build, as part of `npm run codegen`.
import { readFileSync, writeFileSync } from 'node:fs';
import { errorTable } from '../dist/errors.js';

const file = new URL('../docs/api.md', import.meta.url);
const rows = errorTable.map(({ code, status, sentence }) => `| ${status} | \`${code}\` | ${sentence} |`);
const table = ['| status | code | says, unless there is more to say |', '|---|---|---|', ...rows].join('\n');
const text = readFileSync(file, 'utf8');
const updated = text.replace(
  /(<!-- errors:.*-->\n)[\s\S]*(<!-- end of errors -->)/,
  (_, start, end) => `${start}${table}\n${end}`,
);
if (!updated.includes(table)) throw new Error('docs/api.md has lost the place of its error table');
writeFileSync(file, updated);
