/** What is told of tenants and of their making, in the transaction of each change, and to whom. */
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Context } from '../context.ts';
import { query } from '../db/control.ts';
import type { Provisioning } from '../entities/control/provisioning-run.ts';
import { notFound } from '../errors.ts';
import { publish, publishAll, type TenantChange } from '../live/event-log.ts';
import type { Feed } from '../live/feed.ts';
import { type Followed, follow, NEWEST_EVENT } from '../live/follow.ts';
import type { TenantCounts } from './health.ts';
import type { TenantRow } from './organizations.ts';
import { provisioningNow } from './provisioning-state.ts';

/** Goes last in the transaction of the change. */
export async function tellOfTenant(em: EntityManager, change: TenantChange, org: TenantRow): Promise<void> {
  // First, so that the event carries what the database will hold.
  await em.flush();
  const { id, name, slug, status, country, region, limits, mongoDatabase, schemaVersion } = org;
  const { archivedAt, purgeAt, createdAt, updatedAt } = org;
  const tenant = {
    id,
    name,
    slug,
    status,
    country,
    region,
    limits,
    mongoDatabase,
    schemaVersion,
    archivedAt,
    purgeAt,
    createdAt,
    updatedAt,
    // All that a reader of the tenant itself is told; its usage is asked for.
  } satisfies Record<keyof Omit<TenantRow, 'usage'>, unknown>;
  await publish(em, 'tenant', { tenantId: id, change, tenant });
}

/** The same of a tenant's run: each state that it has gone through. */
export function tellOfProvisioning(em: EntityManager, orgId: string, states: Provisioning[]): Promise<void> {
  const payloads = states.map((provisioning) => ({ tenantId: orgId, provisioning }));
  return publishAll(em, 'provisioning', payloads);
}

const tenantCounts = query<TenantCounts & { seq: number }>(
  'tenant_counts',
  `select count(*)::int as total, (count(*) filter (where status = 'active'))::int as active,
          (count(*) filter (where status = 'suspended'))::int as suspended, ${NEWEST_EVENT} as seq
     from organizations`,
);

export type TenantFeed = Feed<Followed<'tenant', TenantCounts>>;

/** All tenants: how many there are, then every change. @throws {AppError} validation_failed */
export function followTenants(ctx: Context, after?: number | null): Promise<TenantFeed> {
  return follow(ctx.services, {
    topic: 'tenant',
    after,
    overflow: ctx.tooSlow,
    async snapshot() {
      const [{ seq, ...now }] = (await ctx.rows(tenantCounts, [])) as [TenantCounts & { seq: number }];
      return { seq, now };
    },
  });
}

export type ProvisioningFeed = Feed<Followed<'provisioning', Provisioning>>;

/** How a tenant's making stands, then every step of it. @throws {AppError} not_found, validation_failed */
export async function followProvisioning(
  ctx: Context,
  orgId: string,
  after?: number | null,
): Promise<ProvisioningFeed> {
  const snapshot = async () => {
    const found = await provisioningNow(ctx, orgId);
    if (!found) throw notFound('tenant');
    return found;
  };
  // What is not there is said at once. One that was removed meanwhile still has events to tell.
  if (after == null) await snapshot();
  return follow(ctx.services, {
    topic: 'provisioning',
    tenantId: orgId,
    after,
    overflow: ctx.tooSlow,
    snapshot,
  });
}
