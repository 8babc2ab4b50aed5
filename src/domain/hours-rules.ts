/** What the fields of schedules may hold; both surfaces are held to these (contract section 3). */
import { z } from 'zod';
import { INSTANT, instantFrom, isDate } from '../instants.ts';
import { timeZoneName } from '../time-zones.ts';
import * as rules from './rules.ts';
import { type Hours, secondsOf } from './working-hours/schedule.ts';

const TIME = /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/;
const withSeconds = (time: string) => (time.length === 5 ? `${time}:00` : time);

/** Answered as `HH:MM:SS`, whatever it came as. */
const startTime = z
  .string()
  .regex(TIME, { error: 'must be a time of day, HH:MM or HH:MM:SS, from 00:00 to 23:59:59' })
  .transform(withSeconds)
  .meta({ examples: ['08:00'] });

/** `24:00`, as ISO 8601 writes the end of a day, is `00:00` here. */
const endTime = z
  .string()
  .transform((time) => (/^24:00(:00)?$/.test(time) ? '00:00' : time))
  .pipe(
    z.string().regex(TIME, { error: 'must be a time of day, HH:MM or HH:MM:SS, where 00:00 is the end of the day' }),
  )
  .transform(withSeconds)
  .meta({ examples: ['17:00'] });

const hours = { startTime, endTime };

function refuseEmpty({ value, issues }: { value: Hours; issues: unknown[] }): void {
  if (value.startTime !== value.endTime || secondsOf(value.startTime) === 0) return;
  issues.push({
    code: 'custom',
    input: value,
    path: ['endTime'],
    message: 'must differ from the start (00:00 to 00:00 is open all day)',
  });
}

/** 0 is Sunday. */
const dayOfWeek = z
  .int({ error: 'must be a whole number' })
  .min(0, { error: 'must be 0 (Sunday) to 6 (Saturday)' })
  .max(6, { error: 'must be 0 (Sunday) to 6 (Saturday)' });

const entry = z.strictObject({ dayOfWeek, ...hours, isActive: z.boolean().default(true) }).check(refuseEmpty);

/** An entry for each hour of a week is more than anybody needs. */
const MOST_ENTRIES = 168;

export const week = z.array(entry).max(MOST_ENTRIES, { error: `must have at most ${MOST_ENTRIES} entries` });

export const days = week.min(1, { error: 'must name at least one day' });

/** Spelt as the IANA database spells it. */
export const timezone = z
  .string()
  .refine((name) => timeZoneName(name) !== undefined, {
    error: 'must be the IANA name of a time zone, such as Asia/Jakarta',
  })
  .transform((name) => timeZoneName(name)!)
  .meta({ examples: ['Asia/Jakarta'] });

/** A day of the calendar, `YYYY-MM-DD`, from 1970 to 2199. */
export const date = z
  .string()
  .refine((text) => isDate(text) && text >= '1970' && text < '2200', {
    error: 'must be a date, YYYY-MM-DD, from 1970-01-01 to 2199-12-31',
  })
  .meta({ format: 'date', examples: ['2026-12-25'] });

/** Empty: closed. */
const exceptionHours = z
  .array(z.strictObject(hours).check(refuseEmpty))
  .max(24, { error: 'must have at most 24 entries' });

const exceptionFields = {
  name: rules.name,
  startDate: date,
  /** The start, where it is left out. */
  endDate: date.optional(),
  yearly: z.boolean(),
  hours: exceptionHours,
};

export const newException = z.strictObject({
  ...exceptionFields,
  divisionId: rules.uuid.optional(),
  yearly: exceptionFields.yearly.default(false),
  hours: exceptionHours.default([]),
});

export const unsavedException = newException.omit({ divisionId: true });

export const exceptionPatch = z.strictObject(exceptionFields).partial();

const [EARLIEST, LATEST] = [Date.UTC(1970, 0), Date.UTC(2200, 0)];
const isKnownTime = (date: Date) => date.getTime() >= EARLIEST && date.getTime() < LATEST;
const OUT_OF_RANGE = 'must lie in the years 1970 to 2199';

/** An instant of a question: what is known of time zones begins about 1970, and nobody plans beyond 2199. */
export const instant = z.date().refine(isKnownTime, { error: OUT_OF_RANGE });

/** The same as text, which becomes a GraphQL variable and is parsed there. */
export const instantText = z
  .string()
  .refine((text) => instantFrom(text) !== undefined, {
    error: `must be ${INSTANT} (a "+" is written %2B in a URL)`,
    abort: true,
  })
  .refine((text) => isKnownTime(instantFrom(text)!), { error: OUT_OF_RANGE })
  .meta({ format: 'date-time', examples: ['2026-11-21T08:00:00Z'] });

/** Either, for inputs that both surfaces check by one rule. */
export const anyInstant = z
  .unknown()
  .refine((value) => (value instanceof Date ? instant : instantText).safeParse(value).success, {
    error: `must be ${INSTANT}, in the years 1970 to 2199`,
  })
  .meta({ type: 'string', format: 'date-time' });

const MOST_CHANGES = 500;

/** Of coming changes. */
export const count = z
  .int({ error: 'must be a whole number' })
  .min(1, { error: `must be 1 to ${MOST_CHANGES}` })
  .max(MOST_CHANGES, { error: `must be 1 to ${MOST_CHANGES}` });

const TEN_YEARS = 5_256_000;

export const minutes = z
  .int({ error: 'must be a whole number' })
  .min(0, { error: 'must not be negative' })
  .max(TEN_YEARS, { error: `must be at most ${TEN_YEARS}, ten years` });
