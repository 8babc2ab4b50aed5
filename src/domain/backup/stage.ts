/**
 * A tenant's rows of the control plane on their way back: in temporary tables of the session that puts them in their place, as
 * this version has them.
 */
import pg from 'pg';
import { applyMigrations } from '../../db/apply-migrations.ts';
import { databaseUrlOf } from '../../db/control.ts';
import { dropDatabase } from '../../db/drop-database.ts';
import { controlMigrations } from '../../db/migrations/control/index.ts';
import { type ArchiveRecord, RecordKind, type TableStart } from './archive.ts';
import { makeDraft, openWriter } from './drafts.ts';
import { fill } from './load.ts';
import { copyTables } from './snapshot.ts';
import { columnList, tablesOf, tenantTablesOf } from './tables.ts';

const quote = pg.escapeIdentifier;

/** The temporary table that holds the rows of one table. */
export const staged = (table: string): string => quote(`restored_${table}`);

async function stage(
  client: pg.ClientBase,
  { table, columns }: Pick<TableStart, 'table' | 'columns'>,
  data: AsyncIterable<Buffer>,
): Promise<number> {
  await client.query(`create temporary table ${staged(table)} (like ${quote(table)})`);
  return fill(client, `restored_${table}`, columns, data);
}

export interface Staging {
  /** Takes the rows of one table. @returns how many. */
  take(table: TableStart, data: AsyncIterable<Buffer>): Promise<number>;
  /** When all are taken: the temporary tables are complete. */
  finish(): Promise<void>;
  /** Removes what is left of it. */
  drop(): Promise<void>;
}

/** @param version of the control plane that the rows are of. @param url of the control database that is `client`'s. */
export async function openStaging(client: pg.Client, url: string, orgId: string, version: number): Promise<Staging> {
  if (version === controlMigrations.length) {
    return { take: (table, data) => stage(client, table, data), finish: async () => {}, drop: async () => {} };
  }
  return stagingOfOlder(client, url, orgId, version);
}

/** Rows of an older version go through a control database of that version, which is then brought up to date. */
async function stagingOfOlder(client: pg.Client, url: string, orgId: string, version: number): Promise<Staging> {
  const name = `${new URL(url).pathname.slice(1)}_${orgId.replaceAll('-', '').slice(-12)}`;
  const draft = await makeDraft(client, name);
  const draftUrl = databaseUrlOf(url, draft);
  await applyMigrations(draftUrl, controlMigrations.slice(0, version));
  const older = await openWriter(draftUrl);
  return {
    take: ({ table, columns }, data) => fill(older, table, columns, data),
    async finish() {
      await applyMigrations(draftUrl, controlMigrations);
      const tables = tenantTablesOf(await tablesOf(older));
      const source = copyTables(older, 'control', tables);
      for (const table of tables) await stage(client, { table: table.name, columns: table.columns }, dataOf(source));
    },
    async drop() {
      await older.end().catch(() => {});
      await dropDatabase(client, draft);
    },
  };
}

/** Of the next table. */
async function* dataOf(source: AsyncGenerator<ArchiveRecord>): AsyncGenerator<Buffer> {
  for (;;) {
    const { value: record } = await source.next();
    if (record?.kind === RecordKind.DATA) yield record.bytes;
    else if (record?.kind !== RecordKind.TABLE) return;
  }
}

/** Moves the rows from their temporary table to their place. */
export async function unstage(client: pg.ClientBase, table: string, conflict = ''): Promise<void> {
  const { rows } = await client.query<{ columns: string[] }>(
    `select array_agg(attname::text order by attnum) as columns from pg_attribute
      where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
    [quote(table)],
  );
  const columns = columnList(rows[0]!.columns);
  await client.query(`insert into ${quote(table)} (${columns}) select ${columns} from ${staged(table)} ${conflict}`);
}
