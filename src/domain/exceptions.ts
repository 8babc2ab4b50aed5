/** Days that differ from the week: holidays and special hours, of the organization or of a division. */
import type { EntityManager } from '@mikro-orm/postgresql';
import { newId, nowDate } from '../clock.ts';
import type { Context } from '../context.ts';
import { query } from '../db/control.ts';
import { ExceptionOptOut, WorkingHoursException } from '../entities/tenant/working-hours-exception.ts';
import { AppError, type ErrorDetail, invalid, notFound } from '../errors.ts';
import { tenantAudit } from './audit.ts';
import type { TenantAction } from './audit-actions.ts';
import { TenantPermission } from './permissions.ts';
import { editSchedule, type Scope } from './schedule-edits.ts';
import { findDivision, requireDivision } from './weekly-hours.ts';
import { commonDate, LONGEST, LONGEST_YEARLY } from './working-hours/occurrences.ts';
import { hoursOverlaps } from './working-hours/overlaps.ts';
import { dayOf, type Hours, type ScheduleException, spanOf } from './working-hours/schedule.ts';
import { spanText } from './working-hours/words.ts';

/** An exception as it is read. */
export interface ExceptionRow extends ScheduleException {
  id: string;
  divisionId?: string | null;
  /** Divisions for which it does not hold. */
  optedOutDivisionIds: string[];
  createdAt: string | Date;
  updatedAt: string | Date;
}

const COLUMNS = `id, division_id as "divisionId", name, start_date::text as "startDate", end_date::text as "endDate", yearly,
  hours, created_at as "createdAt", updated_at as "updatedAt",
  array(select o.division_id from exception_opt_outs o where o.exception_id = e.id order by o.division_id)
    as "optedOutDivisionIds"`;

const page = query<ExceptionRow>(
  'exceptions',
  `select ${COLUMNS} from working_hours_exceptions e
    where ($1::uuid is null or id > $1) and ($2::uuid is null or division_id = $2) order by id limit $3`,
);
const one = query<ExceptionRow>('exception', `select ${COLUMNS} from working_hours_exceptions e where id = $1`);

/** On one level. Each is held against all others. */
const MOST_EXCEPTIONS = 500;

export interface ExceptionPage {
  limit: number | null;
  after?: string | null;
  /** Only those of this division. */
  divisionId?: string | null;
}

/** In the order in which they were made. @throws {AppError} not_found for a division. */
export async function listExceptions(
  ctx: Context,
  { limit, after, divisionId }: ExceptionPage,
): Promise<ExceptionRow[]> {
  if (divisionId) await requireDivision(ctx, divisionId);
  return ctx.tenantRows(page, [after ?? null, divisionId ?? null, limit]);
}

/** @throws {AppError} not_found */
export async function getException(ctx: Context, id: string): Promise<ExceptionRow> {
  const [row] = await ctx.tenantRows(one, [id]);
  if (!row) throw notFound('exception');
  return row;
}

export interface NewException {
  name: string;
  startDate: string;
  /** The start, where it is left out. */
  endDate?: string;
  yearly: boolean;
  hours: Hours[];
  divisionId?: string;
}

/** @throws {AppError} validation_failed also where it meets another of its level; not_found for a division. */
export async function createException(ctx: Context, input: NewException): Promise<ExceptionRow> {
  const [made] = await createExceptions(ctx, input.divisionId ?? null, 'exception.create', () => [input]);
  return made!;
}

/**
 * All of them, or none.
 *
 * @param choose which ones, by what stands on that level; nobody changes it meanwhile.
 */
