/** Schedules as calendars: holidays that come in as a file, hours that go out as one (RFC 5545). */
import { type Context, tenantUser } from '../context.ts';
import { query } from '../db/control.ts';
import { invalid } from '../errors.ts';
import { createExceptions, type ExceptionRow, listExceptions, type NewException } from './exceptions.ts';
import { scheduleCalendar } from './icalendar/export.ts';
import { CalendarError, readHolidays, type SkippedEvent } from './icalendar/import.ts';
import { commonDate } from './working-hours/occurrences.ts';

/** Holidays are taken from the beginning of last year on, for so many years. */
const IMPORT_YEARS = 6;

/** What an import does, or would do, with one holiday. */
export interface PlannedHoliday {
  name: string;
  startDate: string;
  endDate: string;
  yearly: boolean;
  /** `new` ones are added; one that `stands` is there already; one that `meets` another exception of its level is left out. */
  state: 'new' | 'stands' | 'meets';
  /** Of the exception that is in the way. */
  inTheWay?: string;
}

export interface HolidayPlan {
  holidays: PlannedHoliday[];
  skipped: SkippedEvent[];
}

/** What importing would do; changes nothing. @throws {AppError} validation_failed naming the line, not_found */
export async function previewHolidays(
  ctx: Context,
  calendar: string,
  divisionId?: string | null,
): Promise<HolidayPlan> {
  const { schedules } = ctx.services;
  // Also tells of a division that is not there.
  (await schedules.now(tenantUser(ctx).orgId)).scope(divisionId);
  return plan(calendar, await ofLevel(ctx, divisionId));
}

/** Adds the new ones: all of them, or none. @throws {AppError} as previewHolidays, and limit_reached. */
export async function importHolidays(ctx: Context, calendar: string, divisionId?: string | null): Promise<HolidayPlan> {
  const planned = await previewHolidays(ctx, calendar, divisionId);
  const fresh = planned.holidays.filter(({ state }) => state === 'new');
  if (fresh.length > 0) {
    const inputs = fresh.map(({ name, startDate, endDate, yearly }): NewException => {
      return { name, startDate, endDate, yearly, hours: [] };
    });
    await createExceptions(ctx, divisionId ?? null, inputs, 'exception.import');
  }
  return planned;
}

async function ofLevel(ctx: Context, divisionId: string | null | undefined): Promise<ExceptionRow[]> {
  const all = await listExceptions(ctx, { limit: null, divisionId });
  return divisionId ? all : all.filter((exception) => !exception.divisionId);
}

function plan(calendar: string, level: readonly ExceptionRow[]): HolidayPlan {
  const thisYear = new Date().getUTCFullYear();
  const window = { from: `${thisYear - 1}-01-01`, to: `${thisYear - 2 + IMPORT_YEARS}-12-31` };
  const { holidays, skipped } = read(calendar, window);
  return {
    skipped,
    holidays: holidays.map(({ name, startDate, endDate, yearly }) => {
      const planned = { name, startDate, endDate, yearly };
      const met = level.find((exception) => commonDate(planned, exception));
      if (!met) return { ...planned, state: 'new' };
      const same = met.name === name && met.startDate === startDate && met.endDate === endDate && met.yearly === yearly;
      return same ? { ...planned, state: 'stands' } : { ...planned, state: 'meets', inTheWay: met.name };
    }),
  };
}

function read(calendar: string, window: { from: string; to: string }): ReturnType<typeof readHolidays> {
  try {
    return readHolidays(calendar, window);
  } catch (error) {
    if (!(error instanceof CalendarError)) throw error;
    throw invalid('calendar', error.line === undefined ? error.message : `line ${error.line}: ${error.message}`);
  }
}

const organizationName = query<{ name: string }>('organization_name', 'select name from organizations where id = $1');

/** The hours as a calendar, exceptions for the coming years included. @throws {AppError} not_found */
export async function hoursCalendar(ctx: Context, divisionId?: string | null): Promise<string> {
  const { orgId } = tenantUser(ctx);
  const { clock, division } = (await ctx.services.schedules.now(orgId)).scope(divisionId);
  const [organization] = await ctx.rows(organizationName, [orgId]);
  const now = new Date();
  return scheduleCalendar({
    schedule: clock.schedule,
    name: [organization?.name, division?.name, 'working hours'].filter(Boolean).join(' '),
    uid: divisionId ?? orgId,
    from: clock.localTime(now.getTime()).day,
    now,
  });
}
