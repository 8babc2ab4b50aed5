/** The divisions of a tenant, and who works in them. */
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { newId, nowDate } from '../clock.ts';
import { type Context, tenantUser } from '../context.ts';
import { query } from '../db/control.ts';
import { Agent } from '../entities/tenant/agent.ts';
import { Division, DivisionAgent } from '../entities/tenant/division.ts';
import { AppError, notFound } from '../errors.ts';
import { tenantAudit } from './audit.ts';
import { editSchedule } from './schedule-edits.ts';
import { AGENT_COLUMNS, type TenantUserRow } from './tenant-users.ts';

/** A division as it is read. */
export type DivisionRow = Omit<Division, 'createdAt' | 'updatedAt'> & {
  createdAt: string | Date;
  updatedAt: string | Date;
  /** Absent where nobody has counted yet. */
  agentCount?: number;
};

/** An agent who was deleted keeps the place, but counts and shows no more. */
const COLUMNS = `d.id, d.name, d.description, d.timezone, d.created_at as "createdAt", d.updated_at as "updatedAt",
  (select count(*)::int from division_agents m join agents a on a.id = m.agent_id
    where m.division_id = d.id and a.deleted_at is null) as "agentCount"`;
const AGENTS = `division_agents m join agents a on a.id = m.agent_id and a.deleted_at is null
  join roles r on r.id = a.role_id`;

const divisionsPage = query<DivisionRow>(
  'divisions',
  `select ${COLUMNS} from divisions d where ($1::uuid is null or d.id > $1) order by d.id limit $2`,
);
const findDivision = query<DivisionRow>('division', `select ${COLUMNS} from divisions d where d.id = $1`);

/** One row without an agent where the division has none (left). */
const agentsPage = query<TenantUserRow | { id: null }>(
  'division_agents',
  `select a.* from divisions d
     left join lateral (
       select ${AGENT_COLUMNS} from ${AGENTS}
        where m.division_id = d.id and ($2::uuid is null or a.id > $2) order by a.id limit $3
     ) a on true
    where d.id = $1 order by a.id`,
);
const agentsOfDivisions = query<TenantUserRow & { divisionId: string }>(
  'agents_of_divisions',
  `select m.division_id as "divisionId", ${AGENT_COLUMNS} from ${AGENTS} where m.division_id = any($1) order by a.id`,
);

/** In the order in which they were made. */
export function listDivisions(ctx: Context, limit: number | null, after?: string | null): Promise<DivisionRow[]> {
  return ctx.tenantRows(divisionsPage, [after ?? null, limit]);
}

/** @throws {AppError} not_found for another tenant's as well. */
export async function getDivision(ctx: Context, id: string): Promise<DivisionRow> {
  const [row] = await ctx.tenantRows(findDivision, [id]);
  if (!row) throw notFound('division');
  return row;
}

/** In the order in which the agents were made. @throws {AppError} not_found */
export async function listDivisionAgents(
  ctx: Context,
  divisionId: string,
  limit: number | null,
  after?: string | null,
): Promise<TenantUserRow[]> {
  const rows = await ctx.tenantRows(agentsPage, [divisionId, after ?? null, limit]);
  if (rows.length === 0) throw notFound('division');
  return rows.filter((row): row is TenantUserRow => row.id !== null);
}

/** The agents of many divisions by one statement. @returns a list for each id, empty for one that nothing has. */
export async function agentsOf(ctx: Context, divisionIds: readonly string[]): Promise<TenantUserRow[][]> {
  const byDivision = Map.groupBy(await ctx.tenantRows(agentsOfDivisions, [divisionIds]), (row) => row.divisionId);
  return divisionIds.map((id) => byDivision.get(id) ?? []);
}

const divisionsOfAgents = query<{ agentId: string; id: string; name: string }>(
  'divisions_of_agents',
  `select m.agent_id as "agentId", d.id, d.name from division_agents m join divisions d on d.id = m.division_id
    where m.agent_id = any($1) order by d.id`,
);

/** The divisions of many agents by one statement. */
export async function divisionsOf(
  ctx: Context,
  agentIds: readonly string[],
): Promise<{ id: string; name: string }[][]> {
  const byAgent = Map.groupBy(await ctx.tenantRows(divisionsOfAgents, [agentIds]), (row) => row.agentId);
  return agentIds.map((id) => byAgent.get(id) ?? []);
}

export interface DivisionFields {
  name: string;
  description?: string | null;
  /** IANA name; null: the tenant's counts. */
  timezone?: string | null;
}

/** @throws {AppError} conflict for a name that is taken; limit_reached. */
export function createDivision(ctx: Context, input: DivisionFields): Promise<DivisionRow> {
  return editSchedule(ctx, async (em, touch) => {
    const now = nowDate();
    const division = em.create(Division, {
      id: newId(),
      name: input.name,
      description: input.description || null,
      timezone: input.timezone ?? null,
      createdAt: now,
      updatedAt: now,
    });
    em.persist(division);
    touch(division.id);
    tenantAudit(em, ctx, { action: 'division.create', target: target(division.id), after: changeable(division) });
    return { ...changeable(division), id: division.id, createdAt: now, updatedAt: now, agentCount: 0 };
  });
}

