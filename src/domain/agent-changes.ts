/** Changes to the people of a tenant: nobody reaches beyond their own rights, and an admin is always left. */
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { nowDate } from '../clock.ts';
import { type Context, tenantUser } from '../context.ts';
import { Identity } from '../entities/control/identity.ts';
import { Agent } from '../entities/tenant/agent.ts';
import { Role } from '../entities/tenant/role.ts';
import { AppError, notFound } from '../errors.ts';
import { publish } from '../live/event-log.ts';
import { type AgentRow, getAgent, target } from './agents.ts';
import { audit, tenantAudit } from './audit.ts';
import { inBoth } from './both-databases.ts';
import { activate, setPassword, suspend } from './identities.ts';
import { hashPassword } from './passwords.ts';
import { permissionsOf, TenantPermission } from './permissions.ts';
import { revoke } from './revocations.ts';
import { grantableRole, refuseBeyond } from './roles.ts';
import type { Caller } from './tokens.ts';

/**
 * An impersonation changes no password (contract section 2), and an API key not that of its maker: it would make itself a
 * person.
 */
function refusePassword({ id, impersonator, apiKey }: Extract<Caller, { kind: 'agent' }>, agentId: string): void {
  if (impersonator) {
    throw new AppError('forbidden', { message: 'Nobody changes a password while impersonating.' });
  }
  if (apiKey && id === agentId) {
    throw new AppError('forbidden', { message: 'An API key does not change the password of its maker.' });
  }
}

export interface AgentPatch {
  email?: string | null;
  fullName?: string | null;
  password?: string | null;
  /** A role's name. */
  role?: string | null;
  isActive?: boolean | null;
}

/**
 * A merge patch. A new password, and deactivating, end the agent's sessions.
 *
 * @throws {AppError} not_found; email_taken; last_admin; forbidden for an agent, or a role, beyond the caller's own rights,
 * and for a password that `refusePassword` refuses.
 */
export async function updateAgent(ctx: Context, id: string, patch: AgentPatch): Promise<AgentRow> {
  const access = await ctx.access();
  const me = tenantUser(ctx);
  if (patch.password) refusePassword(me, id);
  const passwordHash = patch.password ? await hashPassword(patch.password) : undefined;
  const change = inBoth(ctx, me.orgId, async ({ control, tenant, tell }) => {
    const { agent, identity, role } = await lockAgent(control, tenant, me.orgId, id);
    if (!agent || !identity || !role) throw notFound('agent');
    refuseBeyond(access, permissionsOf(role));
    const before = { agent: facts(agent, role), account: accountFacts(identity) };
    const newRole = patch.role ? await grantableRole(tenant, access, patch.role) : role;
    const demoted = role.name === ADMIN && newRole.id !== role.id;
    if (demoted || patch.isActive === false) await keepAnAdmin(control, tenant, me.orgId, id);
    if (patch.isActive === false && id === me.id) {
      throw new AppError('conflict', { message: 'You cannot deactivate your own account.' });
    }
    if (patch.isActive === false) agent.isOnline = false;
    agent.roleId = newRole.id;
    if (patch.fullName) agent.fullName = patch.fullName;
    if (patch.email) agent.email = identity.email = patch.email;
    const dead = [
      passwordHash && setPassword(identity, passwordHash),
      patch.isActive === false && suspend(identity),
      patch.isActive === true && activate(identity),
    ];
    // Also of a role that they hold already: the one who gave it may have died before the others were told.
    if (patch.role) tell(() => publish(control, 'access', { tenantId: me.orgId }));
    const after = {
      agent: facts(agent, newRole),
      account: { ...accountFacts(identity), ...(passwordHash && { password: 'changed' }) },
    };
    const entry = { action: 'agent.update', target: target(id) } as const;
    // Each in the database that it is a change of: a log never tells of what only the other one's commit would have done.
    if (differ(before.agent, after.agent))
      tenantAudit(tenant, ctx, { ...entry, before: before.agent, after: after.agent });
    if (differ(before.account, after.account))
      audit(control, ctx, { ...entry, orgId: me.orgId, before: before.account, after: after.account });
    const reason = dead.findLast(Boolean) || undefined;
    if (reason) tell(() => revoke(control, { subjectId: id, version: identity.tokenVersion, reason }));
  });
  // Also when it failed: the tenant's half may stand.
  await change.finally(() => ctx.services.access.forget(me.orgId));
  return getAgent(ctx, id);
}

