/** Fifteen-minute tokens for a tenant's side that carry the super admin behind them (contract section 2). */
import type { Context } from '../context.ts';
import { query } from '../db/control.ts';
import { Organization, TenantStatus } from '../entities/control/organization.ts';
import type { SuperAdmin } from '../entities/control/super-admin.ts';
import { AppError, notFound } from '../errors.ts';
import { audit } from './audit.ts';
import type { PlatformAction } from './audit-actions.ts';
import { getActiveTenant } from './organizations.ts';
import { openSession } from './sessions.ts';
import { stillSuperAdmin } from './super-admins.ts';
import { findTenantUser } from './tenant-users.ts';
import { LIFETIME } from './tokens.ts';

/** What the super admin says of it. */
export interface ImpersonationWish {
  /** Kept with the session and in the logs. */
  reason?: string | null;
  /** To look at everything and change nothing. */
  readOnly?: boolean | null;
}

export interface ImpersonationToken {
  token: string;
  expiresInSeconds: number;
  orgId: string;
  orgSlug: string;
  agentId: string;
  email: string;
  role: string;
}

interface Subject {
  id: string;
  email: string;
  role: string;
  tokenVersion: number;
}

const firstAdmin = query<{ id: string }>(
  'first_admin',
  `select a.id from agents a join roles r on r.id = a.role_id
    where r.name = 'admin' and a.deleted_at is null and a.id <> all ($1::uuid[]) order by a.id limit 1`,
);
const suspendedUsers = query<{ id: string }>(
  'suspended_users',
  'select id from identities where org_id = $1 and suspended_at is not null',
);
const identity = query<{ email: string; tokenVersion: number; suspended: boolean }>(
  'identity',
  `select email, token_version as "tokenVersion", suspended_at is not null as suspended
     from identities where id = $1 and org_id = $2`,
);

/**
 * A token with the rights of the tenant's admin role. It speaks for the oldest admin who is not suspended; in a tenant
 * that has none, for the super admin alone.
 *
 * @throws {AppError} not_found, tenant_not_ready
 */
export async function impersonateTenant(
  ctx: Context,
  tenantId: string,
  wish: ImpersonationWish,
): Promise<ImpersonationToken> {
  await getActiveTenant(ctx, tenantId);
  const suspended = await ctx.rows(suspendedUsers, [tenantId]);
  const [admin] = await ctx.services.tenants.rows(tenantId, firstAdmin, [suspended.map(({ id }) => id)]);
  const [account] = admin ? await ctx.rows(identity, [admin.id, tenantId]) : [];
  return issue(ctx, tenantId, 'tenant.impersonate', wish, async (me) =>
    admin && account && !account.suspended ? { ...admin, ...account, role: 'admin' } : { ...me, role: 'admin' },
  );
}

/** @throws {AppError} not_found, tenant_not_ready, conflict for a suspended user. */
export async function impersonateTenantUser(
  ctx: Context,
  tenantId: string,
  userId: string,
  wish: ImpersonationWish,
): Promise<ImpersonationToken> {
  await getActiveTenant(ctx, tenantId);
  const [account] = await ctx.rows(identity, [userId, tenantId]);
  const user = account && (await findTenantUser(ctx, tenantId, userId));
  if (!account || !user) throw notFound('user in this tenant');
  if (account.suspended) {
    throw new AppError('conflict', { message: 'This user is suspended and cannot be impersonated.' });
  }
  const subject = { ...account, id: userId, role: user.role };
  return issue(ctx, tenantId, 'user.impersonate', wish, async () => subject);
}

async function issue(
  ctx: Context,
  tenantId: string,
  action: PlatformAction,
  { reason, readOnly }: ImpersonationWish,
  subjectFor: (me: SuperAdmin) => Promise<Subject>,
): Promise<ImpersonationToken> {
  return ctx.em.transactional(async (em) => {
    const me = await stillSuperAdmin(em, ctx);
    // Its state and its version in one read: a suspension after it kills the token, one before it refuses it here.
    const org = await em.findOneOrFail(Organization, tenantId);
    if (org.status !== TenantStatus.ACTIVE) throw new AppError('tenant_not_ready');
    const subject = await subjectFor(me);
    const agent = { id: subject.id, email: subject.email, orgId: org.id, orgSlug: org.slug, role: subject.role };
    const seconds = LIFETIME.impersonation;
    const session = openSession(em, ctx, {
      subjectId: subject.id,
      email: subject.email,
      orgId: org.id,
      seconds,
      impersonator: { id: me.id, email: me.email },
      reason,
      readOnly: readOnly ?? false,
    });
    const token = ctx.services.tokens.forAgent(
      agent,
      { account: subject.tokenVersion, organization: org.tokenVersion },
      { id: session.id, seconds, readOnly: session.readOnly },
      { id: me.id, email: me.email, tokenVersion: me.tokenVersion },
    );
    const after = { role: subject.role, sessionId: session.id, reason: session.reason, readOnly: session.readOnly };
    audit(em, ctx, { action, orgId: org.id, target: { type: 'user', id: subject.id }, after });
    return {
      token,
      expiresInSeconds: LIFETIME.impersonation,
      orgId: org.id,
      orgSlug: org.slug,
      agentId: subject.id,
      email: subject.email,
      role: subject.role,
    };
  });
}
