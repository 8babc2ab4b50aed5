/** A tenant's users, as super admins look after them. */
import { LockMode } from '@mikro-orm/postgresql';
import type { Context } from '../context.ts';
import { query } from '../db/control.ts';
import { Identity } from '../entities/control/identity.ts';
import { TenantStatus } from '../entities/control/organization.ts';
import type { RevocationReason } from '../entities/control/revocation.ts';
import { AppError, notFound } from '../errors.ts';
import { audit } from './audit.ts';
import type { PlatformAction } from './audit-actions.ts';
import { activate, setPassword, suspend } from './identities.ts';
import { getTenant, type TenantRow } from './organizations.ts';
import { hashPassword } from './passwords.ts';
import { revoke } from './revocations.ts';

/** An agent as it is read. */
export interface TenantUserRow {
  id: string;
  email: string;
  fullName: string;
  role: string;
  isOnline: boolean;
  lastSeenAt?: string | null;
  createdAt: string;
}

/** Of `agents a join roles r`. */
export const AGENT_COLUMNS = `a.id, a.email, a.full_name as "fullName", r.name as role, a.is_online as "isOnline",
  a.last_seen_at as "lastSeenAt", a.created_at as "createdAt"`;

const usersPage = query<TenantUserRow>(
  'users',
  `select ${AGENT_COLUMNS} from agents a join roles r on r.id = a.role_id
    where a.deleted_at is null and ($1::uuid is null or a.id > $1)
      and ($2::text is null or position(lower($2) in lower(a.email)) > 0 or position(lower($2) in lower(a.full_name)) > 0)
    order by a.id limit $3`,
);
const findUser = query<TenantUserRow>(
  'user',
  `select ${AGENT_COLUMNS} from agents a join roles r on r.id = a.role_id where a.id = $1 and a.deleted_at is null`,
);

/** @throws {AppError} not_found, tenant_not_ready before its database exists, tenant_archived when it does not any more. */
export async function tenantWithDatabase(ctx: Context, tenantId: string): Promise<TenantRow> {
  const tenant = await getTenant(ctx, tenantId);
  if (tenant.status === TenantStatus.PROVISIONING) {
    throw new AppError('tenant_not_ready', { message: 'This organization is still being provisioned.', retryAfter: 2 });
  }
  if (tenant.archivedAt) throw new AppError('tenant_archived');
  return tenant;
}

export interface UserPage {
  limit: number | null;
  after?: string | null;
  /** Literal text in the e-mail address or the name, without case. */
  search?: string | null;
}

export async function listTenantUsers(ctx: Context, tenantId: string, page: UserPage): Promise<TenantUserRow[]> {
  await tenantWithDatabase(ctx, tenantId);
  return ctx.services.tenants.rows(tenantId, usersPage, [page.after ?? null, page.search || null, page.limit]);
}

/** One agent's row, if the tenant has it. */
export async function findTenantUser(
  ctx: Context,
  tenantId: string,
  userId: string,
): Promise<TenantUserRow | undefined> {
  const [user] = await ctx.services.tenants.rows(tenantId, findUser, [userId]);
  return user;
}

/**
 * Changes one identity of the tenant, with its audit entry.
 *
 * @param change says why older tokens are dead now, if they are.
 * @throws {AppError} not_found for another tenant's as well.
 */
async function changeIdentity(
  ctx: Context,
  tenantId: string,
  userId: string,
  action: PlatformAction,
  change: (identity: Identity) => RevocationReason | undefined,
): Promise<string> {
  await tenantWithDatabase(ctx, tenantId);
  return ctx.em.transactional(async (em) => {
    const identity = await em.findOne(
      Identity,
      { id: userId, orgId: tenantId },
      { lockMode: LockMode.PESSIMISTIC_WRITE },
    );
    if (!identity) throw notFound('user in this tenant');
    const before = { suspended: !!identity.suspendedAt };
    const reason = change(identity);
    const after = { suspended: !!identity.suspendedAt };
    audit(em, ctx, { action, orgId: tenantId, target: { type: 'user', id: userId }, before, after });
    if (reason) await revoke(em, { subjectId: userId, version: identity.tokenVersion, reason });
    return userId;
  });
}

/** Also ends the user's tokens. */
export async function resetTenantUserPassword(
  ctx: Context,
  tenantId: string,
  userId: string,
  newPassword: string,
): Promise<string> {
  const passwordHash = await hashPassword(newPassword);
  return changeIdentity(ctx, tenantId, userId, 'user.reset_password', (identity) =>
    setPassword(identity, passwordHash),
  );
}

/**
 * Ends the user's tokens and keeps them out; doing it again changes nothing. The last admin as well: the platform has
 * other ways back in.
 */
export function suspendTenantUser(ctx: Context, tenantId: string, userId: string): Promise<string> {
  return changeIdentity(ctx, tenantId, userId, 'user.suspend', suspend);
}

/** Lets a suspended user in again, with a new sign-in; doing it again changes nothing. */
export function activateTenantUser(ctx: Context, tenantId: string, userId: string): Promise<string> {
  return changeIdentity(ctx, tenantId, userId, 'user.activate', activate);
}
