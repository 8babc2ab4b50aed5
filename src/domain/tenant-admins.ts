/** Admins that the platform gives a tenant: above all one that was made without any, which nobody could sign in to. */
import { LockMode } from '@mikro-orm/postgresql';
import type { Context } from '../context.ts';
import { Organization } from '../entities/control/organization.ts';
import { notFound } from '../errors.ts';
import { ADMIN_ACCESS } from './access.ts';
import { makeAgent } from './agents.ts';
import { audit } from './audit.ts';
import { getActiveTenant, refuseInactive } from './organizations.ts';
import { stillSuperAdmin } from './super-admins.ts';
import { ADMIN_NAME } from './tenant-seeds.ts';
import { findTenantUser, type TenantUserRow } from './tenant-users.ts';

export interface NewTenantAdmin {
  email: string;
  /** At least 8 characters. */
  password: string;
  fullName?: string | null;
}

/**
 * Makes an admin in a tenant, in its database and in the control plane; each log tells of its own half. Hashing, and a tenant that is
 * being moved, take their time: who asks and what became of the tenant is looked at once more in the transaction.
 *
 * @throws {AppError} not_found, tenant_archived, tenant_not_ready for one that is not active, unavailable while it is being
 * moved, email_taken, limit_reached, unauthenticated
 */
export async function createTenantAdmin(
  ctx: Context,
  tenantId: string,
  { email, password, fullName }: NewTenantAdmin,
): Promise<TenantUserRow> {
  await getActiveTenant(ctx, tenantId);
  const admin = { email, password, fullName: fullName ?? ADMIN_NAME, role: ADMIN_ACCESS.role };
  const id = await makeAgent(ctx, tenantId, ADMIN_ACCESS, admin, async (em, id) => {
    await stillSuperAdmin(em, ctx);
    refuseInactive(await em.findOneOrFail(Organization, tenantId, { lockMode: LockMode.PESSIMISTIC_READ }));
    const after = { email, fullName: admin.fullName, role: admin.role };
    audit(em, ctx, { action: 'user.create', orgId: tenantId, target: { type: 'user', id }, after });
  });
  const made = await findTenantUser(ctx, tenantId, id);
  // Somebody may have removed them at once.
  if (!made) throw notFound('user in this tenant');
  return made;
}
