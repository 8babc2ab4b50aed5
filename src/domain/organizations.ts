/** Tenant organizations in the control plane: finding, making, changing, suspending (contract section 2). */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { EntityManager } from '@mikro-orm/postgresql';
import { newId, nowDate } from '../clock.ts';
import type { Actor, Context } from '../context.ts';
import { query, rowsWithin } from '../db/control.ts';
import type { ById } from '../db/point-reads.ts';
import { Identity } from '../entities/control/identity.ts';
import { Organization, type TenantLimits, TenantStatus } from '../entities/control/organization.ts';
import { Usage } from '../entities/control/usage.ts';
import { AppError, notFound } from '../errors.ts';
import { TenantChange } from '../live/event-log.ts';
import { type AuditSource, audit, auditRow, bySystem } from './audit.ts';
import type { PlatformAction } from './audit-actions.ts';
import { refuseUnderWay } from './offboarding/runs.ts';
import { hashPassword } from './passwords.ts';
import { refuseUnknownRegion } from './placement.ts';
import { queueProvisioning } from './provisioning.ts';
import { revoke } from './revocations.ts';
import { tellOfTenant } from './tenant-events.ts';
import { type UsageRow, usageMonthAt } from './usage.ts';

/** A tenant as it is read: entity fields, instants as text. */
export type TenantRow = Omit<Organization, 'archivedAt' | 'createdAt' | 'purgeAt' | 'tokenVersion' | 'updatedAt'> & {
  archivedAt?: string | Date | null;
  purgeAt?: string | Date | null;
  createdAt: string | Date;
  updatedAt: string | Date;
  usage?: UsageRow;
};

export const TENANT_COLUMNS = `o.id, o.name, o.slug, o.status, o.country, o.region, o.limits, o.mongo_database as "mongoDatabase",
  o.schema_version as "schemaVersion", o.archived_at as "archivedAt", o.purge_at as "purgeAt", o.created_at as "createdAt",
  o.updated_at as "updatedAt"`;

const tenantsById: ById<TenantRow> = query(
  'tenants_by_id',
  `select ${TENANT_COLUMNS} from organizations o where o.id = any($1::uuid[])`,
);

/** @throws {AppError} not_found */
export async function getTenant(ctx: Context, id: string): Promise<TenantRow> {
  const row = await ctx.row(tenantsById, id);
  if (!row) throw notFound('tenant');
  return row;
}

/** A tenant that can be worked in. @throws {AppError} not_found, tenant_archived, tenant_not_ready */
export async function getActiveTenant(ctx: Context, id: string): Promise<TenantRow> {
  const tenant = await getTenant(ctx, id);
  refuseInactive(tenant);
  return tenant;
}

/** @throws {AppError} tenant_archived, tenant_not_ready */
export function refuseInactive({ archivedAt, status }: Pick<TenantRow, 'archivedAt' | 'status'>): void {
  if (archivedAt) throw new AppError('tenant_archived');
  if (status !== TenantStatus.ACTIVE) throw new AppError('tenant_not_ready');
}

export interface NewTenant {
  name: string;
  slug: string;
  country?: string | null;
  /** Of the database server that it is to be on. */
  region?: string | null;
  limits?: TenantLimits | null;
  adminEmail?: string | null;
  adminPassword?: string | null;
}

/** Unique because slugs are; MongoDB takes names of up to 63 bytes. */
export function mongoDatabaseName(slug: string): string {
  const name = `crm_${slug}`;
  if (name.length <= 63) return name;
  return `${name.slice(0, 52)}_${createHash('sha256').update(slug).digest('hex').slice(0, 10)}`;
}

/**
 * Makes the organization and queues the making of its databases, in one transaction.
 *
 * @param actor who does it, where it is not the caller.
 * @throws {AppError} slug_taken; validation_failed for a region without a server
 */
export async function provisionTenant(ctx: Context, input: NewTenant, actor?: Actor): Promise<TenantRow> {
  const passwordHash = input.adminPassword ? await hashPassword(input.adminPassword) : undefined;
  return ctx.em.transactional(async (em) => {
    if (input.region) await refuseUnknownRegion(em, input.region);
    const now = nowDate();
    const org = em.create(Organization, {
      id: newId(),
      name: input.name,
      slug: input.slug,
      status: TenantStatus.PROVISIONING,
      country: input.country ?? null,
      region: input.region ?? null,
      limits: withoutAbsent(input.limits ?? {}),
      mongoDatabase: mongoDatabaseName(input.slug),
      schemaVersion: 0,
      tokenVersion: 0,
      createdAt: now,
      updatedAt: now,
    });
    // First of all and by itself, so that a slug that is taken is found before anything else happens.
    await em.persist(org).flush();
    const timezone = ctx.services.config.defaultTimezone;
    em.persist(
      em.create(Usage, {
        id: newId(),
        orgId: org.id,
        timezone,
        usageMonth: usageMonthAt(now, timezone),
        updatedAt: now,
      }),
    );
    if (input.adminEmail && passwordHash) {
      em.persist(
        em.create(Identity, { id: newId(), orgId: org.id, email: input.adminEmail, passwordHash, createdAt: now }),
      );
    }
    await queueProvisioning(ctx.services, em, org.id);
    audit(em, ctx, {
      action: 'tenant.provision',
      actor,
      orgId: org.id,
      target: { type: 'tenant', id: org.id },
      after: {
        ...changeable(org),
        slug: org.slug,
        country: org.country,
        region: org.region ?? undefined,
        adminEmail: input.adminEmail,
      },
    });
    await tellOfTenant(em, TenantChange.CREATED, org);
    return org;
  });
}

