/** One database as it is at one instant, while others go on writing to it. */
import { createHash } from 'node:crypto';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { KEPT_ALIVE, readOnlySession } from '../../db/control.ts';
import { breakOnAbort } from '../../db/pools.ts';
import { type ArchiveRecord, RecordKind, type Side, type TableStart } from './archive.ts';
import { columnList, type FoundTable, schemaVersionOf, type Table, tablesOf } from './tables.ts';

/** A role, or a server, may limit what a request may take; a backup takes its time. The forms of values are fixed. */
const SESSION =
  `${readOnlySession('omnistream-backup')} ${KEPT_ALIVE} -c statement_timeout=0 -c idle_in_transaction_session_timeout=0
  -c datestyle=ISO -c intervalstyle=postgres -c bytea_output=hex -c extra_float_digits=3 -c client_encoding=UTF8`.replaceAll(
    /\s+/g,
    ' ',
  );

const ATTEMPTS = 3;

/** A session that changes nothing. @param signal cuts it off, whatever it waits for, and whether or not the server hears of it. */
export async function openReader(url: string, signal?: AbortSignal): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000, options: SESSION });
  client.on('error', () => {});
  if (signal) breakOnAbort(client, signal);
  await client.connect();
  return client;
}

/** Whether rows of a table are read. */
export type IsRead = (table: FoundTable) => boolean;

export interface Snapshot {
  client: pg.Client;
  /** Those that are read of it. */
  tables: FoundTable[];
  /** How many migrations it has. */
  version: number;
  /** When it was taken, by the server's clock. */
  takenAt: Date;
}

/**
 * Begins a transaction that sees the database as it is now. Its tables are locked against being altered first: whoever reads
 * rows by an older snapshot from a table that was rewritten since then would find it empty.
 *
 * @param isRead says of which tables; all, unless given. The others may be altered meanwhile.
 */
export async function beginSnapshot(client: pg.Client, isRead: IsRead = () => true): Promise<Snapshot> {
  const wanted = async () => (await tablesOf(client)).filter(isRead);
  for (let attempt = 1; ; attempt += 1) {
    const before = await wanted();
    await client.query('begin isolation level repeatable read read only');
    const names = columnList([...before.map(({ name }) => name), 'mikro_orm_migrations']);
    await client.query(`lock table ${names} in access share mode`);
    const tables = await wanted();
    if (JSON.stringify(tables) === JSON.stringify(before)) {
      const { rows } = await client.query<{ now: Date }>('select clock_timestamp() as now');
      return { client, tables, version: await schemaVersionOf(client), takenAt: rows[0]!.now };
    }
    await client.query('rollback');
    if (attempt === ATTEMPTS) throw new Error('its tables are being altered');
  }
}

/** Reads tables one after the other. @param rowsOf what follows FROM; the whole table without it. */
export async function* copyTables(
  client: pg.Client,
  side: Side,
  tables: readonly Table[],
  rowsOf?: (table: string) => string,
): AsyncGenerator<ArchiveRecord> {
  for (const { name, columns } of tables) {
    const list = columnList(columns);
    const source = rowsOf ? `(select ${list} from ${rowsOf(name)})` : `${pg.escapeIdentifier(name)} (${list})`;
    yield* copyOne(client, { side, table: name, columns }, `copy ${source} to stdout`);
  }
}

async function* copyOne(client: pg.Client, table: TableStart, statement: string): AsyncGenerator<ArchiveRecord> {
  yield { kind: RecordKind.TABLE, ...table };
  const stream = client.query(copyTo(statement));
  const lost = () => stream.destroy(new Error('Connection terminated'));
  client.once('end', lost);
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const bytes of stream as AsyncIterable<Buffer>) {
      hash.update(bytes);
      size += bytes.length;
      yield { kind: RecordKind.DATA, bytes };
    }
  } finally {
    client.off('end', lost);
  }
  yield { kind: RecordKind.ROWS, rows: stream.rowCount, bytes: size, sha256: hash.digest('hex') };
}
