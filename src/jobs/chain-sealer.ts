/** Links the entries of the audit logs soon after they are written; which process does it does not matter. */
import type { Services } from '../context.ts';
import { type Chain, controlChain, headOf, linkEntries, tenantChain } from '../domain/audit-chain.ts';

export const SEAL_MS = 1000;

/** One round for the control plane's own log. */
export async function sealControl({ control, keys }: Services): Promise<void> {
  const client = await control.pool.connect();
  let failed = true;
  try {
    const { rows } = await client.query('select exists (select from audit_unlinked) as waiting');
    if (rows[0]!.waiting) await linkEntries(client, controlChain, keys);
    failed = false;
  } finally {
    client.release(failed);
  }
}

/** Links what waits in a tenant's log, and lets the control plane know the end of its chain. */
export async function sealTenant({ cluster, control, keys, log }: Services, orgId: string): Promise<void> {
  const chain = tenantChain(orgId);
  const known = await control.pool.query<{ seq: string; hash: string }>(
    `select seq::text, encode(hash, 'hex') as hash from activity_heads where org_id = $1`,
    [orgId],
  );
  const head = await cluster.asOwner(cluster.nameFor(orgId), async (client) => {
    await linkEntries(client, chain, keys);
    if (known.rows[0] && !(await holds(client, chain, known.rows[0]))) return undefined;
    return headOf(client, chain);
  });
  if (!head) {
    // What is known stays known, for whoever verifies.
    if (known.rows[0]) log.error({ orgId }, 'the activity log of a tenant was tampered with: run npm run audit:verify');
    return;
  }
  await control.pool.query(
    `insert into activity_heads as known (org_id, seq, hash)
     select id, $2::bigint, decode($3, 'hex') from organizations where id = $1
     on conflict (org_id) do update set seq = excluded.seq, hash = excluded.hash where known.seq < excluded.seq`,
    [orgId, head.seq, head.hash.toString('hex')],
  );
}

/** Whether the chain still has the link that was its end. */
async function holds(
  client: Parameters<typeof headOf>[0],
  { links }: Chain,
  { seq, hash }: { seq: string; hash: string },
): Promise<boolean> {
  const { rowCount } = await client.query(`select from ${links} where seq = $1 and hash = decode($2, 'hex')`, [
    seq,
    hash,
  ]);
  return rowCount === 1;
}