export async function createExceptions(
  ctx: Context,
  scope: Scope,
  action: Extract<TenantAction, `exception.${string}`>,
  choose: (level: readonly ScheduleException[]) => readonly NewException[],
): Promise<ExceptionRow[]> {
  refuseOutsiders(await mayEveryones(ctx), scope);
  return editSchedule(ctx, async (em, touch) => {
    await findDivision(em, scope);
    const standing = await em.find(WorkingHoursException, { divisionId: scope });
    const level = [...standing];
    const inputs = choose(standing);
    refuseTooMany(standing.length + inputs.length);
    const made = inputs.map((input) => {
      const fields = checked(input);
      refuseMeeting(fields, level);
      const now = nowDate();
      const exception = em.create(WorkingHoursException, {
        ...fields,
        id: newId(),
        divisionId: scope,
        createdAt: now,
        updatedAt: now,
      });
      level.push(exception);
      return exception;
    });
    for (const exception of made) {
      tenantAudit(em, ctx, { action, target: target(exception), after: fieldsOf(exception) });
    }
    if (made.length > 0) touch(scope);
    return made.map((exception) => rowOf(exception, []));
  });
}

/** @throws {AppError} as createException, and not_found. */
export async function updateException(ctx: Context, id: string, patch: Partial<NewException>): Promise<ExceptionRow> {
  const everyones = await mayEveryones(ctx);
  return editSchedule(ctx, async (em, touch) => {
    const exception = await findException(em, id);
    refuseOutsiders(everyones, exception.divisionId ?? null);
    const before = fieldsOf(exception);
    // A start alone moves a single day, as one who changes its date means it.
    const endDate =
      patch.endDate ?? (patch.startDate && before.startDate === before.endDate ? patch.startDate : before.endDate);
    const after = checked({ ...before, ...patch, endDate });
    const level = await em.find(WorkingHoursException, { divisionId: exception.divisionId ?? null, id: { $ne: id } });
    refuseMeeting(after, level);
    if (JSON.stringify(before) !== JSON.stringify(after)) {
      em.assign(exception, after);
      touch(exception.divisionId ?? null);
      tenantAudit(em, ctx, { action: 'exception.update', target: target(exception), before, after });
    }
    await em.flush();
    return rowOf(exception, await optedOut(em, id));
  });
}

/** @throws {AppError} not_found */
export async function deleteException(ctx: Context, id: string): Promise<string> {
  const everyones = await mayEveryones(ctx);
  return editSchedule(ctx, async (em, touch) => {
    const exception = await findException(em, id);
    refuseOutsiders(everyones, exception.divisionId ?? null);
    em.remove(exception);
    touch(exception.divisionId ?? null);
    tenantAudit(em, ctx, { action: 'exception.delete', target: target(exception), before: fieldsOf(exception) });
    return id;
  });
}

/**
 * Lets an exception of the organization not hold for a division, or hold again; doing it again changes nothing.
 *
 * @throws {AppError} not_found; validation_failed for an exception that is a division's own.
 */
export function setOptOut(ctx: Context, divisionId: string, exceptionId: string, out: boolean): Promise<ExceptionRow> {
  return editSchedule(ctx, async (em, touch) => {
    await findDivision(em, divisionId);
    const exception = await findException(em, exceptionId);
    if (exception.divisionId) {
      throw invalid(
        'exceptionId',
        'belongs to a division: only exceptions of the whole organization can be opted out of',
      );
    }
    const isOut = (await optedOut(em, exceptionId)).includes(divisionId);
    if (isOut !== out) {
      if (out) em.persist(em.create(ExceptionOptOut, { exceptionId, divisionId }));
      else await em.nativeDelete(ExceptionOptOut, { exceptionId, divisionId });
      // Kept with the exception, as part of the organization's hours.
      touch(null);
      tenantAudit(em, ctx, {
        action: out ? 'exception.opt_out' : 'exception.opt_in',
        target: target(exception),
        after: { divisionId },
      });
      await em.flush();
    }
    return rowOf(exception, await optedOut(em, exceptionId));
  });
}

/** Asked before an edit holds one of the tenant's few connections: where it is not in memory, it takes another one. */
const mayEveryones = (ctx: Context): Promise<boolean> => ctx.may(TenantPermission.SETTINGS_MANAGE);

