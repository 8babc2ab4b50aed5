/** Writes a tenant's records as lines of JSON, compressed by gzip, in bounded memory and of one instant. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline as pipe } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type pg from 'pg';
import { withDeadline } from '../../components/probe.ts';
import type { Side } from '../backup/archive.ts';
import type { IsRead, Snapshot } from '../backup/snapshot.ts';
import { snapshotsOfTenant } from '../backup/take.ts';
import { countOf, EXPORT_FORMAT, KINDS, type Kind, linesOf, tableOf } from './records.ts';
import { whileThereIsRoom } from './room.ts';

/** Rows that are read at once. */
const BATCH = 500;
/** A server that hangs would keep an export, and with it those that wait for its turn. A large table is counted within this. */
const STALLED_MS = 10 * 60_000;

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
  return snapshotsOfTenant(
    source,
    tenant,
    { control: isReadOf('control'), tenant: isReadOf('tenant') },
    async (platform, own) => {
      const counts = new Map<string, number>();
      const count = async ({ client }: Snapshot, kinds: readonly Kind[]) => {
        for (const kind of kinds) counts.set(kind.type, await countRows(client, countOf(kind, tenant.id)));
      };
      await count(platform, OF_CONTROL);
      await count(own, OF_TENANT);
      const total = [...counts.values()].reduce((sum, one) => sum + one, 0);
      let records = 0;
      const linesFrom = async function* ({ client }: Snapshot, kind: Kind) {
        for await (const lines of batches(client, linesOf(kind, tenant.id))) {
          yield `${lines.join('\n')}\n`;
          records += lines.length;
          await source.progress(records, total);
        }
      };
      const aside = (kind: Kind) => `${file}.${kind.type}`;
      const text = async function* () {
        yield headOf(tenant, own, counts);
        for (const kind of KINDS) {
          if (kind.side === 'tenant') yield* linesFrom(own, kind);
          else yield* createReadStream(aside(kind), 'utf8');
        }
        yield lineOf({ type: 'end', records });
      };
      try {
        // A migration of the control plane waits for whoever reads it, and every request for the migration: so it is read at once.
        for (const kind of OF_CONTROL) await writeTo(aside(kind), source.signal, linesFrom(platform, kind));
        await platform.client.end();
        // Whoever reads the end of it learns of what fails on the way.
        const packed: AsyncIterable<Buffer> = pipe(text(), createGzip(), () => {});
        const written = await writeHashed(file, source.signal, packed);
        return { ...written, entries: total, takenAt: own.takenAt };
      } finally {
        for (const kind of OF_CONTROL) await rm(aside(kind), { force: true });
      }
    },
  );
}

const ofSide = (side: Side) => KINDS.filter((kind) => kind.side === side);
const OF_CONTROL = ofSide('control');
const OF_TENANT = ofSide('tenant');

const isReadOf = (side: Side): IsRead => {
  const read = new Set(ofSide(side).map(tableOf));
  return ({ name }) => read.has(name);
};

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
  return (await withDeadline(STALLED_MS, () => client.query<{ count: number }>(statement))).rows[0]!.count;
}

/** In a transaction: as many rows at once as are wanted, however many there are. */
async function* batches(client: pg.ClientBase, statement: string): AsyncGenerator<string[]> {
  await client.query(`declare records no scroll cursor for ${statement}`);
  for (;;) {
    const fetch = () => client.query<{ line: string }>(`fetch ${BATCH} from records`);
    const { rows } = await withDeadline(STALLED_MS, fetch);
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
  await writeTo(file, signal, counted(source));
  return { bytes, digest: hash.digest('hex') };
}

const writeTo = (file: string, signal: AbortSignal, chunks: AsyncIterable<string | Buffer>): Promise<void> =>
  pipeline(whileThereIsRoom(dirname(file), chunks), createWriteStream(file, { mode: 0o600, flags: 'wx' }), { signal });
