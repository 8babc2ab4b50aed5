/** What operations on working hours take. */
import { ArgsType, Field, InputType, Int } from 'type-graphql';
import { z } from 'zod';
import * as hours from '../domain/hours-rules.ts';
import * as rules from '../domain/rules.ts';
import { PageArgs } from './paging.ts';
import { DateScalar, UuidScalar } from './scalars.ts';

const START = 'HH:MM or HH:MM:SS.';
const END = 'HH:MM or HH:MM:SS; before the start it is on the next day, 00:00 is the end of this one.';

@InputType({ description: 'One stretch of one weekday; several on a day are split shifts.' })
export class WorkingHoursEntryInput {
  @Field(() => Int, { description: '0 is Sunday, 6 Saturday.' })
  dayOfWeek!: number;

  @Field({ description: START })
  startTime!: string;

  @Field({ description: END })
  endTime!: string;

  @Field(() => Boolean, { nullable: true, description: 'False: closed. True unless said otherwise.' })
  isActive!: boolean;
}

@ArgsType()
export class UpdateWorkingHoursArgs {
  @Field(() => [WorkingHoursEntryInput], {
    description: 'All entries of the days that are named; the other days stay as they are.',
  })
  days!: WorkingHoursEntryInput[];

  static readonly rules = z.strictObject({ days: hours.days });
}

@ArgsType()
export class UpdateTimezoneArgs {
  @Field({ description: 'An IANA name, such as Asia/Jakarta.' })
  timezone!: string;

  static readonly rules = z.strictObject({ timezone: hours.timezone });
}

@InputType({ description: 'Hours by the wall clock.' })
export class HoursInput {
  @Field({ description: START })
  startTime!: string;

  @Field({ description: END })
  endTime!: string;
}

@InputType('WorkingHoursExceptionInput', { description: 'Days that differ from the week.' })
export class ExceptionInput {
  @Field({ description: '1 to 200 characters.' })
  name!: string;

  @Field(() => DateScalar, { description: 'The first day.' })
  startDate!: string;

  @Field(() => DateScalar, { nullable: true, description: 'The last day; the first one unless said otherwise.' })
  endDate?: string;

  @Field(() => Boolean, { nullable: true, description: 'Comes back every year from the first date on.' })
  yearly!: boolean;

  @Field(() => [HoursInput], {
    nullable: true,
    description: 'Instead of the hours that begin on these days; none: closed.',
  })
  hours!: HoursInput[];
}

@InputType('CreateWorkingHoursExceptionInput', {
  description: 'Days that differ from the week, for the whole organization or one division.',
})
export class CreateExceptionInput extends ExceptionInput {
  @Field(() => UuidScalar, { nullable: true, description: 'Absent: the whole organization.' })
  divisionId?: string;

  static readonly rules = hours.newException;
}

@InputType('UpdateWorkingHoursExceptionInput', { description: 'What is left out stays as it is.' })
export class UpdateExceptionInput {
  @Field(() => String, { nullable: true, description: '1 to 200 characters.' })
  name?: string;

  @Field(() => DateScalar, { nullable: true, description: 'Alone, it moves an exception of one day.' })
  startDate?: string;

  @Field(() => DateScalar, { nullable: true, description: 'The last day.' })
  endDate?: string;

  @Field(() => Boolean, { nullable: true, description: 'Comes back every year.' })
  yearly?: boolean;

  @Field(() => [HoursInput], { nullable: true, description: 'Replaces all; an empty list is closed.' })
  hours?: HoursInput[];

  static readonly rules = hours.exceptionPatch;
}

@ArgsType()
export class ExceptionsArgs extends PageArgs {
  @Field(() => UuidScalar, { nullable: true, description: "Only this division's own." })
  divisionId?: string | null;
}

@ArgsType()
export class StatusArgs {
  @Field(() => String, {
    nullable: true,
    description: "A tenant's slug; not needed with a token of the tenant, nor where there is only one active tenant.",
  })
  tenant?: string | null;

  @Field(() => UuidScalar, { nullable: true, description: "Absent: the whole organization's hours." })
  divisionId?: string | null;

  @Field(() => Date, {
    nullable: true,
    description: 'Another instant than now; in the past, by the hours that held then.',
  })
  at?: Date | null;

  static readonly rules = z.object({ tenant: rules.text.max(100).optional(), at: hours.instant.optional() });
}

@ArgsType()
export class ChangesArgs {
  @Field(() => UuidScalar, { nullable: true })
  divisionId?: string | null;

  @Field(() => Date, { nullable: true, description: 'The changes after this instant; now unless said otherwise.' })
  at?: Date | null;

  @Field(() => Int, { nullable: true, description: 'At most so many, 1 to 500; 10 unless said otherwise.' })
  count!: number;

  static readonly rules = z.object({ at: hours.instant.optional(), count: hours.count.default(10) });
}

@ArgsType()
export class AddBusinessMinutesArgs {
  @Field(() => Date, { description: 'Where the count begins.' })
  at!: Date;

  @Field(() => Int, { description: 'Minutes of working time, 0 to 5256000.' })
  minutes!: number;

  @Field(() => UuidScalar, { nullable: true })
  divisionId?: string | null;

  static readonly rules = z.object({ at: hours.instant, minutes: hours.minutes });
}

@ArgsType()
export class BusinessMinutesBetweenArgs {
  @Field(() => Date, { description: 'The instant where counting begins.' })
  from!: Date;

  @Field(() => Date, { description: 'Not before "from", and within ten years of it.' })
  to!: Date;

  @Field(() => UuidScalar, { nullable: true })
  divisionId?: string | null;

  static readonly rules = z.object({ from: hours.instant, to: hours.instant });
}

@InputType('WorkingHoursPreviewInput', {
  description: 'A schedule that is not saved. What is left out is as it stands.',
})
export class PreviewInput {
  @Field(() => UuidScalar, { nullable: true, description: 'Whose hours are the ones that stand.' })
  divisionId?: string | null;

  @Field(() => String, { nullable: true, description: 'An IANA name.' })
  timezone?: string | null;

  @Field(() => [WorkingHoursEntryInput], { nullable: true, description: 'The whole week.' })
  days?: WorkingHoursEntryInput[] | null;

  @Field(() => [ExceptionInput], {
    nullable: true,
    description: 'All exceptions. What could not be saved together on one level is refused.',
  })
  exceptions?: ExceptionInput[] | null;

  @Field(() => Date, { nullable: true, description: 'The changes after this instant; now unless said otherwise.' })
  from?: Date | null;

  @Field(() => Int, {
    nullable: true,
    description: 'So many coming changes at most, 1 to 500; 10 unless said otherwise.',
  })
  count!: number;

  static readonly rules = z.strictObject({
    divisionId: rules.uuid.optional(),
    timezone: hours.timezone.optional(),
    days: hours.week.optional(),
    exceptions: z.array(hours.unsavedException).max(500, { error: 'must have at most 500 entries' }).optional(),
    from: hours.anyInstant.optional(),
    count: hours.count.default(10),
  });
}

@ArgsType()
export class HolidayFeedArgs {
  @Field({ description: 'The text of an iCalendar file (RFC 5545).' })
  calendar!: string;

  @Field(() => UuidScalar, { nullable: true, description: 'Absent: for the whole organization.' })
  divisionId?: string | null;

  static readonly rules = z.object({ calendar: rules.text, divisionId: rules.uuid.optional() });
}
