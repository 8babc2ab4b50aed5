/** The week of the organization and of its divisions (seed: Working Hours). */
import type { EntityManager } from '@mikro-orm/postgresql';
import { newId, nowDate } from '../clock.ts';
import type { Context } from '../context.ts';
import { query } from '../db/control.ts';
import { Division } from '../entities/tenant/division.ts';
import { WorkingHours } from '../entities/tenant/working-hours.ts';
import { AppError, notFound } from '../errors.ts';
import { tenantAudit } from './audit.ts';
import { editSchedule, type Scope } from './schedule-edits.ts';
import { weeklyOverlaps } from './working-hours/overlaps.ts';
import type { WeeklyEntry } from './working-hours/schedule.ts';
import { entryText } from './working-hours/words.ts';

/** An entry as it is read. */
export type WorkingHoursRow = Pick<
  WorkingHours,
  'id' | 'divisionId' | 'dayOfWeek' | 'startTime' | 'endTime' | 'isActive'
> & {
  createdAt: string | Date;
  updatedAt: string | Date;
};

const COLUMNS = `id, division_id as "divisionId", day_of_week as "dayOfWeek", start_time::text as "startTime",
  end_time::text as "endTime", is_active as "isActive", created_at as "createdAt", updated_at as "updatedAt"`;
const ORDER = 'order by day_of_week, start_time, id';

const ofOrganization = query<WorkingHoursRow>(
  'hours_of_organization',
  `select ${COLUMNS} from working_hours where division_id is null ${ORDER}`,
);
const ofDivision = query<WorkingHoursRow>(
  'hours_of_division',
  `select ${COLUMNS} from working_hours where division_id = $1 ${ORDER}`,
);
const divisionExists = query<{ id: string }>('division_exists', 'select id from divisions where id = $1');

export function organizationHours(ctx: Context): Promise<WorkingHoursRow[]> {
  return ctx.tenantRows(ofOrganization);
}

export interface DivisionHours {
  isOverride: boolean;
  workingHours: WorkingHoursRow[];
}

/** The division's own hours, else the organization's. @throws {AppError} not_found */
export async function divisionHours(ctx: Context, divisionId: string): Promise<DivisionHours> {
  const own = await ctx.tenantRows(ofDivision, [divisionId]);
  if (own.length > 0) return { isOverride: true, workingHours: own };
  await requireDivision(ctx, divisionId);
  return { isOverride: false, workingHours: await organizationHours(ctx) };
}

/** @throws {AppError} not_found */
export async function requireDivision(ctx: Context, divisionId: string): Promise<void> {
  const [division] = await ctx.tenantRows(divisionExists, [divisionId]);
  if (!division) throw notFound('division');
}

/**
 * Replaces all entries of the days that are named, leaving the others.
 *
 * @param scope a division's first entries become its override: days that are not named are closed then.
 * @returns all entries of the scope.
 * @throws {AppError} validation_failed naming both entries that overlap; not_found for a division.
 */
export function updateHours(ctx: Context, scope: Scope, days: readonly WeeklyEntry[]): Promise<WorkingHoursRow[]> {
  return editSchedule(ctx, async (em, touch) => {
    await findDivision(em, scope);
    const standing = await em.find(
      WorkingHours,
      { divisionId: scope },
      { orderBy: { dayOfWeek: 'asc', startTime: 'asc', id: 'asc' } },
    );
    const named = new Set(days.map(({ dayOfWeek }) => dayOfWeek));
    const kept = standing.filter(({ dayOfWeek }) => !named.has(dayOfWeek));
    refuseOverlaps(days, kept);
    const replaced = standing.filter(({ dayOfWeek }) => named.has(dayOfWeek));
    const before = replaced.map(entryOf);
    const made = [...named].flatMap((day) =>
      replaceDay(
        em,
        scope,
        replaced.filter(({ dayOfWeek }) => dayOfWeek === day),
        days.filter(({ dayOfWeek }) => dayOfWeek === day),
      ),
    );
    const now = [...kept, ...made].sort(byTime);
    const after = now.filter(({ dayOfWeek }) => named.has(dayOfWeek)).map(entryOf);
    if (JSON.stringify(before) !== JSON.stringify(after)) {
      touch(scope);
      tenantAudit(em, ctx, {
        action: 'working_hours.update',
        ...target(scope),
        before: { days: before },
        after: { days: after },
      });
    }
    await em.flush();
    return now;
  });
}

/** Takes a division back to the organization's hours. @throws {AppError} not_found where it has none of its own. */
export async function deleteDivisionHours(ctx: Context, divisionId: string): Promise<string> {
  return editSchedule(ctx, async (em, touch) => {
    const standing = await em.find(WorkingHours, { divisionId }, { orderBy: { dayOfWeek: 'asc', startTime: 'asc' } });
    if (standing.length === 0) {
      await findDivision(em, divisionId);
      throw new AppError('not_found', { message: 'This division has no hours of its own.' });
    }
    em.remove(standing);
    touch(divisionId);
    tenantAudit(em, ctx, {
      action: 'working_hours.delete',
      ...target(divisionId),
      before: { days: standing.map(entryOf) },
    });
    return divisionId;
  });
}

/** @throws {AppError} not_found for a division that the tenant does not have. */
export async function findDivision(em: EntityManager, scope: Scope | undefined): Promise<void> {
  if (scope && !(await em.findOne(Division, scope))) throw notFound('division');
}

const target = (scope: Scope) => (scope === null ? {} : { target: { type: 'division', id: scope } });

const entryOf = ({ dayOfWeek, startTime, endTime, isActive }: WeeklyEntry): WeeklyEntry => ({
  dayOfWeek,
  startTime,
  endTime,
  isActive,
});

const byTime = (a: WeeklyEntry, b: WeeklyEntry) => a.dayOfWeek - b.dayOfWeek || (a.startTime < b.startTime ? -1 : 1);

function refuseOverlaps(days: readonly WeeklyEntry[], kept: readonly WeeklyEntry[]): void {
  const all = [...days, ...kept];
  const details = weeklyOverlaps(all).map(([one, other]) => {
    // What stood before does not overlap among itself: one of the two is new.
    const [mine, its] = other < days.length ? [other, one] : [one, other];
    const place = its < days.length ? `days[${its}]` : 'the entry that stands';
    return { field: `days[${mine}]`, message: `${entryText(all[mine]!)} overlaps ${place}, ${entryText(all[its]!)}` };
  });
  if (details.length > 0) throw new AppError('validation_failed', { details });
}

/** What is the same stays untouched; of the others, as many as go on keep their ids. */
function replaceDay(
  em: EntityManager,
  divisionId: Scope,
  standing: WorkingHours[],
  wanted: readonly WeeklyEntry[],
): WorkingHours[] {
  const now = nowDate();
  const textOf = (entry: WeeklyEntry) => JSON.stringify(entryOf(entry));
  const kept = new Map(standing.map((existing) => [textOf(existing), existing]));
  const texts = new Set(wanted.map(textOf));
  const free = standing.filter((existing) => !texts.has(textOf(existing)));
  const made = [...wanted].sort(byTime).map((entry) => {
    const same = kept.get(textOf(entry));
    if (same) return same;
    const existing = free.shift();
    if (existing) return em.assign(existing, entry);
    return em.create(WorkingHours, { ...entry, id: newId(), divisionId, createdAt: now, updatedAt: now });
  });
  em.remove(free);
  return made;
}