/** A merge patch: null removes a description or a timezone. @throws {AppError} not_found, conflict */
export function updateDivision(
  ctx: Context,
  id: string,
  { name, description, timezone }: Partial<DivisionFields>,
): Promise<DivisionRow> {
  return editSchedule(ctx, async (em, touch) => {
    const division = await lockDivision(em, id);
    const before = changeable(division);
    if (name) division.name = name;
    if (description !== undefined) division.description = description || null;
    if (timezone !== undefined) division.timezone = timezone;
    const after = changeable(division);
    if (before.name !== after.name || before.timezone !== after.timezone) touch(id);
    else if (before.description === after.description) return division;
    tenantAudit(em, ctx, { action: 'division.update', target: target(id), before, after });
    return division;
  });
}

/** Its own hours, exceptions and places go with it; what its hours were stays known. @throws {AppError} not_found */
export function deleteDivision(ctx: Context, id: string): Promise<string> {
  return editSchedule(ctx, async (em, touch) => {
    const division = await lockDivision(em, id);
    const places = await em.find(DivisionAgent, { divisionId: id }, { orderBy: { agentId: 'asc' } });
    const before = { ...changeable(division), agentIds: places.map(({ agentId }) => agentId) };
    em.remove(division);
    touch(id);
    tenantAudit(em, ctx, { action: 'division.delete', target: target(id), before });
    return id;
  });
}

/** Who is in it already stays. @throws {AppError} not_found, validation_failed for one who is no agent of the tenant. */
export function assignDivisionAgents(ctx: Context, id: string, agentIds: string[]): Promise<TenantUserRow[]> {
  return changePlaces(ctx, id, agentIds, (em, wanted, present) => {
    const added = wanted.filter((agentId) => !present.has(agentId));
    if (added.length === 0) return;
    const createdAt = nowDate();
    for (const agentId of added) em.persist(em.create(DivisionAgent, { divisionId: id, agentId, createdAt }));
    tenantAudit(em, ctx, { action: 'division.assign_agents', target: target(id), after: { agentIds: added } });
  });
}

/** Who is not in it is none the less an agent. @throws {AppError} not_found, validation_failed as above. */
export function removeDivisionAgents(ctx: Context, id: string, agentIds: string[]): Promise<TenantUserRow[]> {
  return changePlaces(ctx, id, agentIds, async (em, wanted, present) => {
    const removed = wanted.filter((agentId) => present.has(agentId));
    if (removed.length === 0) return;
    await em.nativeDelete(DivisionAgent, { divisionId: id, agentId: { $in: removed } });
    tenantAudit(em, ctx, { action: 'division.remove_agents', target: target(id), before: { agentIds: removed } });
  });
}

/** @returns the division's agents afterwards. */
async function changePlaces(
  ctx: Context,
  divisionId: string,
  agentIds: string[],
  change: (em: EntityManager, wanted: string[], present: Set<string>) => void | Promise<void>,
): Promise<TenantUserRow[]> {
  const wanted = [...new Set(agentIds)];
  await ctx.services.tenants.work(tenantUser(ctx).orgId, (tenant) =>
    tenant.transactional(async (em) => {
      // Whoever deletes the division, or changes who is in it, waits: what is found here still holds at the commit.
      await lockDivision(em, divisionId);
      await refuseStrangers(em, agentIds);
      const places = await em.find(DivisionAgent, { divisionId, agentId: { $in: wanted } });
      await change(em, wanted, new Set(places.map(({ agentId }) => agentId)));
    }),
  );
  return ctx.loaders.divisionAgents.load(divisionId);
}

async function refuseStrangers(em: EntityManager, agentIds: string[]): Promise<void> {
  const found = await em.find(
    Agent,
    { id: { $in: agentIds }, deletedAt: null },
    { fields: ['id'], lockMode: LockMode.PESSIMISTIC_READ, orderBy: { id: 'asc' } },
  );
  refuseUnknown('agentIds', agentIds, found, 'is not an agent of this organization');
}

/** @throws {AppError} validation_failed naming each that is no division of the tenant; the others stay until the commit. */
export async function refuseStrangeDivisions(em: EntityManager, divisionIds: string[]): Promise<void> {
  const found = await em.find(
    Division,
    { id: { $in: divisionIds } },
    { fields: ['id'], lockMode: LockMode.PESSIMISTIC_READ, orderBy: { id: 'asc' } },
  );
  refuseUnknown('divisionIds', divisionIds, found, 'is not a division of this organization');
}

function refuseUnknown(field: string, ids: string[], found: { id: string }[], message: string): void {
  const known = new Set(found.map(({ id }) => id));
  const details = ids.flatMap((id, index) => (known.has(id) ? [] : [{ field: `${field}[${index}]`, message }]));
  if (details.length > 0) throw new AppError('validation_failed', { details });
}

async function lockDivision(em: EntityManager, id: string): Promise<Division> {
  const division = await em.findOne(Division, id, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!division) throw notFound('division');
  return division;
}

const target = (id: string) => ({ type: 'division', id });
const changeable = ({ name, description = null, timezone = null }: DivisionFields) => ({ name, description, timezone });
