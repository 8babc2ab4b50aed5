/** How a tenant's users sign in (contract section 6). */
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import type { Context } from '../context.ts';
import { query } from '../db/control.ts';
import { Identity } from '../entities/control/identity.ts';
import { Organization, TenantStatus } from '../entities/control/organization.ts';
import { AppError } from '../errors.ts';
import { audit, auditFailure } from './audit.ts';
import { verifyPassword } from './passwords.ts';
import { emailKey } from './rules.ts';
import { endOldest, openSession } from './sessions.ts';
import { findTenantUser, type TenantUserRow } from './tenant-users.ts';
import { LIFETIME } from './tokens.ts';

interface Account {
  id: string;
  email: string;
  passwordHash: string;
  tokenVersion: number;
  suspended: boolean;
  orgId: string;
  orgSlug: string;
  orgName: string;
  orgStatus: TenantStatus;
  orgVersion: number;
}

/**
 * Of one address, each of whose passwords is tried. Where there are more, somebody else may have made them (nobody confirms an address), and
 * which of them is meant has to be said: nobody's own is out of reach, and no attempt costs more.
 */
const MOST_TRIED = 10;

const accountsByEmail = query<Account>(
  'accounts_by_email',
  `select i.id, i.email, i.password_hash as "passwordHash", i.token_version as "tokenVersion",
          i.suspended_at is not null as suspended, o.id as "orgId", o.slug as "orgSlug", o.name as "orgName",
          o.status as "orgStatus", o.token_version as "orgVersion"
     from identities i join organizations o on o.id = i.org_id
    where lower(i.email) = $1 and ($2::text is null or o.slug = $2)
    order by i.id limit ${MOST_TRIED + 1}`,
);

export interface SignedIn {
  token: string;
  agent: TenantUserRow;
  tenant: { id: string; name: string; slug: string };
}

const REALM = 'tenant';

/**
 * Signs an agent in and sets the cookie.
 *
 * @param tenant the slug, without case, where one address belongs to several tenants.
 * @throws {AppError} unauthenticated; and, told only to someone with the right password: tenant_required,
 * tenant_suspended, user_suspended, tenant_not_ready. rate_limited after too many failures. tenant_required for an address with more accounts
 * than are tried, whatever the password.
 */
export async function login(ctx: Context, email: string, password: string, tenant?: string | null): Promise<SignedIn> {
  const find = () => ctx.rows(accountsByEmail, [emailKey(email), tenant?.toLowerCase() ?? null]);
  let accounts: Account[] = [];
  const check = async () => {
    accounts = await find();
    if (accounts.length > MOST_TRIED) throw new AppError('tenant_required');
    return matchingAccounts(accounts, password);
  };
  const refused = async () => auditTried(ctx, email, await find(), { reason: 'rate_limited' });
  const matching = await ctx.services.throttle.attempt(REALM, email, ctx, check, refused);
  const [account, another] = matching ?? [];
  if (!account) {
    await auditTried(ctx, email, accounts);
    throw new AppError('unauthenticated', { message: 'The e-mail address or the password is wrong.' });
  }
  if (another) throw new AppError('tenant_required');
  const shut = shutBecause(account);
  if (shut) {
    const { id, orgId } = account;
    const actor = { kind: 'anonymous', email } as const;
    const target = { type: 'user', id };
    await auditFailure(ctx, { action: 'user.login_refused', orgId, target, after: { reason: shut.code }, actor });
    throw shut;
  }
  return open(ctx, account);
}

/** Each organization sees who tries its accounts; where there is none, the platform does. */
async function auditTried(ctx: Context, email: string, accounts: Account[], after?: object): Promise<void> {
  const actor = { kind: 'anonymous', email } as const;
  for (const { orgId } of accounts.length > 0 ? accounts : [{ orgId: undefined }])
    await auditFailure(ctx, { action: 'user.login_failed', orgId, actor, after });
}

/** The accounts that have this password; undefined for none. */
async function matchingAccounts(accounts: Account[], password: string): Promise<Account[] | undefined> {
  if (accounts.length === 0) {
    await verifyPassword(undefined, password);
    return undefined;
  }
  const right = await Promise.all(accounts.map((account) => verifyPassword(account.passwordHash, password)));
  const matching = accounts.filter((_, index) => right[index]);
  return matching.length > 0 ? matching : undefined;
}

function shutBecause({ orgStatus, suspended }: Account): AppError | undefined {
  if (orgStatus === TenantStatus.SUSPENDED) return new AppError('tenant_suspended');
  if (suspended) return new AppError('user_suspended');
  if (orgStatus !== TenantStatus.PROVISIONING) return undefined;
  return new AppError('tenant_not_ready', { message: 'Your organization is still being set up.', retryAfter: 2 });
}

/** Whatever shuts the account out, or changes its password, waits for this, or has happened before. */
async function refuseChanged(em: EntityManager, { id, tokenVersion, orgId, orgVersion }: Account): Promise<void> {
  const identity = await em.findOne(Identity, { id }, { lockMode: LockMode.PESSIMISTIC_READ });
  const org = await em.findOne(Organization, { id: orgId });
  if (identity?.tokenVersion === tokenVersion && org?.tokenVersion === orgVersion) return;
  throw new AppError('unauthenticated', { message: 'Your account was changed at this moment: sign in again.' });
}

async function open(ctx: Context, account: Account): Promise<SignedIn> {
  const agent = await findTenantUser(ctx, account.orgId, account.id);
  if (!agent) throw new AppError('unauthenticated', { message: 'The e-mail address or the password is wrong.' });
  const caller = {
    id: account.id,
    email: account.email,
    orgId: account.orgId,
    orgSlug: account.orgSlug,
    role: agent.role,
  };
  const { id, email, orgId } = caller;
  const session = await ctx.em.transactional(async (em) => {
    await refuseChanged(em, account);
    const opened = openSession(em, ctx, { subjectId: id, email, orgId, seconds: LIFETIME.agent });
    const actor = { kind: 'agent', ...caller } as const;
    audit(em, ctx, { action: 'user.login', actor, target: { type: 'user', id }, after: { sessionId: opened.id } });
    await em.flush();
    await endOldest(em, id);
    return { id: opened.id, seconds: LIFETIME.agent };
  });
  const versions = { account: account.tokenVersion, organization: account.orgVersion };
  const token = ctx.services.tokens.forAgent(caller, versions, session);
  ctx.setCookie(token, LIFETIME.agent);
  return { token, agent, tenant: { id: account.orgId, name: account.orgName, slug: account.orgSlug } };
}