/**
 * The name stays where the past is told; the account, its sessions and its API keys are gone.
 *
 * @throws {AppError} not_found, cannot_delete_self, last_admin; forbidden as above.
 */
export async function deleteAgent(ctx: Context, id: string): Promise<string> {
  const access = await ctx.access();
  const me = tenantUser(ctx);
  if (id === me.id) throw new AppError('cannot_delete_self');
  const change = inBoth(ctx, me.orgId, async ({ control, tenant, tell }) => {
    const { agent, identity, role } = await lockAgent(control, tenant, me.orgId, id);
    // One without the other is what a crash left: this completes it.
    if (!agent && !identity) throw notFound('agent');
    if (agent && role) {
      refuseBeyond(access, permissionsOf(role));
      await keepAnAdmin(control, tenant, me.orgId, id);
      agent.deletedAt = nowDate();
      agent.isOnline = false;
      const before = { email: agent.email, fullName: agent.fullName, role: role.name };
      tenantAudit(tenant, ctx, { action: 'agent.delete', target: target(id), before });
    }
    if (identity) control.remove(identity);
    tell(async () => {
      const version = (identity?.tokenVersion ?? 0) + 1;
      await revoke(control, { subjectId: id, version, reason: 'account_deleted' });
      await publish(control, 'access', { tenantId: me.orgId });
      await publish(control, 'api_key', { tenantId: me.orgId });
    });
  });
  await change.finally(() => {
    ctx.services.access.forget(me.orgId);
    ctx.services.apiKeys.forget();
  });
  return id;
}

/** Agents say it of themselves; who manages agents, of anybody. @throws {AppError} not_found, forbidden */
export async function setAgentOnline(ctx: Context, id: string, isOnline: boolean): Promise<AgentRow> {
  const { orgId, id: me } = tenantUser(ctx);
  const mayOthers = await ctx.may(TenantPermission.AGENTS_MANAGE);
  if (id !== me && !mayOthers) {
    await getAgent(ctx, id);
    throw new AppError('forbidden', { message: 'You may say this of yourself only.' });
  }
  await ctx.services.tenants.work(orgId, (manager) =>
    manager.transactional(async (em) => {
      const agent = await em.findOne(Agent, { id, deletedAt: null }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!agent) throw notFound('agent');
      const before = { isOnline: agent.isOnline };
      // Not by the entity: being online is no change of the agent's data.
      await em.execute('update agents set is_online = ?, last_seen_at = now() where id = ?', [isOnline, id]);
      if (before.isOnline === isOnline) return;
      tenantAudit(em, ctx, { action: 'agent.status', target: target(id), before, after: { isOnline } });
    }),
  );
  return getAgent(ctx, id);
}

const ADMIN = 'admin';

async function lockAgent(control: EntityManager, tenant: EntityManager, orgId: string, id: string) {
  const lockMode = LockMode.PESSIMISTIC_WRITE;
  const identity = await control.findOne(Identity, { id, orgId }, { lockMode });
  const agent = await tenant.findOne(Agent, { id, deletedAt: null }, { lockMode });
  const role = agent && (await tenant.findOne(Role, agent.roleId));
  return { identity, agent, role };
}

/** @throws {AppError} last_admin where nobody else who can sign in is an admin. */
async function keepAnAdmin(control: EntityManager, tenant: EntityManager, orgId: string, id: string): Promise<void> {
  const admins = await tenant.execute<{ id: string }[]>(
    `select a.id from agents a join roles r on r.id = a.role_id
      where r.is_system and r.name = '${ADMIN}' and a.deleted_at is null`,
  );
  const ids = admins.map((admin) => admin.id);
  const able = await control.find(Identity, { orgId, id: { $in: ids }, suspendedAt: null }, { fields: ['id'] });
  if (able.length === 1 && able[0]!.id === id) throw new AppError('last_admin');
}

const differ = (before: object, after: object) => JSON.stringify(before) !== JSON.stringify(after);

const facts = ({ email, fullName }: Agent, role: Role) => ({ email, fullName, role: role.name });

const accountFacts = ({ suspendedAt }: Identity) => ({ isActive: !suspendedAt });
