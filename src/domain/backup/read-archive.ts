/** Reads archives back, and holds what is read against what was written. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import type { Keys } from '../../db/keys.ts';
import {
  type ArchiveEnd,
  type ArchiveHeader,
  type ArchiveRecord,
  BadArchive,
  FORMAT,
  MAGIC,
  RecordKind,
  type TableEnd,
  type TableStart,
} from './archive.ts';
import { unseal } from './sealing.ts';

/** A header is some four hundred bytes. */
const LONGEST_HEADER = 65_536;
const LONGEST_RECORD = 64 * 1024 * 1024;

export interface OpenArchive {
  file: string;
  header: ArchiveHeader;
  /** The bytes before what is sealed. */
  head: Buffer;
}

/** Reads what can be read without the secret. @throws {BadArchive} for a file that is none, or of a later format. */
export async function openArchive(file: string): Promise<OpenArchive> {
  const handle = await open(file);
  try {
    const start = await bytesAt(handle, 0, MAGIC.length + 4);
    if (!start.subarray(0, MAGIC.length).equals(MAGIC)) throw new BadArchive('it is no backup of this gateway');
    const length = start.readUInt32BE(MAGIC.length);
    if (length > LONGEST_HEADER) throw new BadArchive('its header is damaged');
    const json = await bytesAt(handle, start.length, length);
    return { file, header: headerOf(json), head: Buffer.concat([start, json]) };
  } finally {
    await handle.close();
  }
}

async function bytesAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead < length) throw new BadArchive('it is cut off in its header, or is no backup of this gateway');
  return buffer;
}

function headerOf(json: Buffer): ArchiveHeader {
  let header: ArchiveHeader;
  try {
    header = JSON.parse(json.toString('utf8'));
  } catch {
    throw new BadArchive('its header is damaged');
  }
  if (header.format > FORMAT) {
    throw new BadArchive(`it has format ${header.format} of a newer gateway, this one reads up to ${FORMAT}`);
  }
  return header;
}

/** The records in their order. @throws {BadArchive} where it is not as it was written, or sealed with another secret. */
export async function* readRecords(archive: OpenArchive, keys: Keys): AsyncGenerator<ArchiveRecord> {
  const { file, header, head } = archive;
  const set = keys.ofArchive(header.key);
  if (!set) {
    throw new BadArchive(
      `it was made under another secret (${header.key}; known here: ${keys.archiveIds.join(', ')}): run this with JWT_SECRET_FORMER ` +
        'set to the JWT_SECRET of then, or to the jwtSecret in the secrets.json of then',
    );
  }
  const sealed = createReadStream(file, { start: head.length });
  const plain = unseal(sealed, set.backup(Buffer.from(header.salt, 'hex')), head);
  // Whoever reads the end of it learns of what fails on the way.
  const unpacked: AsyncIterable<Buffer> = pipeline(plain, createZstdDecompress(), () => {});
  try {
    yield* records(unpacked);
  } catch (error) {
    if (error instanceof BadArchive || !(error as { code?: string }).code?.startsWith('ZSTD')) throw error;
    throw new BadArchive('it is damaged', { cause: error });
  } finally {
    sealed.destroy();
  }
}

async function* records(source: AsyncIterable<Buffer>): AsyncGenerator<ArchiveRecord> {
  let held: Buffer = Buffer.alloc(0);
  let ended = false;
  for await (const chunk of source) {
    held = held.length > 0 ? Buffer.concat([held, chunk]) : chunk;
    let at = 0;
    while (held.length - at >= 5) {
      const length = held.readUInt32BE(at + 1);
      if (length > LONGEST_RECORD) throw new BadArchive('it is damaged');
      if (held.length - at < 5 + length) break;
      const record = recordOf(held[at]!, held.subarray(at + 5, at + 5 + length));
      ended = record.kind === RecordKind.END;
      yield record;
      at += 5 + length;
    }
    held = held.subarray(at);
  }
  if (!ended || held.length > 0) throw new BadArchive('it is cut off');
}

function recordOf(kind: RecordKind, body: Buffer): ArchiveRecord {
  if (kind === RecordKind.DATA) return { kind, bytes: body };
  return { kind, ...JSON.parse(body.toString('utf8')) };
}

/** What to do with the data of a table; the generator ends with it. @returns how many rows it took, where it knows. */
export type TableReader = (table: TableStart, data: AsyncIterable<Buffer>) => Promise<number | undefined>;

/**
 * Reads an archive to its end.
 *
 * @param read is given each table in turn; without it the archive is only held against itself.
 * @throws {BadArchive}
 */
export async function readArchive(archive: OpenArchive, keys: Keys, read?: TableReader): Promise<ArchiveEnd> {
  const source = readRecords(archive, keys);
  const seen: ArchiveEnd['tables'] = [];
  for (;;) {
    const { value: record } = await source.next();
    if (record?.kind === RecordKind.END) {
      const { kind: _, ...end } = record;
      if (JSON.stringify(end.tables) !== JSON.stringify(seen)) throw new BadArchive('its list of tables is damaged');
      // What comes after the end is found by reading on.
      await source.next();
      return end;
    }
    if (record?.kind !== RecordKind.TABLE) throw new BadArchive('it is damaged');
    const { kind: _, ...table } = record;
    const data = new TableData(source);
    const rows = await (read ?? discard)(table, data.chunks());
    const { end } = data;
    if (!end) throw new Error(`the data of ${table.table} was not read to its end`);
    if (data.digest() !== end.sha256 || (rows !== undefined && rows !== end.rows)) {
      throw new BadArchive(`its rows of ${table.table} differ from what was written`);
    }
    seen.push({ side: table.side, table: table.table, ...end });
  }
}

class TableData {
  readonly #source: AsyncIterator<ArchiveRecord>;
  readonly #hash = createHash('sha256');
  end?: TableEnd;

  constructor(source: AsyncIterator<ArchiveRecord>) {
    this.#source = source;
  }

  async *chunks(): AsyncGenerator<Buffer> {
    for (;;) {
      const { value: record } = (await this.#source.next()) as { value?: ArchiveRecord };
      if (record?.kind === RecordKind.DATA) {
        this.#hash.update(record.bytes);
        yield record.bytes;
      } else if (record?.kind === RecordKind.ROWS) {
        const { kind: _, ...end } = record;
        this.end = end;
        return;
      } else throw new BadArchive('it is damaged');
    }
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}

const discard: TableReader = async (_, data) => {
  for await (const __ of data) {
    // Reading it is all.
  }
  return undefined;
};
