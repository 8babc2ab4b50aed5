/** What a tenant sees of who did what: its own log, and what the control plane's says of it, as one list. */
import { type Context, tenantUser } from '../context.ts';
import { query } from '../db/control.ts';
import { invalid } from '../errors.ts';
import { firstIdAt } from '../instants.ts';

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

export interface ActivityFilter {
  actorId?: string | null;
  /** One action, or all of a noun: `division.*`. */
  action?: string | null;
  targetType?: string | null;
  targetId?: string | null;
  from?: Date | null;
  /** Not included. */
  to?: Date | null;
}

/** Where staff of the platform sit is not the tenants' business. */
const COLUMNS = `l.id, l.action, l.actor_kind as "actorKind", l.actor_id as "actorId", l.actor_email as "actorEmail",
  l.on_behalf_of as "onBehalfOf", l.target_type as "targetType", l.target_id as "targetId", l.before, l.after,
  l.request_id as "requestId", case when l.actor_kind <> 'super_admin' then l.address end as address,
  l.created_at as "createdAt"`;

/** An entry's id is made with its time; an older gateway took the time a moment later. */
const SLACK_MS = 1000;
const ALL_OF_NOUN = /^(.+)\.\*$/;

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
  filter: ActivityFilter,
): Promise<ActivityRow[]> {
  const { from, to } = filter;
  if (from && to && to <= from) throw invalid('to', 'must be later than "from"');
  const own = pageOf('activity_log', filter, after, limit);
  const ofPlatform = pageOf('audit_entries', filter, after, limit, tenantUser(ctx).orgId);
  const pages = await Promise.all([
    ctx.tenantRows<ActivityRow>(own.statement, own.values),
    ctx.rows<ActivityRow>(ofPlatform.statement, ofPlatform.values),
  ]);
  const newest = pages
    .flat()
    .sort((a, b) => (a.id < b.id ? 1 : -1))
    .slice(0, limit);
  return withNames(ctx, newest);
}

/** A statement for each set of filters: one that serves all of them could use the index of none. */
function pageOf(
  log: 'activity_log' | 'audit_entries',
  filter: ActivityFilter,
  after: string | null | undefined,
  limit: number,
  orgId?: string,
) {
  const values: unknown[] = [];
  const conditions: string[] = [];
  let name: string = log;
  const add = (code: string, condition: string, value: unknown) => {
    if (value == null) return;
    values.push(value);
    conditions.push(`${condition} $${values.length}`);
    name += code;
  };
  const { actorId, action, targetType, targetId, from, to } = filter;
  const noun = action && ALL_OF_NOUN.exec(action)?.[1];
  add('', 'l.org_id =', orgId);
  add('+actor', 'l.actor_id =', actorId);
  if (noun) add('+noun', `split_part(l.action, '.', 1) =`, noun);
  else add('+action', 'l.action =', action);
  add('+type', 'l.target_type =', targetType);
  add('+target', 'l.target_id =', targetId);
  add('+from', 'l.created_at >=', from);
  add('', 'l.id >=', from && firstIdAt(from.getTime() - SLACK_MS));
  add('+to', 'l.created_at <', to);
  add('', 'l.id <', to && firstIdAt(to.getTime() + SLACK_MS));
  add('+after', 'l.id <', after?.toLowerCase());
  values.push(limit);
  const where = conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';
  const text = `select ${COLUMNS} from ${log} l ${where} order by l.id desc limit $${values.length}`;
  return { statement: query<ActivityRow>(name, text), values };
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
