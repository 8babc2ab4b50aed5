/** Admins that the platform gives a tenant: one that was made without any would never have somebody to make them. */
import type { Context } from '../context.ts';
import { ADMIN_ACCESS } from './access.ts';
import { makeAgent } from './agents.ts';
import { audit } from './audit.ts';
import { getActiveTenant } from './organizations.ts';
import { ADMIN_NAME } from './tenant-seeds.ts';
import { findTenantUser, type TenantUserRow } from './tenant-users.ts';

export interface NewTenantAdmin {
  email: string;
  /** At least 8 characters. */
  password: string;
  fullName?: string | null;
}

/**
 * Makes an admin in a tenant, in its database and in the control plane; each log tells of its own half.
 *
 * @throws {AppError} not_found, tenant_archived, tenant_not_ready for one that is not active, unavailable while it is being
 * moved, email_taken, limit_reached
 */
export async function createTenantAdmin(
  ctx: Context,
  tenantId: string,
  { email, password, fullName }: NewTenantAdmin,
): Promise<TenantUserRow> {
  await getActiveTenant(ctx, tenantId);
  const admin = { email, password, fullName: fullName ?? ADMIN_NAME, role: ADMIN_ACCESS.role };
  const id = await makeAgent(ctx, tenantId, ADMIN_ACCESS, admin, (em, id) => {
    const after = { email, role: admin.role };
    audit(em, ctx, { action: 'user.create', orgId: tenantId, target: { type: 'user', id }, after });
  });
  return (await findTenantUser(ctx, tenantId, id))!;
}