/** The operations demand divisions.manage; the organization's own exceptions are a setting of the organization. */
function refuseOutsiders(everyones: boolean, scope: Scope): void {
  if (scope !== null || everyones) return;
  throw new AppError('forbidden', {
    message: 'Exceptions of the whole organization need the permission settings.manage.',
  });
}

async function findException(em: EntityManager, id: string): Promise<WorkingHoursException> {
  const exception = await em.findOne(WorkingHoursException, { id });
  if (!exception) throw notFound('exception');
  return exception;
}

async function optedOut(em: EntityManager, exceptionId: string): Promise<string[]> {
  const rows = await em.fork({ keepTransactionContext: true }).find(ExceptionOptOut, { exceptionId });
  return rows.map(({ divisionId }) => divisionId).sort();
}

/** @throws {AppError} limit_reached */
export function refuseTooMany(count: number): void {
  if (count <= MOST_EXCEPTIONS) return;
  throw new AppError('limit_reached', { message: `There may be at most ${MOST_EXCEPTIONS} exceptions on one level.` });
}

type Fields = Pick<WorkingHoursException, 'name' | 'startDate' | 'endDate' | 'yearly'> & { hours: Hours[] };

const fieldsOf = ({ name, startDate, endDate, yearly, hours }: Fields): Fields => ({
  name,
  startDate,
  endDate,
  yearly,
  hours: hours.map(({ startTime, endTime }) => ({ startTime, endTime })),
});

const rowOf = (exception: WorkingHoursException, optedOutDivisionIds: string[]): ExceptionRow => ({
  ...fieldsOf(exception),
  id: exception.id,
  divisionId: exception.divisionId,
  optedOutDivisionIds,
  createdAt: exception.createdAt,
  updatedAt: exception.updatedAt,
});

const target = ({ id }: { id: string }) => ({ type: 'exception', id });

/** What the fields mean together. @throws {AppError} validation_failed */
function checked({ name, startDate, endDate = startDate, yearly, hours }: Omit<NewException, 'divisionId'>): Fields {
  const details: ErrorDetail[] = [];
  const days = dayOf(endDate) - dayOf(startDate) + 1;
  const longest = yearly ? LONGEST_YEARLY : LONGEST;
  if (days < 1) details.push({ field: 'endDate', message: `must not lie before ${startDate}, where it starts` });
  if (days > longest) details.push({ field: 'endDate', message: `must lie within ${longest} days of the start` });
  for (const [earlier, later] of hoursOverlaps(hours, days)) {
    details.push({
      field: `hours[${later}]`,
      message: `${spanText(spanOf(hours[later]!))} overlaps hours[${earlier}], ${spanText(spanOf(hours[earlier]!))}`,
    });
  }
  if (details.length > 0) throw new AppError('validation_failed', { details });
  return fieldsOf({ name, startDate, endDate, yearly, hours });
}

/** What would be refused on one level, is. @throws {AppError} validation_failed, its fields by their place in the list. */
export function checkedTogether(inputs: readonly Omit<NewException, 'divisionId'>[]): Fields[] {
  const level: Fields[] = [];
  for (const [index, input] of inputs.entries()) {
    try {
      const fields = checked(input);
      refuseMeeting(fields, level);
      level.push(fields);
    } catch (error) {
      if (!(error instanceof AppError) || !error.details) throw error;
      const details = error.details.map(({ field, message }) => ({ field: `exceptions[${index}].${field}`, message }));
      throw new AppError('validation_failed', { details });
    }
  }
  return level;
}

/** On one level one date has one exception: which of two would count is nothing that anybody should have to know. */
function refuseMeeting(fields: Fields, level: readonly Fields[]): void {
  for (const other of level) {
    const date = commonDate(fields, other);
    if (date) throw invalid('startDate', `"${other.name}" covers ${date} already`);
  }
}