const changeable = ({ name, status, limits, purgeAt }: Pick<TenantRow, 'name' | 'status' | 'limits' | 'purgeAt'>) => ({
  name,
  status,
  limits: { ...limits },
  ...(purgeAt && { purgeAt }),
});

/** Leaves out the keys that have no value. */
function withoutAbsent<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined && v !== null)) as T;
}

export interface TenantChanges {
  name?: string | null;
  status?: TenantStatus | null;
  /** A merge patch: a key that is null is removed, null itself removes all. */
  limits?: { [K in keyof TenantLimits]?: number | null } | null;
}

/** A tenant that is about to change, its row locked until the end of the transaction. */
export type LockedTenant = TenantRow & { tokenVersion: number };

const lockRow = query<LockedTenant>(
  'lock_tenant',
  `select ${TENANT_COLUMNS}, o.token_version as "tokenVersion" from organizations o where o.id = $1 for update`,
);
const saveRow = query<TenantRow>(
  'save_tenant',
  `update organizations o set name = $2, limits = $3, status = $4, token_version = $5, updated_at = $6, purge_at = $7
    where o.id = $1 returning ${TENANT_COLUMNS}`,
);

/**
 * Changes are rows, not entities: a unit of work that finds out what has changed was 15 to 20 % of the CPU of renaming a tenant.
 *
 * @throws {AppError} not_found; for a change of status tenant_not_ready while it is provisioning, tenant_archived, and
 * conflict while it is being archived, restored or removed.
 */
export function updateTenant(ctx: Context, id: string, changes: TenantChanges): Promise<TenantRow> {
  return ctx.em.transactional(async (em) => {
    const org = await lockTenant(em, id);
    const former = { ...org };
    if (changes.name) org.name = changes.name;
    if (changes.limits !== undefined) {
      org.limits = changes.limits === null ? {} : (withoutAbsent({ ...org.limits, ...changes.limits }) as TenantLimits);
      await ctx.services.queue.send(em, 'tenant.apply-limits', { orgId: id });
    }
    if (changes.status) await setStatus(em, org, changes.status);
    return save(ctx, em, 'tenant.update', former, org);
  });
}

/** Shuts a tenant; doing it again changes nothing. @throws {AppError} not_found, tenant_not_ready */
export function suspendTenant(ctx: Context, id: string): Promise<TenantRow> {
  return ctx.em.transactional(async (em) => {
    const org = await lockTenant(em, id);
    if (org.status === TenantStatus.SUSPENDED) return org;
    const former = { ...org };
    await setStatus(em, org, TenantStatus.SUSPENDED);
    return save(ctx, em, 'tenant.suspend', former, org);
  });
}

/** Opens a suspended tenant whose row is as good as locked. */
export async function activateTenant(em: EntityManager, id: string): Promise<void> {
  const org = await lockTenant(em, id);
  const former = { ...org };
  await setStatus(em, org, TenantStatus.ACTIVE);
  await save(bySystem, em, 'tenant.update', former, org);
}

async function save(
  source: AuditSource,
  em: EntityManager,
  action: PlatformAction,
  former: LockedTenant,
  org: LockedTenant,
): Promise<TenantRow> {
  const { id, name, limits, status, tokenVersion, purgeAt } = org;
  const [before, after] = [changeable(former), changeable(org)];
  const [saved] = isDeepStrictEqual(before, after)
    ? [former]
    : await rowsWithin(em, saveRow, [id, name, limits, status, tokenVersion, nowDate(), purgeAt]);
  await auditRow(em, source, { action, orgId: id, target: { type: 'tenant', id }, before, after });
  await tellOfTenant(em, changeOf(former.status, status), saved!);
  return saved!;
}

function changeOf(former: TenantStatus, status: TenantStatus): TenantChange {
  if (former === status) return TenantChange.UPDATED;
  return status === TenantStatus.SUSPENDED ? TenantChange.SUSPENDED : TenantChange.RESTORED;
}

/** Locks its row until the end of the transaction. @throws {AppError} not_found */
export async function lockTenant(em: EntityManager, id: string): Promise<LockedTenant> {
  const [org] = await rowsWithin(em, lockRow, [id]);
  if (!org) throw notFound('tenant');
  return org;
}

async function setStatus(em: EntityManager, org: LockedTenant, status: TenantStatus): Promise<void> {
  if (org.status === TenantStatus.PROVISIONING) {
    throw new AppError('tenant_not_ready', {
      message: 'This organization is still being provisioned; its status cannot change yet.',
    });
  }
  if (org.status === status) return;
  if (org.archivedAt) throw new AppError('tenant_archived');
  await refuseUnderWay(em, org.id);
  org.status = status;
  // Whoever brings a tenant back does not want its end.
  org.purgeAt = null;
  const suspended = status === TenantStatus.SUSPENDED;
  if (suspended) org.tokenVersion += 1;
  // Restoring leaves the tokens from before the suspension dead; only the reason given for it changes.
  await revoke(em, {
    subjectId: org.id,
    version: org.tokenVersion,
    reason: suspended ? 'tenant_suspended' : 'credentials_changed',
  });
}
