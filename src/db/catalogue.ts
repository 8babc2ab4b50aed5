/** What a database's schema consists of, as its catalogs say: for comparing it with what its version makes. */
import type pg from 'pg';

/** By its name, such as `column agents.email`: what it is. */
export type Catalogue = ReadonlyMap<string, string>;

/**
 * Of everything in the schema public, and the names of other schemas. Bodies of functions are told by a digest. NOT NULL is told
 * with its column: PostgreSQL 18 lists it as a constraint as well, the versions before do not.
 */
const ITEMS = `
  select 'schema ' || nspname as item, '' as definition from pg_namespace
   where nspname not in ('public', 'information_schema') and nspname !~ '^pg_'
  union all
  select case relkind when 'r' then 'table ' when 'v' then 'view ' when 'S' then 'sequence ' else 'relation ' end || relname,
         case relkind when 'v' then md5(pg_get_viewdef(oid)) else '' end
    from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  union all
  select 'column ' || c.relname || '.' || a.attname,
         format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null' else '' end
           || coalesce(case a.attgenerated when '' then ' default ' else ' generated ' end || pg_get_expr(d.adbin, d.adrelid), '')
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
  union all
  select 'index ' || c.relname, pg_get_indexdef(i.indexrelid) || case when i.indisvalid then '' else ' (invalid)' end
    from pg_index i join pg_class c on c.oid = i.indexrelid where c.relnamespace = 'public'::regnamespace
  union all
  select 'constraint ' || conname || coalesce(' of ' || nullif(conrelid, 0)::regclass::text, ''),
         pg_get_constraintdef(oid) || case when convalidated then '' else ' (not validated)' end
    from pg_constraint where connamespace = 'public'::regnamespace and contype not in ('n', 't')
  union all
  select 'function ' || oid::regprocedure::text,
         'returns ' || pg_get_function_result(oid) || case when prosecdef then ', as its owner' else '' end
           || ', ' || left(md5(concat_ws('|', prosrc, prolang, provolatile, proconfig)), 12)
    from pg_proc where pronamespace = 'public'::regnamespace
  union all
  select 'trigger ' || tgname || ' of ' || tgrelid::regclass::text,
         pg_get_triggerdef(t.oid) || case tgenabled when 'O' then '' else ' (switched off)' end
    from pg_trigger t join pg_class c on c.oid = tgrelid
   where c.relnamespace = 'public'::regnamespace and not tgisinternal
  union all
  select 'type ' || typname, string_agg(enumlabel, ', ' order by enumsortorder)
    from pg_type join pg_enum on enumtypid = pg_type.oid where typnamespace = 'public'::regnamespace group by typname`;

/** Any role that may connect can read it. */
export async function readCatalogue(client: pg.ClientBase): Promise<Catalogue> {
  // Names are written as short as the search path allows.
  await client.query('set search_path = public');
  try {
    const { rows } = await client.query<{ item: string; definition: string }>(`${ITEMS} order by 1`);
    return new Map(rows.map(({ item, definition }) => [item, definition]));
  } finally {
    await client.query('reset search_path');
  }
}

/** How one catalogue differs from another, a line each; nothing where they are the same. */
export function differences(found: Catalogue, expected: Catalogue): string[] {
  const lines: string[] = [];
  for (const [item, definition] of expected) {
    const other = found.get(item);
    if (other === undefined) lines.push(`${item} is missing`);
    else if (other !== definition) lines.push(`${item} is "${other}" instead of "${definition}"`);
  }
  for (const item of found.keys()) if (!expected.has(item)) lines.push(`${item} is of no migration`);
  return lines;
}
