/** Writes an archive to a file, in bounded memory. */
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress } from 'node:zlib';
import type { Keys } from '../../db/keys.ts';
import { syncFolder } from '../../sync-folder.ts';
import { type ArchiveHeader, type ArchiveRecord, FORMAT, MAGIC, RecordKind } from './archive.ts';
import { seal } from './sealing.ts';

/** What the writer itself adds to a header. */
export type NewHeader = Omit<ArchiveHeader, 'format' | 'key' | 'salt'>;

/**
 * Writes beside the place and moves it there when it is whole and on the disk: a crash, or an abort, leaves no half archive by
 * that name.
 *
 * @returns its size in bytes.
 */
export async function writeArchive(
  file: string,
  header: NewHeader,
  records: AsyncIterable<ArchiveRecord>,
  keys: Keys,
  signal: AbortSignal,
): Promise<number> {
  const salt = randomBytes(32);
  const { backups } = keys;
  const full: ArchiveHeader = { format: FORMAT, ...header, key: backups.id, salt: salt.toString('hex') };
  const head = headBytes(full);
  const draft = `${file}.writing`;
  await rm(draft, { force: true });
  try {
    const out = createWriteStream(draft, { mode: 0o600, flags: 'wx', flush: true });
    await pipeline(
      frames(records),
      createZstdCompress(),
      async function* (compressed: AsyncIterable<Buffer>) {
        yield head;
        yield* seal(compressed, backups.backup(salt), head);
      },
      out,
      { signal },
    );
    await rename(draft, file);
    await syncFolder(dirname(file));
    return out.bytesWritten;
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

function headBytes(header: ArchiveHeader): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([MAGIC, length, json]);
}

async function* frames(records: AsyncIterable<ArchiveRecord>): AsyncGenerator<Buffer> {
  for await (const { kind, ...body } of records) {
    const bytes = kind === RecordKind.DATA ? (body as { bytes: Buffer }).bytes : Buffer.from(JSON.stringify(body));
    const head = Buffer.alloc(5);
    head[0] = kind;
    head.writeUInt32BE(bytes.length, 1);
    yield head;
    yield bytes;
  }
}
