/** The login roles of tenants: what makes one, and what every session of one is held to. */
import pg from 'pg';
import { scramVerifier } from './scram.ts';
import { groupName } from './tenant-names.ts';

const quote = pg.escapeIdentifier;

/** At most this many connections to one tenant's database, from all processes. */
export const CONNECTION_LIMIT = 40;

/** Whoever waits for a lock that nobody gives back, or holds one and does nothing, is ended by the server. */
const SETTINGS = { timezone: 'UTC', lock_timeout: '5s', idle_in_transaction_session_timeout: '10s' };

/** As options of a connection. */
export const TENANT_OPTIONS = Object.entries(SETTINGS)
  .map(([name, value]) => `-c ${name}=${value}`)
  .join(' ');

/** As settings of the role: a pooler has connections of its own, to which no client's options apply. */
export const roleSettings = (role: string): string =>
  Object.entries(SETTINGS)
    .map(([name, value]) => `alter role ${quote(role)} set ${name} = ${pg.escapeLiteral(value)}`)
    .join('; ');

/** What makes a tenant's login role, and what gives one that is there this password. @param code the installation's. */
export async function roleStatements(
  code: string,
  name: string,
  password: string,
): Promise<{ create: string; alter: string }> {
  const role = quote(name);
  const secret = `password ${pg.escapeLiteral(await scramVerifier(password))}`;
  const more = `grant ${quote(groupName(code))} to ${role}; ${roleSettings(name)}`;
  return {
    create: `create role ${role} login connection limit ${CONNECTION_LIMIT} ${secret}; ${more}`,
    alter: `alter role ${role} login ${secret}; ${more}`,
  };
}

/** Gives roles their settings that an older version made without. @param pool to the server. */
export async function settleRoles(pool: pg.Pool, code: string): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `select rolname as name from pg_roles r
      where starts_with(rolname, $1) and not exists (
        select from pg_db_role_setting where setrole = r.oid and setdatabase = 0
           and setconfig @> array['lock_timeout=${SETTINGS.lock_timeout}'])`,
    [`${groupName(code)}_`],
  );
  for (const { name } of rows) await pool.query(roleSettings(name));
}
