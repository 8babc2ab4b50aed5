/** The platform's own log of who did what, as super admins read it: everything, of all tenants. */
import type { Context } from '../context.ts';
import { query, type Sql } from '../db/control.ts';
import { type LogFilter, logPage } from './log-pages.ts';

/** An entry as it is read. */
export interface AuditLogRow {
  id: string;
  action: string;
  actorKind: string;
  actorId?: string | null;
  actorEmail?: string | null;
  actorName?: string | null;
  onBehalfOf?: string | null;
  onBehalfOfEmail?: string | null;
  tenantId?: string | null;
  tenantName?: string | null;
  tenantSlug?: string | null;
  targetType?: string | null;
  targetId?: string | null;
  before?: unknown;
  after?: unknown;
  requestId?: string | null;
  address?: string | null;
  createdAt: string;
}

/** What agents are called stands in their tenants' databases, which are not visited for this. */
const COLUMNS = `l.id, l.action, l.actor_kind as "actorKind", l.actor_id as "actorId", l.actor_email as "actorEmail",
  actor.name as "actorName", l.on_behalf_of as "onBehalfOf",
  coalesce(behalf.email, self.email) as "onBehalfOfEmail", l.org_id as "tenantId", o.name as "tenantName",
  o.slug as "tenantSlug", l.target_type as "targetType", l.target_id as "targetId", l.before, l.after,
  l.request_id as "requestId", l.address, l.created_at as "createdAt"`;

/** In a tenant without an admin, an impersonation speaks for the super admin. */
const NAMED = `left join super_admins actor on actor.id = l.actor_id
  left join identities behalf on behalf.id = l.on_behalf_of
  left join super_admins self on self.id = l.on_behalf_of
  left join organizations o on o.id = l.org_id`;

const AUDIT_LOG = { name: 'audit_log', select: `select ${COLUMNS} from audit_entries l ${NAMED}` };

/**
 * Newest first.
 *
 * @param after the id that the page comes after.
 * @throws {AppError} validation_failed
 */
export function listAuditLog(
  ctx: Context,
  limit: number,
  after: string | null | undefined,
  filter: LogFilter,
): Promise<AuditLogRow[]> {
  const { statement, values } = logPage<AuditLogRow>(AUDIT_LOG, filter, after, limit);
  return ctx.rows(statement, values);
}

const linkedAfter = query<AuditLogRow & { seq: string }>(
  'audit_entries_linked_after',
  `select c.seq::text as seq, ${COLUMNS}
     from (select seq, entry_id from audit_chain where seq > $1 order by seq limit $2) c
     join audit_entries l on l.id = c.entry_id ${NAMED} order by c.seq`,
);

/**
 * The entries that come next in the chain, in its order; an entry enters it moments after its commit. One that was
 * removed leaves a gap.
 *
 * @param afterSeq the chain's number that they come after; 0 for the first ones.
 * @param limit at most so many links of the chain.
 */
export async function auditEntriesBetween(
  sql: Sql,
  afterSeq: number,
  limit: number,
): Promise<({ seq: number } & AuditLogRow)[]> {
  const rows = await sql.rows(linkedAfter, [afterSeq, limit]);
  return rows.map((row) => ({ ...row, seq: Number(row.seq) }));
}
