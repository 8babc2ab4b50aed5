import { Arg, Args, Ctx, Field, Int, Mutation, ObjectType, Query, Resolver, registerEnumType } from 'type-graphql';
import type { Context } from '../context.ts';
import * as calendars from '../domain/hours-calendar.ts';
import { SKIP_REASONS, type SkipCode } from '../domain/icalendar/reasons.ts';
import { HolidayFeedArgs } from '../schema/hours-inputs.ts';
import { Allow } from '../schema/permissions.ts';
import { DateScalar, UuidScalar } from '../schema/scalars.ts';

const HolidayState = { NEW: 'new', STANDS: 'stands', MEETS: 'meets' } as const satisfies Record<
  string,
  calendars.PlannedHoliday['state']
>;
registerEnumType(HolidayState, {
  name: 'HolidayState',
  description: 'What an import does with a holiday.',
  valuesConfig: {
    NEW: { description: 'It is added.' },
    STANDS: { description: 'It is there already.' },
    MEETS: { description: 'Another exception covers one of its days: it is left out.' },
  },
});

const SkipCodes = Object.fromEntries(Object.keys(SKIP_REASONS).map((code) => [code, code]));
registerEnumType(SkipCodes, {
  name: 'SkipCode',
  description: 'Why an event of a calendar gives no holiday.',
  valuesConfig: Object.fromEntries(
    Object.entries(SKIP_REASONS).map(([code, text]) => [code, { description: `Said as "${text}".` }]),
  ),
});

@ObjectType({ description: 'A holiday of a calendar.' })
class ImportedHoliday {
  @Field({ description: 'What the event is called.' })
  name!: string;

  @Field(() => DateScalar, { description: 'The first day.' })
  startDate!: string;

  @Field(() => DateScalar, { description: 'The last day.' })
  endDate!: string;

  @Field({ description: 'Comes back every year.' })
  yearly!: boolean;

  @Field(() => HolidayState, { description: 'What importing it does, or would do.' })
  state!: calendars.PlannedHoliday['state'];

  @Field(() => String, { nullable: true, description: 'The name of the exception that is in its way.' })
  inTheWay?: string;
}

@ObjectType({ description: 'An event of a calendar that is no holiday.' })
class SkippedEvent {
  @Field(() => Int, { nullable: true, description: 'The line of the file where it begins, from 1.' })
  line?: number;

  @Field(() => String, { nullable: true, description: 'What the file calls it.' })
  summary?: string;

  @Field({ description: 'Completes a sentence about the event.' })
  reason!: string;

  @Field(() => SkipCodes, { description: 'The same for programs; the fields below are what it is about.' })
  code!: SkipCode;

  @Field(() => Int, {
    nullable: true,
    description: 'How many days may come back every year, or how many events it is about.',
  })
  count?: number;

  @Field(() => String, { nullable: true, description: 'The part of the rule of recurrence, such as BYHOUR.' })
  part?: string;

  @Field(() => DateScalar, { nullable: true, description: 'The day that is closed already.' })
  date?: string;

  @Field(() => String, { nullable: true, description: 'What closes that day.' })
  by?: string;

  @Field(() => DateScalar, { nullable: true, description: 'The first day of those that are read.' })
  from?: string;

  @Field(() => DateScalar, { nullable: true, description: 'The last day of those that are read.' })
  to?: string;
}

@ObjectType({ description: 'What an import of holidays does, or would do.' })
class HolidayImport {
  @Field(() => [ImportedHoliday], { description: "What the file's whole-day events come to." })
  holidays!: ImportedHoliday[];

  @Field(() => [SkippedEvent], { description: 'What in the file was passed over, and why.' })
  skipped!: SkippedEvent[];
}

@Resolver()
export class HoursCalendarResolver {
  @Query(() => HolidayImport, { description: 'What importing a calendar of holidays would do. Changes nothing.' })
  @Allow('divisions.manage')
  holidayImportPreview(
    @Ctx() ctx: Context,
    @Args(() => HolidayFeedArgs) { calendar, divisionId }: HolidayFeedArgs,
  ): Promise<calendars.HolidayPlan> {
    return calendars.previewHolidays(ctx, calendar, divisionId);
  }

  @Mutation(() => HolidayImport, {
    description:
      'Adds the holidays of a calendar as closed days, those that are new; all of them, or none. For the whole organization it needs settings.manage besides.',
  })
  @Allow('divisions.manage')
  importHolidays(
    @Ctx() ctx: Context,
    @Args(() => HolidayFeedArgs) { calendar, divisionId }: HolidayFeedArgs,
  ): Promise<calendars.HolidayPlan> {
    return calendars.importHolidays(ctx, calendar, divisionId);
  }

  @Query(() => String, {
    description: 'The hours as an iCalendar file (RFC 5545) with VTIMEZONE, exceptions of the coming years included.',
  })
  @Allow('tenant')
  workingHoursCalendar(
    @Ctx() ctx: Context,
    @Arg('divisionId', () => UuidScalar, { nullable: true }) divisionId?: string,
  ): Promise<string> {
    return calendars.hoursCalendar(ctx, divisionId);
  }
}
