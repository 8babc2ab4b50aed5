/**
 * What tenants use, day by day. Every tenant has a record of every day on which a gateway ran, also one that did nothing,
 * so that sums need to guess nothing. A day is one of UTC; its record is as of its last minutes.
 */
import { nowDate } from '../clock.ts';
import type { Context, Services } from '../context.ts';
import { query, type Sql, sqlOf } from '../db/control.ts';
import type { UsageDay } from '../entities/control/usage-day.ts';
import { getTenant } from './organizations.ts';
import { usageMonthAt } from './usage.ts';

/** A record is at most so old by the end of its day. */
export const RECORD_MS = 5 * 60_000;
export const MOST_DAYS = 400;

export type UsageDayRow = Omit<UsageDay, 'orgId'>;

/** The day by UTC, as SQL says it. */
export const TODAY = `(now() at time zone 'UTC')::date`;

/** The messages of this month: those that were counted last may be of one that is over. */
export const MESSAGES_NOW = 'case when u.usage_month = z.month then u.messages_this_month else 0 end';

/** Takes part in a statement as `z`: the zones and their months are its first two values. */
export const MONTHS = `unnest($1::text[], $2::date[]) z (timezone, month)`;

const zones = query<{ timezone: string }>('usage_zones', 'select distinct timezone from usage');

/** Of every zone that a tenant is in, the month that it has: worked out here, because PostgreSQL's zones may be others. */
export async function monthsNow(sql: Sql): Promise<[timezones: string[], months: string[]]> {
  const timezones = (await sql.rows(zones, [])).map(({ timezone }) => timezone);
  const now = nowDate();
  return [timezones, timezones.map((timezone) => usageMonthAt(now, timezone))];
}

/** So that no tenant stays locked for long: whoever changes one waits for the record that refers to it. */
const BATCH = 5000;

/** Brings the records of today up to date, and forgets the oldest. */
export async function recordUsage({ control }: Services): Promise<void> {
  const values = [...(await monthsNow(sqlOf(control.pool))), BATCH];
  for (let written = BATCH; written === BATCH; ) {
    written = (await control.pool.query({ ...recordSome, values })).rowCount ?? 0;
  }
  await control.pool.query(RECORD_SUMS);
  for (const table of ['usage_days', 'platform_usage_days']) {
    await control.pool.query(`delete from ${table} where day <= ${TODAY} - ${MOST_DAYS}`);
  }
}

/** Only what changed: a row that is written again as it was is written all the same. */
const recordSome = query<object>(
  'record_usage',
  `with present as (
     select u.org_id, u.agent_count as agents, u.contact_count as contacts, ${MESSAGES_NOW} as messages
       from usage u join ${MONTHS} on z.timezone = u.timezone)
   insert into usage_days (org_id, day, agents, contacts, messages)
     select p.org_id, ${TODAY}, p.agents, p.contacts, p.messages
       from present p left join usage_days d on d.org_id = p.org_id and d.day = ${TODAY}
      where d.org_id is null or (d.agents, d.contacts, d.messages) is distinct from (p.agents, p.contacts, p.messages)
      limit $3
   on conflict (org_id, day) do update
     set agents = excluded.agents, contacts = excluded.contacts, messages = excluded.messages`,
);

const RECORD_SUMS = `
  insert into platform_usage_days (day, agents, contacts, messages)
    select day, sum(agents), sum(contacts), sum(messages) from usage_days where day = ${TODAY} group by day
  on conflict (day) do update
    set agents = excluded.agents, contacts = excluded.contacts, messages = excluded.messages`;

const daysOf = query<UsageDayRow>(
  'usage_days_of',
  `select day, agents, contacts, messages from usage_days where org_id = $1 and day > ${TODAY} - $2::int order by day`,
);

/** Oldest first. @throws {AppError} not_found */
export async function usageHistory(ctx: Context, tenantId: string, days: number): Promise<UsageDayRow[]> {
  const rows = await ctx.rows(daysOf, [tenantId, days]);
  if (rows.length === 0) await getTenant(ctx, tenantId);
  return rows;
}

/** GraphQL's Int ends there. */
const MOST = 2_147_483_647;
const int = (column: string) => `least(${column}, ${MOST})::int as ${column}`;

const platformDays = query<UsageDayRow>(
  'usage_days_of_all',
  `select day, ${int('agents')}, ${int('contacts')}, ${int('messages')} from platform_usage_days
    where day > ${TODAY} - $1::int order by day`,
);

/** All tenants together, oldest first. */
export function platformUsage(ctx: Context, days: number): Promise<UsageDayRow[]> {
  return ctx.rows(platformDays, [days]);
}
