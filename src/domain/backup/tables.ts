/** Which tables there are, and which of them, and of their rows, a backup holds. */
import pg from 'pg';
import type { Side } from './archive.ts';

const quote = pg.escapeIdentifier;

/**
 * What no backup holds: which migrations were applied is in the header and done anew, what was told to subscribers is told,
 * sessions end with a restore, guesses are forgotten within minutes, exports have their files elsewhere, and what was under way
 * with tenants as a whole, their moves and upgrades included, is asked for anew. What a server that is away has of removed tenants is for
 * somebody to look into by then: the doctor names it.
 */
const LEFT_OUT = new Set([
  'mikro_orm_migrations',
  'events',
  'left_databases',
  'offboarding_runs',
  'rate_limits',
  'sessions',
  'tenant_exports',
  'tenant_moves',
  'upgrade_items',
  'upgrade_runs',
]);
/** What nobody empties. */
const MIGRATIONS = new Set(['mikro_orm_migrations']);

export interface Table {
  name: string;
  columns: string[];
}

export interface FoundTable extends Table {
  /** Tables that its rows name rows of. */
  refers: string[];
}

const TABLES = `
  select c.relname as name,
         (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
           where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
         array(select distinct f.relname::text from pg_constraint k join pg_class f on f.oid = k.confrelid
                where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid) as refers
    from pg_class c where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace order by c.relname`;

/** All that a backup of the whole database holds, each after those that it refers to: in this order they can be filled. */
export async function tablesOf(client: pg.ClientBase, leftOut = LEFT_OUT): Promise<FoundTable[]> {
  const { rows } = await client.query<FoundTable>(TABLES);
  const waiting = new Map(rows.filter(({ name }) => !leftOut.has(name)).map((table) => [table.name, table]));
  const ordered: FoundTable[] = [];
  while (waiting.size > 0) {
    const ready = [...waiting.values()].find(({ refers }) => !refers.some((name) => waiting.has(name)));
    if (!ready) throw new Error(`the tables ${[...waiting.keys()].join(', ')} refer to each other in a circle`);
    ordered.push(ready);
    waiting.delete(ready.name);
  }
  return ordered;
}

/** With those that no backup holds. */
export const allTablesOf = (client: pg.ClientBase): Promise<FoundTable[]> => tablesOf(client, MIGRATIONS);

/** Of the control plane, the tables that belong to single tenants: organizations, and what goes when one of them goes. */
export const tenantTablesOf = (tables: readonly FoundTable[]): Table[] => tables.filter(isOfTenants);

export const isOfTenants = ({ name, refers }: FoundTable): boolean =>
  name === 'organizations' || refers.includes('organizations');

/** The rows of one tenant. */
export const rowsOfTenant = (table: string, orgId: string): string =>
  `${quote(table)} where ${table === 'organizations' ? 'id' : 'org_id'} = ${pg.escapeLiteral(orgId)}`;

export const columnList = (columns: readonly string[]): string => columns.map(quote).join(', ');

const APPLIED = 'select count(*)::int as applied from mikro_orm_migrations';

/** How many migrations the database has. */
export async function schemaVersionOf(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ applied: number }>(APPLIED);
  return rows[0]!.applied;
}

/** The last numbers of all sequences, which no transaction takes back: those of now, and so no less than what was read. */
export async function sequencesOf(client: pg.ClientBase, side: Side) {
  const { rows } = await client.query<{ name: string; last: string | null }>(
    `select sequencename as name, last_value::text as last from pg_sequences where schemaname = 'public' order by 1`,
  );
  return rows.map(({ name, last }) => ({ side, name, last: Number(last ?? 0) }));
}

/** The installation's code; undefined in a database that no gateway has set up. */
export async function installationOf(client: pg.ClientBase): Promise<string | undefined> {
  const { rows: found } = await client.query<{ there: boolean }>(
    `select to_regclass('installation') is not null as there`,
  );
  if (!found[0]!.there) return undefined;
  return (await client.query<{ code: string }>('select code from installation')).rows[0]?.code;
}
