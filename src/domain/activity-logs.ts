/** What a tenant sees of who did what: its own log, and what the control plane's says of it, as one list. */
import { type Context, tenantUser } from '../context.ts';
import { query } from '../db/control.ts';
import { type LogFilter, logPage } from './log-pages.ts';

/** An entry as it is read. */
export interface ActivityRow {
  id: string;
  action: string;
  actorKind: string;
  actorId?: string | null;
  actorEmail?: string | null;
  actorName?: string;
  onBehalfOf?: string | null;
  onBehalfOfEmail?: string;
  onBehalfOfName?: string;
  targetType?: string | null;
  targetId?: string | null;
  before?: unknown;
  after?: unknown;
  requestId?: string | null;
  address?: string | null;
  createdAt: string;
}

/** Where staff of the platform sit is not the tenants' business. */
const COLUMNS = `l.id, l.action, l.actor_kind as "actorKind", l.actor_id as "actorId", l.actor_email as "actorEmail",
  l.on_behalf_of as "onBehalfOf", l.target_type as "targetType", l.target_id as "targetId", l.before, l.after,
  l.request_id as "requestId", case when l.actor_kind <> 'super_admin' then l.address end as address,
  l.created_at as "createdAt"`;

const OWN = { name: 'activity_log', select: `select ${COLUMNS} from activity_log l` };
const OF_PLATFORM = { name: 'audit_entries', select: `select ${COLUMNS} from audit_entries l` };

/**
 * Newest first. Both logs have ids in the order of time, so that what is newest in each is read and merged.
 *
 * @param after the id that the page comes after.
 * @throws {AppError} validation_failed, tenant_not_ready
 */
export async function listActivity(
  ctx: Context,
  limit: number,
  after: string | null | undefined,
  filter: LogFilter,
): Promise<ActivityRow[]> {
  const own = logPage<ActivityRow>(OWN, filter, after, limit);
  const ofPlatform = logPage<ActivityRow>(OF_PLATFORM, { ...filter, tenantId: tenantUser(ctx).orgId }, after, limit);
  const pages = await Promise.all([
    ctx.tenantRows(own.statement, own.values),
    ctx.rows(ofPlatform.statement, ofPlatform.values),
  ]);
  const newest = pages
    .flat()
    .sort((a, b) => (a.id < b.id ? 1 : -1))
    .slice(0, limit);
  return withNames(ctx, newest);
}

interface Person {
  id: string;
  email: string;
  name: string;
}

const agentsNamed = query<Person>(
  'agents_named',
  'select id, email, full_name as name from agents where id = any ($1::uuid[])',
);
const superAdminsNamed = query<Person>(
  'super_admins_named',
  'select id, email, name from super_admins where id = any ($1::uuid[])',
);

/** Also of agents who were deleted since; a super admin who was leaves only the address. */
async function withNames(ctx: Context, rows: ActivityRow[]): Promise<ActivityRow[]> {
  const ids = [...new Set(rows.flatMap(({ actorId, onBehalfOf }) => [actorId, onBehalfOf]).filter(Boolean))];
  if (ids.length === 0) return rows;
  const people = await Promise.all([ctx.tenantRows(agentsNamed, [ids]), ctx.rows(superAdminsNamed, [ids])]);
  const byId = new Map(people.flat().map((person) => [person.id, person]));
  return rows.map((row) => {
    const behalf = byId.get(row.onBehalfOf ?? '');
    return {
      ...row,
      actorName: byId.get(row.actorId ?? '')?.name,
      onBehalfOfEmail: behalf?.email,
      onBehalfOfName: behalf?.name,
    };
  });
}
