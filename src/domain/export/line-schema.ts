/** The JSON Schema of an export's lines, from the kinds of records and what stands around them. */
import { z } from 'zod';
import { EXPORT_FORMAT, KINDS, type Kind } from './records.ts';

const lineSchema = ({ type, about, fields }: Kind) =>
  z
    .object({
      type: z.literal(type),
      ...Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, schema])),
    })
    .describe(about);

/** The first line. */
const head = z
  .object({
    type: z.literal('export'),
    format: z.literal(EXPORT_FORMAT),
    tenant: z.object({ id: z.uuid(), slug: z.string() }),
    taken_at: z.iso.datetime({ precision: 3 }),
    schema_version: z.int(),
    records: z.record(z.string(), z.int()),
  })
  .describe('The first line: of whom, of which instant, and how many lines of each type follow.');

/** The last line: where it is missing, the file was cut off. */
const end = z
  .object({ type: z.literal('end'), records: z.int() })
  .describe('The last line: how many there were between the first and this one. A file without it was cut off.');

/** Of one line; JSON Schema 2020-12. */
export const exportSchema = () =>
  z.toJSONSchema(
    z.union([head, ...KINDS.map(lineSchema), end]).meta({
      title: 'A line of an OmniStream tenant export',
      description: `Format ${EXPORT_FORMAT}. Readers pass over types and fields that they do not know: later versions add some.`,
    }),
    {
      // Leaves open what later versions add.
      io: 'input',
      override({ jsonSchema }) {
        // The format says it in a word.
        if (jsonSchema.format) delete jsonSchema.pattern;
        if (jsonSchema.type !== 'integer') return;
        delete jsonSchema.minimum;
        delete jsonSchema.maximum;
      },
    },
  );
