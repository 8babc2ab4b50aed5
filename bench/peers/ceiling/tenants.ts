/** The ceiling's tenants: what its statements read, the bodies that it makes of the rows, and the compiled serialiser of one. */

export const TENANT_COLUMNS = `o.id, o.name, o.slug, o.status, o.country, o.limits, o.mongo_database, o.schema_version,
  o.created_at, o.updated_at`;
/** What the documents of W2 ask for; REST has ids besides. */
export const USAGE_COLUMNS = `u.agent_count, u.contact_count, u.messages_this_month, u.active_integrations, u.usage_month,
  u.timezone as u_timezone, u.updated_at as u_updated_at`;
export const USAGE_IDS = 'u.id as u_id, u.org_id';

export interface TenantRow {
  id: string;
  name: string;
  slug: string;
  status: string;
  country: string | null;
  limits: { maxAgents?: number; maxContacts?: number; maxMessagesMonth?: number };
  mongo_database: string;
  schema_version: number;
  created_at: string;
  updated_at: string;
}

export interface UsageRow extends TenantRow {
  agent_count: number;
  contact_count: number;
  messages_this_month: number;
  active_integrations: number;
  usage_month: string;
  u_timezone: string;
  u_updated_at: string;
}

export type UsageRowWithIds = UsageRow & { u_id: string; org_id: string };

/** PostgreSQL's text of an instant, in UTC, as RFC 3339 with milliseconds. */
export function instant(text: string): string {
  // As nearly all are.
  if (text.length === 26 && text.endsWith('+00')) return `${text.slice(0, 10)}T${text.slice(11, 23)}Z`;
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20).split('+')[0]!.padEnd(3, '0')}Z`;
}

const months = new Map<string, { month: string; until: number }>();

/** The first of the month that it is now in a zone; worked out once a second. */
function monthNow(timezone: string): string {
  const now = Date.now();
  const known = months.get(timezone);
  if (known && now < known.until) return known.month;
  const day = new Intl.DateTimeFormat('en-CA', { timeZone: timezone, year: 'numeric', month: '2-digit' }).format(now);
  const month = `${day.slice(0, 7)}-01`;
  months.set(timezone, { month, until: now + 1000 });
  return month;
}

/** As REST spells a tenant; what has no value is left out. */
export const restTenant = (row: TenantRow) => ({
  id: row.id,
  name: row.name,
  slug: row.slug,
  status: row.status,
  mongo_database: row.mongo_database,
  limits: {
    max_agents: row.limits.maxAgents,
    max_contacts: row.limits.maxContacts,
    max_messages_month: row.limits.maxMessagesMonth,
  },
  country: row.country ?? undefined,
  schema_version: row.schema_version,
  created_at: instant(row.created_at),
  updated_at: instant(row.updated_at),
});

export function restTenantWithUsage(row: UsageRowWithIds) {
  const month = monthNow(row.u_timezone);
  const counts = row.usage_month === month;
  return {
    ...restTenant(row),
    usage: {
      id: row.u_id,
      org_id: row.org_id,
      agent_count: row.agent_count,
      contact_count: row.contact_count,
      messages_this_month: counts ? row.messages_this_month : 0,
      active_integrations: row.active_integrations,
      usage_month: month,
      updated_at: instant(row.u_updated_at),
    },
  };
}

/** As the documents of W2 ask for it. */
export function graphqlTenant(row: UsageRow) {
  const month = monthNow(row.u_timezone);
  const counts = row.usage_month === month;
  const { maxAgents = null, maxContacts = null, maxMessagesMonth = null } = row.limits;
  return {
    id: row.id,
    name: row.name,
    slug: row.slug,
    status: row.status.toUpperCase(),
    country: row.country,
    mongoDatabase: row.mongo_database,
    schemaVersion: row.schema_version,
    createdAt: instant(row.created_at),
    updatedAt: instant(row.updated_at),
    limits: { maxAgents, maxContacts, maxMessagesMonth },
    usage: {
      agentCount: row.agent_count,
      contactCount: row.contact_count,
      messagesThisMonth: counts ? row.messages_this_month : 0,
      activeIntegrations: row.active_integrations,
      usageMonth: month,
      updatedAt: instant(row.u_updated_at),
    },
  };
}

const text = { type: 'string' };
const number = { type: 'integer' };
const object = (properties: Record<string, object>) => ({ type: 'object', properties });

export const REST_TENANT = object({
  id: text,
  name: text,
  slug: text,
  status: text,
  mongo_database: text,
  limits: object({ max_agents: number, max_contacts: number, max_messages_month: number }),
  country: text,
  schema_version: number,
  created_at: text,
  updated_at: text,
});
