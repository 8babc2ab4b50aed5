/** Everything in the control database that is sealed, and how it comes to be sealed with the keys in use. */
import type { Queryable } from '../db/control.ts';
import type { Keys } from '../db/keys.ts';

interface SealedColumn {
  table: string;
  /** Of the row. */
  key: string;
  /** SQL that reads it. */
  value: string;
  /** SQL that puts `fresh` in its place. */
  assign: string;
  /** SQL that says which rows. */
  only: string;
}

const column = (table: string, key: string, name: string): SealedColumn => ({
  table,
  key,
  value: name,
  assign: `${name} = fresh`,
  only: 'true',
});

const SEALED: readonly SealedColumn[] = [
  column('tenant_databases', 'org_id', 'sealed_password'),
  column('database_servers', 'id', 'sealed_url'),
  column('database_servers', 'id', 'sealed_pooled_url'),
  column('signing_keys', 'kid', 'sealed_key'),
  column('idempotency_keys', 'key', 'sealed_answer'),
  {
    table: 'events',
    key: 'seq',
    value: "payload->>'sealedKey'",
    assign: "payload = jsonb_set(payload, '{sealedKey}', to_jsonb(fresh))",
    only: "topic = 'signing_key'",
  },
];

interface SealedAnew {
  /** Values that were sealed with a key from before. */
  count: number;
  /** Values that no known key opens; they are left as they are. */
  unreadable: number;
}

interface Row {
  key: string;
  value: string;
}

const BATCH = 500;

/** Seals with the keys in use whatever is not. May be stopped at any point, and run again, beside gateways that write. */
export async function sealAnew(client: Queryable, keys: Keys): Promise<SealedAnew> {
  const sum: SealedAnew = { count: 0, unreadable: 0 };
  for (const sealed of SEALED) {
    let rows: Row[] = [];
    do {
      rows = await batchAfter(client, sealed, rows.at(-1)?.key);
      const former = rows.filter(({ value }) => !keys.isSealedNow(value));
      const opened = former.flatMap(({ key, value }) => {
        const text = keys.tryOpen(value);
        return text === undefined ? [] : [{ key, value, fresh: keys.seal(text) }];
      });
      sum.unreadable += former.length - opened.length;
      if (opened.length > 0) sum.count += await replace(client, sealed, opened);
    } while (rows.length === BATCH);
  }
  return sum;
}

async function batchAfter(client: Queryable, { table, key, value, only }: SealedColumn, after?: string) {
  const { rows } = await client.query<Row>(
    `select ${key}::text as key, ${value} as value from ${table}
      where ${only} and ${value} is not null and ($1::text is null or ${key}::text > $1) order by ${key}::text limit ${BATCH}`,
    [after],
  );
  return rows;
}

/** One that has been written since it was read is sealed with the keys in use already. */
async function replace(
  client: Queryable,
  { table, key, value, assign }: SealedColumn,
  rows: (Row & { fresh: string })[],
): Promise<number> {
  const { rowCount } = await client.query(
    `update ${table} set ${assign} from unnest($1::text[], $2::text[], $3::text[]) renewed(row_key, former, fresh)
      where ${key}::text = row_key and ${value} = former`,
    [rows.map((row) => row.key), rows.map((row) => row.value), rows.map((row) => row.fresh)],
  );
  return rowCount!;
}
