/** Putting sessions out, also for a role that is no superuser. */
import pg from 'pg';
import { databaseError } from '../errors.ts';

const INSUFFICIENT_PRIVILEGE = '42501';
/** How long the server waits for each of them to be gone. */
const GONE_MS = 5000;

/**
 * Ends the sessions that a condition on `pg_stat_activity` names, and waits until they are gone.
 *
 * @param condition SQL over the columns of that view, with `$1`, `$2`, ... for the values.
 * @returns how many there were.
 */
export async function endSessions(client: pg.ClientBase, condition: string, values: unknown[]): Promise<number> {
  const theirs = `pg_stat_activity where pid <> pg_backend_pid() and (${condition})`;
  const end = () => client.query(`select pg_terminate_backend(pid, ${GONE_MS}) from ${theirs}`, values);
  try {
    return (await end()).rowCount ?? 0;
  } catch (error) {
    if (databaseError(error)?.code !== INSUFFICIENT_PRIVILEGE) throw error;
    // Who is no superuser may end sessions only of roles that it belongs to.
    const { rows } = await client.query<{ role: string }>(
      `select distinct usename::text as role from ${theirs} and not pg_has_role(current_user, usename, 'usage')`,
      values,
    );
    for (const { role } of rows) await client.query(`grant ${pg.escapeIdentifier(role)} to current_user`);
    const { rowCount } = await end();
    for (const { role } of rows) await client.query(`revoke ${pg.escapeIdentifier(role)} from current_user`);
    return rowCount ?? 0;
  }
}

/** Lets the gateway's own role see all of another role's sessions, also where it is no superuser. */
export async function belongTo(client: pg.ClientBase, role: string): Promise<void> {
  const { rowCount } = await client.query(`select where not pg_has_role(current_user, $1, 'usage')`, [role]);
  if (rowCount) await client.query(`grant ${pg.escapeIdentifier(role)} to current_user`);
}

/** Takes back what `belongTo` has given. */
export async function belongToNoMore(client: pg.ClientBase, role: string): Promise<void> {
  const { rowCount } = await client.query(
    `select from pg_auth_members where roleid = $1::text::regrole and member = current_user::regrole
        and grantor = current_user::regrole`,
    [pg.escapeIdentifier(role)],
  );
  if (rowCount) await client.query(`revoke ${pg.escapeIdentifier(role)} from current_user`);
}
