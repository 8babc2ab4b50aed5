/** What super admins ask for of a tenant as a whole: its end, its archive, and the ways back. */
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Services } from '../../context.ts';
import { query, rowsWithin } from '../../db/control.ts';
import { OffboardingKind } from '../../entities/control/offboarding.ts';
import { TenantStatus } from '../../entities/control/organization.ts';
import { AppError, invalid } from '../../errors.ts';
import { TenantChange } from '../../live/event-log.ts';
import { type AuditSource, auditRow } from '../audit.ts';
import type { PlatformAction } from '../audit-actions.ts';
import { lockTenant, TENANT_COLUMNS, type TenantRow } from '../organizations.ts';
import { tellOfTenant } from '../tenant-events.ts';
import { beginRun, refuseUnderWay, refuseWhileMoved } from './runs.ts';

/** Who asks: a request's context, or a command of the operator's. */
export interface Asker extends AuditSource {
  readonly em: EntityManager;
  readonly services: Pick<Services, 'kept' | 'queue'>;
}

/** Of the countdown, in minutes. */
export const COUNTDOWN = { least: 5, usual: 30 * 24 * 60, most: 366 * 24 * 60 } as const;

const setPurge = query<TenantRow>(
  'set_purge',
  `update organizations o set purge_at = date_trunc('milliseconds', now() + make_interval(mins => $2::int)), updated_at = now()
    where o.id = $1 returning ${TENANT_COLUMNS}`,
);

/** Locks the row of a tenant that is suspended and left alone. @throws {AppError} not_found, conflict */
async function lockSuspended(em: EntityManager, id: string): Promise<TenantRow> {
  const org = await lockTenant(em, id);
  if (org.status !== TenantStatus.SUSPENDED) {
    throw new AppError('conflict', { message: 'This organization is not suspended: suspend it first.' });
  }
  await refuseUnderWay(em, id);
  await refuseWhileMoved(em, id);
  return org;
}

const isoOf = (instant: TenantRow['purgeAt']) => (instant ? new Date(instant).toISOString() : null);

async function savePurge(
  ctx: Asker,
  em: EntityManager,
  org: TenantRow,
  action: PlatformAction,
  minutes: number | null,
) {
  const [saved] = await rowsWithin(em, setPurge, [org.id, minutes]);
  await auditRow(em, ctx, {
    action,
    orgId: org.id,
    target: { type: 'tenant', id: org.id },
    before: { purgeAt: isoOf(org.purgeAt) },
    after: { purgeAt: isoOf(saved!.purgeAt) },
  });
  await tellOfTenant(em, TenantChange.UPDATED, saved!);
  return saved!;
}

/**
 * Sets the end of a suspended tenant: at that time, by the database's clock, everything of it is removed. Asked again, the
 * countdown begins anew.
 *
 * @param slug that the caller means this tenant.
 * @throws {AppError} not_found, conflict, validation_failed
 */
export function purgeTenant(ctx: Asker, id: string, slug: string, minutes: number): Promise<TenantRow> {
  return ctx.em.transactional(async (em) => {
    const org = await lockSuspended(em, id);
    if (slug !== org.slug) throw invalid('slug', 'is not the slug of this organization');
    return savePurge(ctx, em, org, 'tenant.schedule_purge', minutes);
  });
}

/** Calls the end off, until it has begun; where there is none, nothing changes. @throws {AppError} not_found, conflict */
export function cancelPurge(ctx: Asker, id: string): Promise<TenantRow> {
  return ctx.em.transactional(async (em) => {
    const org = await lockTenant(em, id);
    if (!org.purgeAt) return org;
    // Other work puts the end off, and has to leave time to call it off.
    await refuseUnderWay(em, id, OffboardingKind.PURGE);
    return savePurge(ctx, em, org, 'tenant.cancel_purge', null);
  });
}

const requester = ({ actor }: Asker) => ('email' in actor ? actor.email : undefined);

/** Archives a suspended tenant in the background. @throws {AppError} not_found, conflict, tenant_archived */
export function archiveTenant(ctx: Asker, id: string): Promise<TenantRow> {
  return ctx.em.transactional(async (em) => {
    const org = await lockSuspended(em, id);
    if (org.archivedAt) throw new AppError('tenant_archived', { message: 'This organization is archived already.' });
    ctx.services.kept.refuseFleeting();
    await beginRun(em, ctx.services.queue, { orgId: id, kind: OffboardingKind.ARCHIVE, requestedBy: requester(ctx) });
    await auditRow(em, ctx, { action: 'tenant.archive', orgId: id, target: { type: 'tenant', id } });
    await tellOfTenant(em, TenantChange.UPDATED, org);
    return org;
  });
}

/** Restores an archived tenant in the background. @param activate whether it is to be active then. @throws {AppError} not_found, conflict */
export function unarchiveTenant(ctx: Asker, id: string, activate: boolean): Promise<TenantRow> {
  return ctx.em.transactional(async (em) => {
    const org = await lockSuspended(em, id);
    if (!org.archivedAt) throw new AppError('conflict', { message: 'This organization is not archived.' });
    const requestedBy = requester(ctx);
    await beginRun(em, ctx.services.queue, { orgId: id, kind: OffboardingKind.RESTORE, activate, requestedBy });
    await auditRow(em, ctx, {
      action: 'tenant.unarchive',
      orgId: id,
      target: { type: 'tenant', id },
      after: { activate },
    });
    // Whoever wants it active does not want its end, however the restore ends.
    if (activate && org.purgeAt) return savePurge(ctx, em, org, 'tenant.cancel_purge', null);
    await tellOfTenant(em, TenantChange.UPDATED, org);
    return org;
  });
}
