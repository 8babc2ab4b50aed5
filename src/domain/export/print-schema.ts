/** Prints the JSON Schema of an export's lines, for docs/export.schema.json. */
import { exportSchema } from './line-schema.ts';

process.stdout.write(`${JSON.stringify(exportSchema(), null, 2)}\n`);
