/** Whether two databases hold the same rows: their number and a checksum, table by table, which do not depend on the order. */
import pg from 'pg';
import { allTablesOf, type Table } from '../backup/tables.ts';

const quote = pg.escapeIdentifier;

/** How the rows of a table add up. */
interface Sum {
  table: string;
  rows: string;
  sum: string;
}

/** Each has its own sums; nothing may be written meanwhile. */
async function sumsOf(client: pg.ClientBase, tables: readonly Table[], timeoutMs: number): Promise<Sum[]> {
  const sums = tables.map(
    ({ name, columns }) =>
      `select ${pg.escapeLiteral(name)} as "table", count(*)::text as "rows",
              coalesce(sum(hashtextextended(row(${columns.map(quote).join(', ')})::text, 0)::numeric), 0)::text as "sum"
         from ${quote(name)}`,
  );
  await client.query(`set statement_timeout = ${Math.max(1, Math.ceil(timeoutMs))}`);
  try {
    return (await client.query<Sum>(sums.join(' union all '))).rows;
  } finally {
    await client.query('set statement_timeout = 0').catch(() => {});
  }
}

export interface Comparison {
  rows: number;
  /** The tables that differ. */
  differing: string[];
}

/** @param timeoutMs gives up after so long. */
export async function compare(one: pg.ClientBase, other: pg.ClientBase, timeoutMs: number): Promise<Comparison> {
  // In the order of the columns that the first one has, so that both write a row alike.
  const tables = await allTablesOf(one);
  const [here, there] = await Promise.all([sumsOf(one, tables, timeoutMs), sumsOf(other, tables, timeoutMs)]);
  const found = new Map(there.map((sum) => [sum.table, sum]));
  return {
    rows: here.reduce((total, { rows }) => total + Number(rows), 0),
    differing: here
      .filter(({ table, rows, sum }) => found.get(table)?.rows !== rows || found.get(table)?.sum !== sum)
      .map(({ table }) => table),
  };
}
