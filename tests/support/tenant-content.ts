/** What there is of one tenant, in its own database and in the control plane, to show that something left it as it was. */
import type { TestApp } from './app.ts';

/** The tenant's rows in the control plane, without what goes on by itself. */
const CONTROL = {
  organization: 'select name, status, limits, token_version from organizations where id = $1',
  identities: 'select * from identities where org_id = $1',
  keys: 'select id, name, scopes, expires_at from api_keys where org_id = $1',
  sessions: 'select id, ended_at from sessions where org_id = $1',
};

/** The log's links, which the sealer adds in its own time. */
const MOVING = ['activity_chain', 'activity_unlinked'];

const digests = (queries: Record<string, string>) =>
  Object.entries(queries)
    .map(
      ([name, query]) =>
        `select '${name}' as name, md5(string_agg(r::text, ',' order by r::text)) as digest from (${query}) r`,
    )
    .join(' union all ');

interface Digest {
  name: string;
  digest: string;
}

/** A digest of each table's rows. */
export async function contentOfTenant({ services }: TestApp, id: string): Promise<Record<string, string>> {
  const tables = await services.tenants.rows<{ name: string }>(id, {
    name: 'test_tables',
    text: `select relname::text as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`,
  });
  const still = tables.filter(({ name }) => !MOVING.includes(name));
  const own = Object.fromEntries(still.map(({ name }) => [name, `select * from "${name}"`]));
  const [inTenant, inControl] = await Promise.all([
    services.tenants.rows<Digest>(id, { name: 'test_content', text: digests(own) }),
    services.control.pool.query<Digest>(digests(CONTROL), [id]),
  ]);
  return Object.fromEntries([...inTenant, ...inControl.rows].map(({ name, digest }) => [name, digest]));
}
