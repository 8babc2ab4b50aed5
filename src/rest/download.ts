/** Files that are sent whole, or from where an earlier answer was cut off (RFC 9110, section 14). */
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import parseRange from 'range-parser';
import type { Download } from '../domain/export/exports.ts';
import type { Answer } from '../domain/idempotency.ts';
import { AppError } from '../errors.ts';

/** What a request says besides its input. */
export interface Asked {
  url: string;
  method: string;
  headers: IncomingHttpHeaders;
}

interface Span {
  start: number;
  end: number;
}

/** One part of a file; several at once are asked for by nobody whose download was cut off. */
const ONE_PART = /^bytes=(\d+-\d*|-\d+)$/;

/** The part that is asked for; undefined for all of it, which is what anything else gets as well. */
function spanOf({ bytes, etag }: Download, { range, 'if-range': onlyIf }: IncomingHttpHeaders): Span | undefined {
  // Another file by now: the part that is there already is of no use.
  if (!range || !ONE_PART.test(range) || (onlyIf && onlyIf !== etag)) return undefined;
  const spans = parseRange(bytes, range);
  if (typeof spans === 'number') {
    throw new AppError('range_not_satisfiable', { headers: { 'content-range': `bytes */${bytes}` } });
  }
  return spans[0];
}

export async function downloadAnswer(file: Download, { method, headers }: Asked): Promise<Answer> {
  const { fileName, type, bytes, etag } = file;
  const span = spanOf(file, headers);
  return {
    status: span ? 206 : 200,
    headers: {
      'accept-ranges': 'bytes',
      'content-disposition': `attachment; filename="${fileName}"`,
      'content-length': String(span ? span.end - span.start + 1 : bytes),
      'content-type': type,
      etag,
      ...(span && { 'content-range': `bytes ${span.start}-${span.end}/${bytes}` }),
    },
    body: method === 'HEAD' ? Readable.from([]) : await file.open(span),
  };
}
