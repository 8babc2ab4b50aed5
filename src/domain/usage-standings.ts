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

/**
 * Only of active tenants: the others use nothing up. A limit of 0 is reached from the start, and by one more whole time
 * with each one above it.
 */
const standings = query<StandingColumns>(
  'usage_standings',
  `select ${TENANT_COLUMNS}, s.metric, s.used, s."limit", s.ratio, s.timezone
     from (select u.org_id, u.timezone, m.metric, m.used, m."limit", r.ratio
             from organizations o join usage u on u.org_id = o.id left join ${MONTHS} on z.timezone = u.timezone
            cross join lateral (values
                ('agents', u.agent_count, (o.limits->>'maxAgents')::int),
                ('contacts', u.contact_count, (o.limits->>'maxContacts')::int),
                ('messages', ${MESSAGES_NOW}, (o.limits->>'maxMessagesMonth')::int)) m (metric, used, "limit")
            cross join lateral (select case when m."limit" = 0 then 1.0 + m.used
                                            else m.used::float8 / m."limit" end as ratio) r
            where o.status = 'active' and o.limits <> '{}' and r.ratio >= $3
            order by r.ratio desc, u.org_id, m.metric limit $4) s
     join organizations o on o.id = s.org_id order by s.ratio desc, o.id, s.metric`,
);

/** Nearest to a limit first. */
export async function usageStandings(ctx: Context, limit: number, minRatio: number): Promise<UsageStandingRow[]> {
  const rows = await ctx.rows(standings, [...(await monthsNow(ctx)), minRatio, limit]);
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
