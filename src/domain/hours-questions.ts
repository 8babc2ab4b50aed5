/** What can be asked of a tenant's hours: now, at any instant, in working time, and before they are saved. */
import { nowMs } from '../clock.ts';
import { type Context, type Services, tenantUser } from '../context.ts';
import { invalid } from '../errors.ts';
import { MOST_LAG_MS } from '../live/remembered.ts';
import { checkedTogether, type NewException } from './exceptions.ts';
import { publicTenant } from './public-tenant.ts';
import type { ScopeHours } from './tenant-hours.ts';
import { afterOpenTime, openTimeBetween } from './working-hours/business-time.ts';
import type { Change, LocalTime } from './working-hours/clock.ts';
import { type Explanation, explain, type Rule } from './working-hours/explanation.ts';
import { preview } from './working-hours/preview.ts';
import { DAY, dateOf, type WeeklyEntry } from './working-hours/schedule.ts';
import { timeText } from './working-hours/words.ts';

const MINUTE = 60_000;
/** How far working time is counted, in milliseconds: ten years. */
const LONGEST_COUNT = 3653 * DAY * 1000;

export interface HoursStatus {
  isWorkingHours: boolean;
  timezone: string;
  /** `HH:MM` of the wall clock. */
  currentTime: string;
  /** RFC 3339 with the zone's offset; now is told to the minute. */
  localTime: string;
  nextChangeAt?: Date;
  explanation: string;
  rule: Rule;
}

export interface StatusQuestion {
  /** A slug. */
  tenant?: string | null;
  divisionId?: string | null;
  at?: Date | null;
}

/** Open to all. @throws {AppError} tenant_required, not_found */
export async function hoursStatus(ctx: Context, { tenant, divisionId, at }: StatusQuestion): Promise<HoursStatus> {
  const orgId = await publicTenant(ctx, tenant);
  const { schedules } = ctx.services;
  if (!at) return presentStatus((await schedules.now(orgId)).scope(divisionId));
  return statusOf(await schedules.at(orgId, divisionId, at.getTime()), at.getTime());
}

/**
 * The edition of what public questions are answered from. As long as it is the same, and the answer's minute is, so is the
 * answer.
 *
 * @returns undefined while this process may not know of every change.
 */
export function hoursEdition({ bus, schedules, directory }: Services): number | undefined {
  return bus.isCurrent(MOST_LAG_MS) ? schedules.edition + directory.edition : undefined;
}

/** The last answer of each scope, and until when it is the answer. */
const answered = new WeakMap<ScopeHours, { status: HoursStatus; from: number; until: number }>();

/** Now is told to the minute: everybody who asks within one gets the same answer, unless the business opens or closes in it. */
function presentStatus(scope: ScopeHours): HoursStatus {
  const now = nowMs();
  const known = answered.get(scope);
  if (known && known.from <= now && now < known.until) return known.status;
  const minute = now - (now % MINUTE);
  const status = { ...statusOf(scope, now), localTime: rfc3339(scope.clock.localTime(minute)) };
  const until = Math.min(minute + MINUTE, status.nextChangeAt?.getTime() ?? Number.POSITIVE_INFINITY);
  answered.set(scope, { status, from: now, until });
  return status;
}

/** How a scope's hours stand at an instant, in milliseconds since the epoch. */
export function statusOf({ clock, division }: ScopeHours, instant: number): HoursStatus {
  const { isOpen, rule, text }: Explanation = explain(clock, instant, division?.name);
  const local = clock.localTime(instant);
  const next = clock.nextChange(instant);
  return {
    isWorkingHours: isOpen,
    timezone: clock.schedule.timezone,
    currentTime: timeText(local.second - (local.second % 60)),
    localTime: rfc3339(local),
    ...(next && { nextChangeAt: new Date(next.at) }),
    explanation: text,
    rule,
  };
}

function rfc3339({ day, second, offset }: LocalTime): string {
  const minutes = Math.round(Math.abs(offset) / MINUTE);
  const [hour, minute] = [Math.floor(minutes / 60), minutes % 60].map((value) => String(value).padStart(2, '0'));
  const time = timeText(second).padEnd(8, ':00');
  return `${dateOf(day)}T${time}${offset < 0 ? '-' : '+'}${hour}:${minute}`;
}

/** The coming changes of the caller's tenant, by what is known now. @throws {AppError} not_found */
export async function comingChanges(
  ctx: Context,
  { divisionId, at, count }: { divisionId?: string | null; at?: Date | null; count: number },
): Promise<Change[]> {
  const instant = at?.getTime() ?? nowMs();
  const { clock } = await ctx.services.schedules.at(tenantUser(ctx).orgId, divisionId, instant);
  return clock.nextChanges(instant, count);
}

/**
 * The instant at which so many minutes of working time have passed since `at`, each moment judged by the schedule that
 * held then.
 *
 * @returns undefined when that takes more than ten years.
 * @throws {AppError} not_found
 */
export async function addBusinessMinutes(
  ctx: Context,
  { at, minutes, divisionId }: { at: Date; minutes: number; divisionId?: string | null },
): Promise<Date | undefined> {
  const start = at.getTime();
  let left = minutes * MINUTE;
  for await (const { reigns, from, to } of history(ctx, divisionId, start, start + LONGEST_COUNT)) {
    const passed = afterOpenTime(reigns, from, left, to);
    if (passed.at !== undefined) return new Date(passed.at);
    left = passed.left;
  }
  return undefined;
}

/** Minutes of working time, to the second. @throws {AppError} validation_failed, not_found */
export async function businessMinutesBetween(
  ctx: Context,
  { from, to, divisionId }: { from: Date; to: Date; divisionId?: string | null },
): Promise<number> {
  const [start, end] = [from.getTime(), to.getTime()];
  if (end < start) throw invalid('to', 'must not lie before "from"');
  if (end - start > LONGEST_COUNT) throw invalid('to', 'must lie within ten years of "from"');
  let total = 0;
  for await (const { reigns, from, to } of history(ctx, divisionId, start, end)) {
    total += openTimeBetween(reigns, from, to);
  }
  return total / MINUTE;
}

const history = (ctx: Context, divisionId: string | null | undefined, from: number, to: number) =>
  ctx.services.schedules.between(tenantUser(ctx).orgId, divisionId, from, to);

export interface UnsavedSchedule {
  divisionId?: string | null;
  timezone?: string | null;
  days?: readonly WeeklyEntry[] | null;
  exceptions?: readonly Omit<NewException, 'divisionId'>[] | null;
  from?: Date | null;
  count: number;
}

/** What a schedule would mean; what it leaves out is as it stands. @throws {AppError} not_found, validation_failed */
export async function previewHours(ctx: Context, unsaved: UnsavedSchedule) {
  const hours = await ctx.services.schedules.now(tenantUser(ctx).orgId);
  const { schedule } = hours.scope(unsaved.divisionId).clock;
  const exceptions = unsaved.exceptions && checkedTogether(unsaved.exceptions);
  const wanted = {
    timezone: unsaved.timezone ?? schedule.timezone,
    weekly: unsaved.days ?? schedule.weekly,
    exceptions: exceptions ?? schedule.exceptions,
  };
  return preview(wanted, unsaved.from?.getTime() ?? nowMs(), unsaved.count);
}
