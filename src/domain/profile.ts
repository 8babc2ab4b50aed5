/** Who the caller is, as they are told themselves. */
import type { Context } from '../context.ts';
import { query } from '../db/control.ts';
import { AppError } from '../errors.ts';
import { findTenantUser } from './tenant-users.ts';
import type { Impersonator } from './tokens.ts';

export interface Profile {
  id: string;
  email: string;
  name: string;
  /** `super_admin`, or the agent's role. */
  role: string;
  tenantId?: string;
  tenantSlug?: string;
  impersonatedBy?: Impersonator;
}

const findName = query<{ name: string }>('super_admin_name', 'select name from super_admins where id = $1');

export async function profile(ctx: Context): Promise<Profile> {
  const { caller } = ctx;
  const { id, email } = caller;
  if (caller.kind === 'superAdmin') {
    const [row] = await ctx.rows(findName, [id]);
    if (!row) throw new AppError('unauthenticated');
    return { id, email, name: row.name, role: 'super_admin' };
  }
  const user = await findTenantUser(ctx, caller.orgId, id);
  return {
    id,
    email,
    name: user?.fullName ?? email,
    role: user?.role ?? caller.role,
    tenantId: caller.orgId,
    tenantSlug: caller.orgSlug,
    impersonatedBy: caller.impersonator,
  };
}
