/** Who may come in after a restore: accounts go back to what they were, but nobody gets in who has been shut out since. */
import type pg from 'pg';
import { staged, unstage } from './stage.ts';
import { type ShutOut, type Standing, shutOut } from './standing.ts';

export interface RestoredAccounts extends ShutOut {
  accounts: number;
}

/**
 * Puts the staged accounts and keys in their place.
 *
 * - An account that is suspended now stays suspended, and one that was deleted since comes back suspended. Its tokens' version is
 *   no lower than any that was revoked, else the next sign-in would be dead as well.
 * - Of API keys only those come back that are alive now: one that was revoked may have been revoked because it leaked.
 *
 * @param standing who is let in now; absent where the tenant or all of its accounts are lost: nobody can have been shut out.
 */
export async function restoreAccounts(
  client: pg.ClientBase,
  orgId: string,
  standing: ReturnType<Standing['tenants']['get']>,
): Promise<RestoredAccounts> {
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
  const out = standing ? await shutOut(client, orgId, standing, { accounts, keys }) : { suspended: 0, deadKeys: 0 };
  // Also dead: what was made since.
  const { rowCount: newer } = await client.query(
    `select from api_keys k where k.org_id = $1 and not exists (select from ${keys} r where r.hash = k.hash)`,
    [orgId],
  );
  await client.query(
    `update ${keys} r set last_used_at = k.last_used_at from api_keys k where k.id = r.id and k.hash = r.hash`,
  );
  // Their keys go with them.
  await client.query('delete from identities where org_id = $1', [orgId]);
  await unstage(client, 'identities');
  await unstage(client, 'api_keys');
  const { rowCount } = await client.query(`select from ${accounts}`);
  return { accounts: rowCount ?? 0, suspended: out.suspended, deadKeys: out.deadKeys + (newer ?? 0) };
}
