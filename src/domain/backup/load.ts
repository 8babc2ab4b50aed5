/** Fills the tables of a database that nobody uses yet. */
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { SequenceState } from './archive.ts';
import { allTablesOf, columnList } from './tables.ts';

const quote = pg.escapeIdentifier;

/** Fills one table. @returns how many rows it took. */
export async function fill(
  client: pg.ClientBase,
  table: string,
  columns: readonly string[],
  data: AsyncIterable<Buffer>,
): Promise<number> {
  const stream = client.query(copyFrom(`copy ${quote(table)} (${columnList(columns)}) from stdin`));
  await pipeline(data, stream);
  return stream.rowCount;
}

/**
 * Runs what fills a database in one transaction, without the counting, queueing and telling that writing does otherwise. Foreign
 * keys are checked. What migrations put into tables goes.
 */
export async function whileQuiet(client: pg.ClientBase, work: () => Promise<SequenceState[]>): Promise<void> {
  await client.query('begin');
  try {
    const names = (await allTablesOf(client)).map(({ name }) => quote(name));
    const all = (action: string) =>
      client.query(names.map((name) => `alter table ${name} ${action} trigger user`).join('; '));
    await all('disable');
    await client.query(`truncate ${names.join(', ')}`);
    for (const { name, last } of await work()) {
      // With false, the number itself is the next one.
      await client.query('select setval($1, $2, $3)', [quote(name), Math.max(1, last), last > 0]);
    }
    await all('enable');
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}
