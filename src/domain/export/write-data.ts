/** Writes a tenant's records as lines of JSON, compressed by gzip, in bounded memory and of one instant. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline as pipe } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type pg from 'pg';
import type { Snapshot } from '../backup/snapshot.ts';
import { snapshotsOfTenant } from '../backup/take.ts';
import { countOf, EXPORT_FORMAT, KINDS, type Kind, linesOf } from './records.ts';

/** Rows that are read at once. */
const BATCH = 500;

export interface ExportedTenant {
  id: string;
  slug: string;
  /** Of its database. */
  url: string;
}

export interface ExportSource {
  /** Of the control-plane database. */
  databaseUrl: string;
  signal: AbortSignal;
  /** Told now and then how many records are written, of how many. What it throws ends the export. */
  progress(records: number, total: number): Promise<void>;
}

/** A file that was written. */
export interface Written {
  bytes: number;
  /** SHA-256 in hex. */
  digest: string;
}

/** What it holds: lines, or objects. */
export interface WrittenEntries extends Written {
  entries: number;
}

export interface WrittenData extends WrittenEntries {
  takenAt: Date;
}

export function writeData(source: ExportSource, tenant: ExportedTenant, file: string): Promise<WrittenData> {
  return snapshotsOfTenant(source.databaseUrl, tenant, async (platform, own) => {
    const clientOf = ({ side }: Kind) => (side === 'control' ? platform : own).client;
    const counts = new Map<string, number>();
    for (const kind of KINDS) counts.set(kind.type, await countRows(clientOf(kind), countOf(kind, tenant.id)));
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);

    const text = async function* () {
      yield headOf(tenant, own, counts);
      let records = 0;
      for (const kind of KINDS) {
        for await (const lines of batches(clientOf(kind), linesOf(kind, tenant.id))) {
          yield `${lines.join('\n')}\n`;
          records += lines.length;
          await source.progress(records, total);
        }
      }
      yield lineOf({ type: 'end', records });
    };
    // Whoever reads the end of it learns of what fails on the way.
    const packed: AsyncIterable<Buffer> = pipe(text(), createGzip(), () => {});
    const written = await writeHashed(file, source.signal, packed);
    return { ...written, entries: total, takenAt: own.takenAt };
  });
}

const lineOf = (record: object) => `${JSON.stringify(record)}\n`;

const headOf = ({ id, slug }: ExportedTenant, { takenAt, version }: Snapshot, counts: Map<string, number>) =>
  lineOf({
    type: 'export',
    format: EXPORT_FORMAT,
    tenant: { id, slug },
    taken_at: takenAt.toISOString(),
    schema_version: version,
    records: Object.fromEntries(counts),
  });

async function countRows(client: pg.ClientBase, statement: string): Promise<number> {
  return (await client.query<{ count: number }>(statement)).rows[0]!.count;
}

/** In a transaction: as many rows at once as are wanted, however many there are. */
async function* batches(client: pg.ClientBase, statement: string): AsyncGenerator<string[]> {
  await client.query(`declare records no scroll cursor for ${statement}`);
  for (;;) {
    const { rows } = await client.query<{ line: string }>(`fetch ${BATCH} from records`);
    if (rows.length > 0) yield rows.map(({ line }) => line);
    if (rows.length < BATCH) break;
  }
  await client.query('close records');
}

/** Writes a file of its owner's alone. @returns what it is. */
export async function writeHashed(file: string, signal: AbortSignal, source: AsyncIterable<Buffer>): Promise<Written> {
  const hash = createHash('sha256');
  let bytes = 0;
  const counted = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  };
  await pipeline(source, counted, createWriteStream(file, { mode: 0o600, flags: 'wx' }), { signal });
  return { bytes, digest: hash.digest('hex') };
}
