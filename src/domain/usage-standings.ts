/** How close tenants are to their limits, and when they will reach them. */
import { DateTime } from 'luxon';
import type { Context } from '../context.ts';
import { query } from '../db/control.ts';
import { TENANT_COLUMNS, type TenantRow } from './organizations.ts';
import { MESSAGES_NOW, MONTHS, monthsNow, TODAY } from './usage-days.ts';
import { type DayCount, daysUntilReached, reachedThisMonth } from './usage-forecast.ts';

export enum UsageMetric {
  AGENTS = 'agents',
  CONTACTS = 'contacts',
  MESSAGES = 'messages',
}

export interface UsageStandingRow {
  tenant: TenantRow;
  metric: UsageMetric;
  used: number;
  limit: number;
  ratio: number;
  timezone: string;
}

type StandingColumns = Omit<UsageStandingRow, 'tenant'> & TenantRow;

/** A limit of 0 is reached from the start, and by one more whole time with each one above it. */
const ratio = (used: string, limit: string) =>
  `coalesce(${used}::float8 / nullif(${limit}, 0), ${limit} + 1 + ${used})`;

/** Of what is not asked for there is none. */
const ofMetric = (metric: `${UsageMetric}`) =>
  `case when $5::text is null or $5 = '${metric}' then ${ratio(metric, `most_${metric}`)} end`;

/**
 * Only of active tenants: the others use nothing up. So many standings belong to no more than so many tenants, those whose
 * greatest ratio is greatest: only those are taken apart by what is limited.
 */
const standings = query<StandingColumns>(
  'usage_standings',
  `with limited as (
     select o.id, u.timezone, u.agent_count as agents, u.contact_count as contacts, ${MESSAGES_NOW} as messages,
            (o.limits->>'maxAgents')::int as most_agents, (o.limits->>'maxContacts')::int as most_contacts,
            (o.limits->>'maxMessagesMonth')::int as most_messages
       from organizations o join usage u on u.org_id = o.id left join ${MONTHS} on z.timezone = u.timezone
      where o.status = 'active' and o.limits <> '{}'),
   nearest as (
     select *, greatest(${ofMetric('agents')}, ${ofMetric('contacts')}, ${ofMetric('messages')}) as greatest
       from limited order by greatest desc nulls last, id limit $4)
   select ${TENANT_COLUMNS}, n.timezone, m.metric, m.used, m."limit", ${ratio('m.used', 'm."limit"')} as ratio
     from nearest n join organizations o on o.id = n.id
    cross join lateral (values ('agents', agents, most_agents), ('contacts', contacts, most_contacts),
                               ('messages', messages, most_messages)) m (metric, used, "limit")
    where ${ratio('m.used', 'm."limit"')} >= $3 and ($5::text is null or m.metric = $5) order by ratio desc, o.id, m.metric limit $4`,
);

/** Nearest to a limit first. @param metric to its limit alone. */
export async function usageStandings(
  ctx: Context,
  limit: number,
  minRatio: number,
  metric?: UsageMetric | null,
): Promise<UsageStandingRow[]> {
  const rows = await ctx.rows(standings, [...(await monthsNow(ctx)), minRatio, limit, metric ?? null]);
  return rows.map(({ metric, used, limit, ratio, timezone, ...tenant }) => ({
    tenant,
    metric,
    used,
    limit,
    ratio,
    timezone,
  }));
}

interface History {
  orgId: string;
  days: number[];
  agents: number[];
  contacts: number[];
}

const histories = query<History>(
  'usage_histories',
  `select org_id as "orgId", array_agg(day - ${TODAY}) as days, array_agg(agents) as agents,
          array_agg(contacts) as contacts
     from usage_days where org_id = any ($1::uuid[]) and day > ${TODAY} - 30 group by org_id`,
);

/** Adds the day on which each limit is reached, in the tenant's zone, to those that are to be. */
export async function withForecasts(
  ctx: Context,
  rows: UsageStandingRow[],
): Promise<(UsageStandingRow & { forecastDate?: string })[]> {
  const growing = rows.filter(({ metric }) => metric !== UsageMetric.MESSAGES).map(({ tenant }) => tenant.id);
  const known = growing.length > 0 ? await ctx.rows(histories, [[...new Set(growing)]]) : [];
  const byTenant = new Map(known.map((history) => [history.orgId, history]));
  return rows.map((row) => ({ ...row, forecastDate: forecastOf(row, byTenant.get(row.tenant.id)) }));
}

function forecastOf(row: UsageStandingRow, history: History | undefined): string | undefined {
  const { metric, used, limit, timezone } = row;
  const now = DateTime.now().setZone(timezone);
  const local = now.isValid ? now : DateTime.utc();
  if (metric === UsageMetric.MESSAGES) return reachedThisMonth(local, used, limit)?.toISODate() ?? undefined;
  const days = daysUntilReached(countsOf(history, metric), used, limit);
  return days === undefined ? undefined : (local.plus({ days }).toISODate() ?? undefined);
}

function countsOf(history: History | undefined, metric: UsageMetric.AGENTS | UsageMetric.CONTACTS): DayCount[] {
  return history?.days.map((day, at) => ({ day, count: history[metric][at]! })) ?? [];
}
