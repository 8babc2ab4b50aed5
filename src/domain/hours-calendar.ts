/** Schedules as calendars: holidays that come in as a file, hours that go out as one (RFC 5545). */
import { nowDate } from '../clock.ts';
import { type Context, tenantUser } from '../context.ts';
import { query } from '../db/control.ts';
import { invalid } from '../errors.ts';
import { createExceptions, listExceptions, refuseTooMany } from './exceptions.ts';
import { scheduleCalendar } from './icalendar/export.ts';
import { CalendarError, type HolidayDraft, readHolidays, type SkippedEvent } from './icalendar/import.ts';
import { commonDate } from './working-hours/occurrences.ts';
import type { ScheduleException } from './working-hours/schedule.ts';

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

/** What importing would do; changes nothing. @throws {AppError} as importHolidays. */
export async function previewHolidays(
  ctx: Context,
  calendar: string,
  divisionId?: string | null,
): Promise<HolidayPlan> {
  const { holidays, skipped } = read(calendar);
  const all = await listExceptions(ctx, { limit: null, divisionId });
  const level = divisionId ? all : all.filter((exception) => !exception.divisionId);
  const planned = plan(holidays, level);
  refuseTooMany(level.length + planned.filter(isNew).length);
  return { holidays: planned, skipped };
}

/** Adds the new ones: all of them, or none. @throws {AppError} validation_failed naming the line, not_found, limit_reached. */
export async function importHolidays(ctx: Context, calendar: string, divisionId?: string | null): Promise<HolidayPlan> {
  const { holidays, skipped } = read(calendar);
  let planned: PlannedHoliday[] = [];
  await createExceptions(ctx, divisionId ?? null, 'exception.import', (level) => {
    planned = plan(holidays, level);
    return planned.filter(isNew).map((holiday) => ({ ...holiday, hours: [] }));
  });
  return { holidays: planned, skipped };
}

const isNew = ({ state }: PlannedHoliday) => state === 'new';

function plan(holidays: readonly HolidayDraft[], level: readonly ScheduleException[]): PlannedHoliday[] {
  return holidays.map(({ name, startDate, endDate, yearly }) => {
    const planned = { name, startDate, endDate, yearly };
    const met = level.find((exception) => commonDate(planned, exception));
    if (!met) return { ...planned, state: 'new' };
    const same = met.name === name && met.startDate === startDate && met.endDate === endDate && met.yearly === yearly;
    return same ? { ...planned, state: 'stands' } : { ...planned, state: 'meets', inTheWay: met.name };
  });
}

function read(calendar: string): ReturnType<typeof readHolidays> {
  const thisYear = nowDate().getUTCFullYear();
  const window = { from: `${thisYear - 1}-01-01`, to: `${thisYear - 2 + IMPORT_YEARS}-12-31` };
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
  const now = nowDate();
  return scheduleCalendar({
    schedule: clock.schedule,
    name: [organization?.name, division?.name, 'working hours'].filter(Boolean).join(' '),
    uid: divisionId ?? orgId,
    from: clock.localTime(now.getTime()).day,
    now,
  });
}
