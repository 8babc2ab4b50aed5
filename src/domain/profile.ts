/** Who the caller is, as they are told themselves. */
import type { Context } from '../context.ts';
import { query } from '../db/control.ts';
import { TenantStatus } from '../entities/control/organization.ts';
import { AppError } from '../errors.ts';
import { ALL_PERMISSIONS, SYSTEM_ROLES, type TenantPermission } from './permissions.ts';
import { findTenantUser } from './tenant-users.ts';
import type { Impersonator } from './tokens.ts';

export interface Profile {
  id: string;
  email: string;
  name: string;
  /** `super_admin`, or the agent's role. */
  role: string;
  permissions: readonly TenantPermission[];
  tenantId?: string;
  tenantSlug?: string;
  tenantStatus?: TenantStatus;
  impersonatedBy?: Impersonator;
  readOnly?: boolean;
  apiKey?: { id: string; name: string };
}

const findName = query<{ name: string }>('super_admin_name', 'select name from super_admins where id = $1');

/** Works also while the tenant's database is being made. @throws {AppError} unauthenticated for one who is no more. */
export async function profile(ctx: Context): Promise<Profile> {
  const { caller } = ctx;
  const { id, email } = caller;
  if (caller.kind === 'superAdmin') {
    const [row] = await ctx.rows(findName, [id]);
    if (!row) throw new AppError('unauthenticated');
    return { id, email, name: row.name, role: 'super_admin', permissions: [] };
  }
  const { orgId, orgSlug, role, impersonator, readOnly, apiKey } = caller;
  const tenantStatus = await ctx.services.directory.statusOf(orgId);
  const tenant = { tenantId: orgId, tenantSlug: orgSlug, tenantStatus };
  if (tenantStatus === TenantStatus.PROVISIONING) {
    return { id, email, name: email, role, permissions: SYSTEM_ROLES[role] ?? [], ...tenant };
  }
  const [access, user] = await Promise.all([ctx.access(), findTenantUser(ctx, orgId, id)]);
  return {
    id,
    email,
    name: user?.fullName ?? email,
    role: access.role,
    permissions: ALL_PERMISSIONS.filter((permission) => access.permissions.has(permission)),
    ...tenant,
    impersonatedBy: impersonator,
    readOnly,
    apiKey,
  };
}
