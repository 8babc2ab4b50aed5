/** Who may come in after a restore: accounts go back to what they were, but nobody gets in who has been shut out since. */
import type pg from 'pg';
import { staged, unstage } from './stage.ts';

/**
 * Puts the staged accounts and keys in their place.
 *
 * - An account that is suspended now stays suspended. Its tokens' version is no lower than any that was revoked, else the next
 *   sign-in would be dead as well.
 * - Of API keys only those come back that are alive now: one that was revoked may have been revoked because it leaked. Where the
 *   tenant itself was lost nobody can have revoked any.
 *
 * @param wasThere whether the control plane knew the tenant until now.
 */
export async function restoreAccounts(
  client: pg.ClientBase,
  orgId: string,
  wasThere: boolean,
): Promise<{ accounts: number; deadKeys: number }> {
  const accounts = staged('identities');
  const keys = staged('api_keys');
  await client.query(
    `update ${accounts} r set suspended_at = coalesce(r.suspended_at, p.suspended_at),
            token_version = greatest(r.token_version, p.token_version)
       from identities p where p.id = r.id and p.org_id = $1`,
    [orgId],
  );
  await client.query(
    `update ${accounts} r set token_version = greatest(r.token_version, v.version) from revocations v where v.subject_id = r.id`,
  );
  const { rows } = await client.query<{ archived: number; present: number }>(
    `select (select count(*)::int from ${keys}) as archived, count(*)::int as present from api_keys where org_id = $1`,
    [orgId],
  );
  const { archived, present } = rows[0]!;
  // What is kept is the present row: it knows when the key was used last.
  if (wasThere) {
    await client.query(`create temporary table kept_keys on commit drop as
      select k.* from api_keys k join ${keys} r on r.id = k.id and r.hash = k.hash where k.org_id = '${orgId}'`);
    await client.query(`truncate ${keys}; insert into ${keys} select * from kept_keys`);
  }
  // Their keys go with them.
  await client.query('delete from identities where org_id = $1', [orgId]);
  await unstage(client, 'identities');
  await unstage(client, 'api_keys');
  const kept = (await client.query(`select from ${keys}`)).rowCount ?? 0;
  const { rowCount } = await client.query(`select from ${accounts}`);
  return { accounts: rowCount ?? 0, deadKeys: archived + present - 2 * kept };
}
