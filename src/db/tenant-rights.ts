/**
 * What a tenant's role may do in the tenant's database: it has its rights from the role that all of them belong to, and none of its own.
 * Nobody else but the owner has any.
 */
import pg from 'pg';

const quote = pg.escapeIdentifier;

const WRITES = ['INSERT', 'UPDATE', 'DELETE'] as const;
const ALL = ['SELECT', ...WRITES] as const;
/** Of tables of which it may not do everything: triggers and the owner alone write most of these, and a log is only added to. */
const FEWER: Readonly<Record<string, readonly string[]>> = {
  activity_chain: ['SELECT'],
  activity_log: ['SELECT', 'INSERT'],
  activity_unlinked: ['SELECT'],
  mikro_orm_migrations: ['SELECT'],
  schedule_versions: ['SELECT'],
  usage_counters: ['SELECT'],
  usage_limits: ['SELECT'],
};
/** Functions that everybody could call otherwise, and whether tenants may. */
const GUARDED: Readonly<Record<string, boolean>> = {
  'count_usage(text, text, integer)': false,
  'record_schedule(uuid)': true,
};

/** Gives them. Also where nothing was applied: an older gateway did so apart. @param group the role that tenants' roles belong to. */
export function rightsOf(group: string): string {
  const to = quote(group);
  return [
    `grant usage on schema public to ${to}`,
    `grant ${ALL.join(', ')} on all tables in schema public to ${to}`,
    ...Object.entries(FEWER).map(
      ([table, rights]) => `revoke ${ALL.filter((one) => !rights.includes(one)).join(', ')} on ${table} from ${to}`,
    ),
    `revoke execute on function ${Object.keys(GUARDED).join(', ')} from public`,
    ...Object.keys(GUARDED)
      .filter((name) => GUARDED[name])
      .map((name) => `grant execute on function ${name} to ${to}`),
  ].join('; ');
}

interface Granted {
  /** `table agents`, `column email of table agents`, `function hours_of(uuid)`, `sequence ...`, `schema public`. */
  object: string;
  grantee: string;
  rights: string[];
}

/** Of everybody but the owners; a row without a grantee says that the object is there. */
const GRANTED = `
  with acl as (
    select 'schema public' as object, nspowner as owner, coalesce(nspacl, acldefault('n', nspowner)) as acl
      from pg_namespace where nspname = 'public'
    union all
    select case relkind when 'S' then 'sequence ' else 'table ' end || quote_ident(relname), relowner,
           coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner))
      from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'S')
    union all
    select format('column %I of table %I', attname, relname), relowner, attacl
      from pg_attribute join pg_class on pg_class.oid = attrelid
     where relnamespace = 'public'::regnamespace and attacl is not null and not attisdropped
    union all
    select format('function %I(%s)', proname, oidvectortypes(proargtypes)), proowner, coalesce(proacl, acldefault('f', proowner))
      from pg_proc where pronamespace = 'public'::regnamespace
  )
  select object, null as grantee, '{}'::text[] as rights from acl
  union all
  select object, case grantee when 0 then 'public' else coalesce(rolname, grantee::text) end,
         array_agg(privilege_type order by privilege_type)
    from acl, aclexplode(acl) left join pg_roles on pg_roles.oid = grantee
   where grantee <> owner group by object, grantee, rolname`;

/** What everybody may do as PostgreSQL makes a database; it may have been taken back as well. */
const HARMLESS = 'USAGE on schema public public';

/** What somebody may do and should not, or the other way round, and the statement that mends it. */
export interface WrongRight {
  problem: string;
  remedy: string;
}

/**
 * How the rights in a tenant's database differ from what they are to be, object by object. Any role that may connect can ask.
 *
 * @param items what the schema consists of (catalogue.ts); tables and functions besides those are passed over.
 */
export async function wrongRights(
  client: pg.ClientBase,
  group: string,
  items: Iterable<string>,
): Promise<WrongRight[]> {
  const ofVersion = new Set([...items].map((item) => item.replaceAll(',', ', ')));
  const { rows } = await client.query<Granted | { object: string; grantee: null }>(GRANTED);
  const known = rows.filter(({ object }) => ofVersion.has(object) || !/^(table|function) /.test(object));
  const byKey = (all: Granted[]) => new Map(all.map((one) => [`${one.object} ${one.grantee}`, one]));
  const found = byKey(known.filter((one) => one.grantee !== null));
  const expected = byKey(expectedOf(new Set(known.map(({ object }) => object)), group));
  return [...new Map([...expected, ...found]).entries()].sort().flatMap(([key, { object, grantee }]) => {
    const has = found.get(key)?.rights ?? [];
    const should = expected.get(key)?.rights ?? [];
    const who = grantee === group ? 'the tenant' : grantee === 'public' ? 'everybody' : `the role ${grantee}`;
    const lacks = should.filter((right) => !has.includes(right));
    const beyond = has.filter((right) => !should.includes(right) && `${right} on ${key}` !== HARMLESS);
    return [
      ...wrong(lacks, (rights, on, role) => ({
        problem: `${who} may not ${rights} on ${object}`,
        remedy: `grant ${on} to ${role};`,
      })),
      ...wrong(beyond, (rights, on, role) => ({
        problem: `${who} may ${rights} on ${object}`,
        remedy: `revoke ${on} from ${role};`,
      })),
    ];

    function wrong(
      rights: readonly string[],
      tell: (rights: string, on: string, role: string) => WrongRight,
    ): WrongRight[] {
      if (rights.length === 0) return [];
      const role = grantee === 'public' ? grantee : quote(grantee);
      return [tell(rights.join(', '), onObject(rights, object), role)];
    }
  });
}

/** `SELECT (email) on table agents` */
function onObject(rights: readonly string[], object: string): string {
  const [, column = '', of = object] = /^column (.+) of (table .+)$/.exec(object) ?? [];
  return `${rights.map((right) => (column ? `${right} (${column})` : right)).join(', ')} on ${of}`;
}

/** @param known what there is of what is to be there. */
function expectedOf(known: ReadonlySet<string>, group: string): Granted[] {
  const expected: Granted[] = [{ object: 'schema public', grantee: group, rights: ['USAGE'] }];
  for (const object of known) {
    const [, kind, name] = /^(table|function) (.+)$/.exec(object) ?? [];
    if (kind === 'table') expected.push({ object, grantee: group, rights: [...(FEWER[name!] ?? ALL)] });
    if (kind !== 'function' || GUARDED[name!] === false) continue;
    // As PostgreSQL makes them.
    expected.push({ object, grantee: GUARDED[name!] ? group : 'public', rights: ['EXECUTE'] });
  }
  return expected;
}
