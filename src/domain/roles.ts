/** The roles of a tenant: three that every tenant has, and those that its admins make. */
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { newId, nowDate } from '../clock.ts';
import { type Context, tenantUser } from '../context.ts';
import { query } from '../db/control.ts';
import { Role } from '../entities/tenant/role.ts';
import { AppError, invalid, notFound } from '../errors.ts';
import { publish } from '../live/event-log.ts';
import type { Access } from './access.ts';
import { tenantAudit } from './audit.ts';
import { permissionsOf, type TenantPermission } from './permissions.ts';

/** A role as it is read. */
export interface RoleRow {
  id: string;
  name: string;
  description?: string | null;
  isSystem: boolean;
  permissions: TenantPermission[];
  /** How many agents hold it. */
  agentCount: number;
  createdAt: string | Date;
  updatedAt: string | Date;
}

const COLUMNS = `r.id, r.name, r.description, r.is_system as "isSystem", r.permissions, r.created_at as "createdAt",
  r.updated_at as "updatedAt",
  (select count(*)::int from agents a where a.role_id = r.id and a.deleted_at is null) as "agentCount"`;

const rolesPage = query<RoleRow>(
  'roles',
  `select ${COLUMNS} from roles r where ($1::uuid is null or r.id > $1) order by r.id limit $2`,
);
const findRole = query<RoleRow>('role', `select ${COLUMNS} from roles r where r.id = $1`);

const rowOf = (row: RoleRow): RoleRow => ({ ...row, permissions: permissionsOf(row) });

/** The system roles first, then the others in the order in which they were made. */
export async function listRoles(ctx: Context, limit: number | null, after?: string | null): Promise<RoleRow[]> {
  return (await ctx.tenantRows(rolesPage, [after ?? null, limit])).map(rowOf);
}

/** @throws {AppError} not_found for another tenant's as well. */
export async function getRole(ctx: Context, id: string): Promise<RoleRow> {
  const [row] = await ctx.tenantRows(findRole, [id]);
  if (!row) throw notFound('role');
  return rowOf(row);
}

export interface RoleFields {
  name: string;
  description?: string | null;
  permissions: TenantPermission[];
}

/** @throws {AppError} forbidden for a permission that the caller lacks, conflict for a name that is taken. */
export async function createRole(ctx: Context, input: RoleFields): Promise<RoleRow> {
  refuseBeyond(await ctx.access(), input.permissions);
  return change(ctx, async (em) => {
    const now = nowDate();
    const role = em.create(Role, {
      id: newId(),
      name: input.name,
      description: input.description || null,
      isSystem: false,
      permissions: permissionsOf({ ...input, isSystem: false }),
      createdAt: now,
      updatedAt: now,
    });
    em.persist(role);
    tenantAudit(em, ctx, { action: 'role.create', target: target(role.id), after: changeable(role) });
    return role.id;
  });
}

/**
 * A merge patch: null removes the description. Everybody who holds the role may do what it allows then, within a second.
 *
 * @throws {AppError} not_found; conflict for a system role or a name that is taken; forbidden as above.
 */
export async function updateRole(
  ctx: Context,
  id: string,
  { name, description, permissions }: Partial<RoleFields>,
): Promise<RoleRow> {
  const access = await ctx.access();
  return change(ctx, async (em) => {
    const role = await lockRole(em, id, access);
    const before = changeable(role);
    if (permissions) {
      refuseBeyond(access, permissions);
      role.permissions = permissionsOf({ ...role, permissions });
    }
    if (name) role.name = name;
    if (description !== undefined) role.description = description || null;
    const after = changeable(role);
    if (JSON.stringify(before) !== JSON.stringify(after)) {
      tenantAudit(em, ctx, { action: 'role.update', target: target(id), before, after });
    }
    return id;
  });
}

/** @throws {AppError} not_found; conflict for a system role, or for one that somebody holds. */
export async function deleteRole(ctx: Context, id: string): Promise<string> {
  const access = await ctx.access();
  await ctx.services.tenants.work(tenantUser(ctx).orgId, (tenant) =>
    tenant.transactional(async (em) => {
      const role = await lockRole(em, id, access);
      const [held] = await em.execute<[{ count: number }]>(
        'select count(*)::int as count from agents where role_id = ? and deleted_at is null',
        [id],
      );
      if (held.count > 0) {
        const holders = held.count === 1 ? 'one agent' : `${held.count} agents`;
        throw new AppError('conflict', { message: `This role is held by ${holders}: give them another one first.` });
      }
      // Those who were deleted keep a role that is there.
      await em.execute(
        `update agents set role_id = (select id from roles where name = 'agent' and is_system) where role_id = ?`,
        [id],
      );
      em.remove(role);
      tenantAudit(em, ctx, { action: 'role.delete', target: target(id), before: changeable(role) });
    }),
  );
  return id;
}

async function change(ctx: Context, body: (em: EntityManager) => Promise<string>): Promise<RoleRow> {
  const { orgId } = tenantUser(ctx);
  const { tenants, access } = ctx.services;
  const id = await tenants.work(orgId, (tenant) => tenant.transactional(body));
  access.forget(orgId);
  const row = await getRole(ctx, id);
  // After the commit of the other database: a process that reads at once must find the change. Last, because it holds the
  // event log's lock until this request's transaction ends.
  await ctx.em.transactional((em) => publish(em, 'access', { tenantId: orgId }));
  return row;
}

/** One that the caller may change: it allows nothing that they may not do. */
async function lockRole(em: EntityManager, id: string, access: Access): Promise<Role> {
  const role = await em.findOne(Role, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!role) throw notFound('role');
  if (role.isSystem) {
    throw new AppError('conflict', {
      message: `The role ${role.name} is the same in every organization: make one of your own.`,
    });
  }
  refuseBeyond(access, permissionsOf(role));
  return role;
}

/**
 * The role of this name, which stays until the transaction ends.
 *
 * @throws {AppError} validation_failed for one that is not there; forbidden for one that allows more than the caller may.
 */
export async function grantableRole(em: EntityManager, access: Access, name: string): Promise<Role> {
  const [found] = await em.execute<{ id: string }[]>('select id from roles where lower(name) = lower(?) for share', [
    name,
  ]);
  const role = found && (await em.findOne(Role, { id: found.id }));
  if (!role) throw invalid('role', 'is not a role of this organization');
  refuseBeyond(access, permissionsOf(role));
  return role;
}

/** Nobody grants what they do not have. @throws {AppError} forbidden */
export function refuseBeyond({ permissions }: Access, granted: readonly TenantPermission[]): void {
  const beyond = granted.filter((permission) => !permissions.has(permission));
  if (beyond.length === 0) return;
  throw new AppError('forbidden', { message: `That takes permissions that you do not have: ${beyond.join(', ')}.` });
}

const target = (id: string) => ({ type: 'role', id });
const changeable = ({ name, description = null, permissions }: RoleFields | Role) => ({
  name,
  description,
  permissions,
});
