/**
 * What an archive is: one file for the control plane, or for one tenant.
 *
 * Eight bytes of magic, the length of the header (uint32, big-endian) and the header, readable JSON. After it everything is
 * encrypted and authenticated (sealing.ts), compressed by zstd, and a sequence of records: a byte that names its kind, the
 * length of its body (uint32), its body. For each table there are `TABLE`, then `DATA` as COPY writes it in its text form,
 * then `ROWS`; the last record is `END`. docs/backups.md describes it for whoever has to read one without us.
 */
import { ConfigError } from '../../config.ts';

export const MAGIC = Buffer.from('OMNIBAK\n', 'latin1');
export const FORMAT = 1;

export enum RecordKind {
  TABLE = 1,
  DATA = 2,
  ROWS = 3,
  END = 4,
}

/** Which database a table is of: a tenant's archive has rows of both. */
export type Side = 'control' | 'tenant';

export interface ArchiveHeader {
  format: number;
  kind: Side;
  /** The installation's code. */
  installation: string;
  tenant?: { id: string; slug: string };
  /** The instant that it speaks of, RFC 3339 in UTC. */
  takenAt: string;
  /** How many migrations had been applied; `tenant` only in a tenant's. */
  schema: { control: number; tenant?: number };
  /** Of the server, as `server_version_num`. */
  server: number;
  /** Which secret it is sealed with (`KeySet.id`). */
  key: string;
  /** Hex, 32 bytes. */
  salt: string;
}

export interface TableStart {
  side: Side;
  table: string;
  columns: string[];
}

export interface TableEnd {
  rows: number;
  bytes: number;
  /** Of the bytes that COPY wrote, in hex. */
  sha256: string;
}

export interface SequenceState {
  side: Side;
  name: string;
  /** The last number that was handed out; 0 for none. */
  last: number;
}

/** The body of the last record. */
export interface ArchiveEnd {
  tables: (Pick<TableStart, 'side' | 'table'> & TableEnd)[];
  sequences: SequenceState[];
}

export const rowsIn = ({ tables }: ArchiveEnd): number => tables.reduce((sum, { rows }) => sum + rows, 0);

export type ArchiveRecord =
  | ({ kind: RecordKind.TABLE } & TableStart)
  | { kind: RecordKind.DATA; bytes: Buffer }
  | ({ kind: RecordKind.ROWS } & TableEnd)
  | ({ kind: RecordKind.END } & ArchiveEnd);

/** An archive that cannot be used; the message says why, without the file's name. */
export class BadArchive extends ConfigError {}

export const titleOf = ({ kind, tenant }: Pick<ArchiveHeader, 'kind' | 'tenant'>): string =>
  kind === 'control' ? 'control plane' : `tenant ${tenant!.slug}`;
