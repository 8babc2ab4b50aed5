/** Changes that are in the tenant's database and in the control plane: an agent is in both (docs/decisions/0003). */
import type { EntityManager } from '@mikro-orm/postgresql';
import pLimit from 'p-limit';
import type { Context } from '../context.ts';
import { LOCKS } from '../db/locks.ts';

/** Each keeps a connection of the control pool while it waits for the tenant's. */
const atOnce = pLimit(5);

export interface Both {
  control: EntityManager;
  tenant: EntityManager;
  /** Goes last in the control plane's transaction, when the tenant's has been committed: for what others are told. */
  tell(work: () => Promise<void>): void;
}

/**
 * Runs a change of a tenant's people in a transaction of each database. The tenant's is committed first. What a crash
 * between the two leaves is an agent whose account is as it was before: doing the same again completes it.
 *
 * Those of one tenant go one after the other, so that two admins cannot remove each other. They wait in the control plane,
 * before they take one of the tenant's few connections: the one they wait for may need it.
 */
export async function inBoth<T>(ctx: Context, orgId: string, body: (both: Both) => Promise<T>): Promise<T> {
  // Others are not to wait for one that is being moved.
  await ctx.services.tenants.whenWritable(orgId);
  return atOnce(() =>
    ctx.em.transactional(async (control) => {
      const told: (() => Promise<void>)[] = [];
      await control.execute('select pg_advisory_xact_lock(?, hashtext(?))', [LOCKS.tenantAccounts, orgId]);
      const result = await ctx.services.tenants.work(orgId, (manager) =>
        manager.transactional(async (tenant) => {
          const made = await body({ control, tenant, tell: (work) => told.push(work) });
          // Whatever the control plane refuses is to be known before the tenant's commit.
          await control.flush();
          return made;
        }),
      );
      for (const work of told) await work();
      return result;
    }),
  );
}
