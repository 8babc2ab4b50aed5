/** Long lists as files, written while they are read: page by page, as fast as the client takes them. */
import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify/sync';
import type { Answer } from '../domain/idempotency.ts';

type Row = Record<string, unknown>;

interface Format {
  type: string;
  /** The first line, if there is one. */
  head(columns: string[]): string;
  lines(rows: Row[], columns: string[]): string;
}

/** RFC 4180. By itself the library quotes only whole CRLFs; half of one, too, would begin a line of somebody else's making. */
const csv = (rows: unknown[][]) =>
  stringify(rows, { record_delimiter: 'windows', quoted_match: /[\r\n]/, escape_formulas: true });

export const exportFormats = {
  csv: {
    type: 'text/csv; charset=utf-8',
    head: (columns) => csv([columns]),
    lines: (rows, columns) => csv(rows.map((row) => columns.map((column) => row[column]))),
  },
  ndjson: {
    type: 'application/x-ndjson',
    head: () => '',
    lines: (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
  },
} as const satisfies Record<string, Format>;

export type ExportFormat = keyof typeof exportFormats;

export interface ExportOptions {
  format: ExportFormat;
  /** Without its ending. */
  file: string;
  columns: string[];
}

/**
 * What fails on the first page is an error's answer like any other; later, the stream fails, and with it the connection.
 *
 * @throws what the first page throws.
 */
export async function exportAnswer(
  pages: AsyncGenerator<Row[]>,
  { format, file, columns }: ExportOptions,
): Promise<Answer> {
  const first = await pages.next();
  const { type, head, lines }: Format = exportFormats[format];
  async function* text(): AsyncGenerator<string> {
    const beginning = head(columns) + (first.done ? '' : lines(first.value, columns));
    if (beginning) yield beginning;
    for await (const rows of pages) yield lines(rows, columns);
  }
  const headers = { 'content-type': type, 'content-disposition': `attachment; filename="${file}.${format}"` };
  return { status: 200, body: Readable.from(text()), headers };
}
