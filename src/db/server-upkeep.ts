/** What a server allows, and what is taken back from one that is given up. */
import pg from 'pg';
import { dropDatabase } from './drop-database.ts';
import type { TenantCluster } from './tenant-cluster.ts';
import { groupName, templatePrefix, warmPrefix } from './tenant-names.ts';

const quote = pg.escapeIdentifier;
/** Beneath this a process could not work at all. */
const FEWEST = 4;

/**
 * Connections that one process may have to the tenants' databases of a server: four fifths of what the server allows, because there
 * are others, without what is needed otherwise.
 */
export async function roomForTenants(pool: pg.Pool, otherwise: number): Promise<number> {
  const { rows } = await pool.query<{ usable: number }>(
    `select sum(case name when 'max_connections' then setting::int else -setting::int end)::int as usable from pg_settings
      where name in ('max_connections', 'superuser_reserved_connections', 'reserved_connections')`,
  );
  return Math.max(FEWEST, Math.floor(rows[0]!.usable * 0.8) - otherwise);
}

/** Removes the template, the group role and the databases that were prepared for tenants to come: nobody's data. */
export async function clearServer({ pool, code }: Pick<TenantCluster, 'pool' | 'code'>): Promise<void> {
  const named = async (text: string, values: string[]) => (await pool.query<{ name: string }>(text, values)).rows;
  const databases = await named(
    'select datname as name from pg_database where starts_with(datname, $1) or starts_with(datname, $2)',
    [templatePrefix(code), warmPrefix(code)],
  );
  for (const { name } of databases) await dropDatabase(pool, name);
  const roles = await named('select rolname as name from pg_roles where starts_with(rolname, $1)', [warmPrefix(code)]);
  for (const { name } of [...roles, { name: groupName(code) }]) await pool.query(`drop role if exists ${quote(name)}`);
}
