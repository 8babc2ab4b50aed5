/** Who is let in at the time of a restore: what a backup brings back is held to it. */
import type pg from 'pg';
import { installationOf } from './tables.ts';

interface StandingTenant {
  /** Accounts that are not suspended. */
  accounts: string[];
  /** Hashes of API keys. */
  keys: string[];
}

export interface Standing {
  /** By id; those that have accounts. Of others everything is lost: nobody can have been shut out of them. */
  tenants: Map<string, StandingTenant>;
  suspendedTenants: string[];
  superAdmins: string[];
}

/** @param client in a control database of this version, or in an empty one. @param orgId the only tenant that matters. */
export async function readStanding(client: pg.ClientBase, orgId?: string): Promise<Standing> {
  if (!(await installationOf(client))) return { tenants: new Map(), suspendedTenants: [], superAdmins: [] };
  const { rows } = await client.query<StandingTenant & { id: string }>(
    `select org_id as id, coalesce(array_agg(id::text) filter (where suspended_at is null), '{}') as accounts,
            array(select hash from api_keys k where k.org_id = i.org_id) as keys
       from identities i where $1::uuid is null or org_id = $1 group by org_id`,
    [orgId],
  );
  const idsOf = async (from: string) => {
    const { rows: ids } = await client.query<{ id: string }>(`select id from ${from}`);
    return ids.map(({ id }) => id);
  };
  return {
    tenants: new Map(rows.map(({ id, ...tenant }) => [id, tenant])),
    suspendedTenants: await idsOf("organizations where status = 'suspended'"),
    superAdmins: await idsOf('super_admins'),
  };
}

export interface ShutOut {
  /** Accounts that came back suspended as they are suspended or deleted now. */
  suspended: number;
  /** API keys that did not come back. */
  deadKeys: number;
}

/** Shuts out of a tenant's restored accounts and keys who is shut out now. @param tables that hold them. */
export async function shutOut(
  client: pg.ClientBase,
  orgId: string,
  { accounts, keys }: StandingTenant,
  tables = { accounts: 'identities', keys: 'api_keys' },
): Promise<ShutOut> {
  const suspended = await client.query(
    `update ${tables.accounts} set suspended_at = now() where org_id = $1 and suspended_at is null and id <> all($2::uuid[])`,
    [orgId, accounts],
  );
  const dead = await client.query(`delete from ${tables.keys} where org_id = $1 and hash <> all($2::text[])`, [
    orgId,
    keys,
  ]);
  return { suspended: suspended.rowCount ?? 0, deadKeys: dead.rowCount ?? 0 };
}

/** The same for a whole control plane: also for tenants, and for those who run the platform. */
export async function shutOutOfControl(client: pg.ClientBase, standing: Standing): Promise<void> {
  for (const [orgId, tenant] of standing.tenants) await shutOut(client, orgId, tenant);
  await client.query(`update organizations set status = 'suspended' where status = 'active' and id = any($1::uuid[])`, [
    standing.suspendedTenants,
  ]);
  // Where none is left the gateway makes the first one anew.
  if (standing.superAdmins.length > 0)
    await client.query('delete from super_admins where id <> all($1::uuid[])', [standing.superAdmins]);
}
