/** The people of a tenant, as its own admins look after them. */
import type { EntityManager } from '@mikro-orm/postgresql';
import { newId, nowDate } from '../clock.ts';
import { type Context, tenantUser } from '../context.ts';
import { query } from '../db/control.ts';
import { Identity } from '../entities/control/identity.ts';
import { Agent } from '../entities/tenant/agent.ts';
import { DivisionAgent } from '../entities/tenant/division.ts';
import { AppError, notFound } from '../errors.ts';
import type { Access } from './access.ts';
import { tenantAudit } from './audit.ts';
import { inBoth } from './both-databases.ts';
import { refuseStrangeDivisions } from './divisions.ts';
import { hashPassword } from './passwords.ts';
import { grantableRole } from './roles.ts';
import { AGENT_COLUMNS, type TenantUserRow } from './tenant-users.ts';

/** An agent as it is read. */
export type AgentRow = TenantUserRow & { roleId: string; updatedAt: string };

const COLUMNS = `${AGENT_COLUMNS}, a.role_id as "roleId", a.updated_at as "updatedAt"`;
const LIVE = 'agents a join roles r on r.id = a.role_id where a.deleted_at is null';

const agentsPage = query<AgentRow>(
  'agents',
  `select ${COLUMNS} from ${LIVE} and ($1::uuid is null or a.id > $1)
      and ($2::text is null or position(lower($2) in lower(a.email)) > 0 or position(lower($2) in lower(a.full_name)) > 0)
      and ($3::text is null or lower(r.name) = lower($3))
      and ($4::uuid is null or exists (select from division_agents d where d.agent_id = a.id and d.division_id = $4))
      and ($5::boolean is null or a.is_online = $5)
    order by a.id limit $6`,
);
const findAgent = query<AgentRow>('agent', `select ${COLUMNS} from ${LIVE} and a.id = $1`);

export interface AgentFilter {
  /** Literal text in the e-mail address or the name, without case. */
  search?: string | null;
  /** A role's name. */
  role?: string | null;
  divisionId?: string | null;
  online?: boolean | null;
}

/** In the order in which they were made. */
export function listAgents(
  ctx: Context,
  { search, role, divisionId, online }: AgentFilter,
  limit: number | null,
  after?: string | null,
): Promise<AgentRow[]> {
  const filter = [search || null, role ?? null, divisionId ?? null, online ?? null];
  return ctx.tenantRows(agentsPage, [after ?? null, ...filter, limit]);
}

/** @throws {AppError} not_found for another tenant's as well. */
export async function getAgent(ctx: Context, id: string): Promise<AgentRow> {
  const [row] = await ctx.tenantRows(findAgent, [id]);
  if (!row) throw notFound('agent');
  return row;
}

export interface NewAgent {
  email: string;
  fullName: string;
  password: string;
  /** A role's name; `agent` unless said. */
  role?: string | null;
  divisionIds?: string[] | null;
}

/** @throws {AppError} email_taken, limit_reached, forbidden for a role beyond the caller's, validation_failed */
export async function createAgent(ctx: Context, input: NewAgent): Promise<AgentRow> {
  return getAgent(ctx, await makeAgent(ctx, tenantUser(ctx).orgId, await ctx.access(), input));
}

/**
 * Makes an agent with the account that they sign in with, and the entry in the tenant's log.
 *
 * @param access of whoever makes them: they give no role that allows more.
 * @param alsoInControl what else goes into the control plane's transaction, given the agent's id. What it throws undoes all.
 * @returns their id; after a crash between the two commits, the same address again makes them whole.
 * @throws {AppError} as `createAgent`; unavailable while the tenant is being moved.
 */
export async function makeAgent(
  ctx: Context,
  orgId: string,
  access: Access,
  input: NewAgent,
  alsoInControl?: (control: EntityManager, id: string) => Promise<void>,
): Promise<string> {
  const { email, fullName, password, role: roleName, divisionIds } = input;
  const passwordHash = await hashPassword(password);
  const id = newId();
  const now = nowDate();
  await inBoth(ctx, orgId, async ({ control, tenant }) => {
    control.persist(control.create(Identity, { id, orgId, email, passwordHash, tokenVersion: 0, createdAt: now }));
    // First of all: who makes the same address at the same time waits here, and then finds it taken.
    await control.flush();
    const role = await grantableRole(tenant, access, roleName ?? 'agent');
    const divisions = [...new Set(divisionIds ?? [])];
    await refuseStrangeDivisions(tenant, divisions);
    await removeUnfinished(control, tenant, email);
    const agent = { id, email, fullName, roleId: role.id, isOnline: false, createdAt: now, updatedAt: now };
    await tenant.persist(tenant.create(Agent, agent)).flush();
    for (const divisionId of divisions) {
      tenant.persist(tenant.create(DivisionAgent, { divisionId, agentId: id, createdAt: now }));
    }
    const after = { email, fullName, role: role.name, divisionIds: divisions };
    tenantAudit(tenant, ctx, { action: 'agent.create', target: target(id), after });
    await alsoInControl?.(control, id);
  });
  return id;
}

/** As the activity log names an agent. */
export const target = (id: string) => ({ type: 'agent', id });

/** An agent of this address whose account was never made, as a crash leaves it. @throws {AppError} email_taken */
async function removeUnfinished(control: EntityManager, tenant: EntityManager, email: string): Promise<void> {
  const found = await tenant.execute<{ id: string }[]>(
    'select id from agents where lower(email) = lower(?) and deleted_at is null',
    [email],
  );
  for (const { id } of found) {
    if (await control.findOne(Identity, { id })) throw new AppError('email_taken');
    await tenant.execute('update agents set deleted_at = now() where id = ?', [id]);
  }
}

const inactive = query<{ id: string }>(
  'inactive_identities',
  'select id from identities where id = any($1) and suspended_at is not null',
);

/** Whether each may sign in; accounts are in the control plane. */
export async function areActive(ctx: Context, ids: readonly string[]): Promise<boolean[]> {
  const shut = new Set((await ctx.rows(inactive, [ids])).map(({ id }) => id));
  return ids.map((id) => !shut.has(id));
}
