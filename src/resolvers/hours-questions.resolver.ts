import { Arg, Args, Ctx, Field, Float, Int, ObjectType, Query, Resolver, registerEnumType } from 'type-graphql';
import type { Context } from '../context.ts';
import * as questions from '../domain/hours-questions.ts';
import type { Change } from '../domain/working-hours/clock.ts';
import type { Rule } from '../domain/working-hours/explanation.ts';
import type { Preview, Warning } from '../domain/working-hours/preview.ts';
import { timeText } from '../domain/working-hours/words.ts';
import {
  AddBusinessMinutesArgs,
  BusinessMinutesBetweenArgs,
  ChangesArgs,
  PreviewInput,
  StatusArgs,
} from '../schema/hours-inputs.ts';
import { Allow } from '../schema/permissions.ts';
import { DateScalar } from '../schema/scalars.ts';

/** Values are those of the domain, names those of GraphQL. */
const RuleKind = { WEEKLY: 'weekly', EXCEPTION: 'exception', NONE: 'none' } as const satisfies Record<
  string,
  Rule['kind']
>;
registerEnumType(RuleKind, {
  name: 'WorkingHoursRuleKind',
  description: 'What decided.',
  valuesConfig: {
    WEEKLY: { description: 'An entry of the week.' },
    EXCEPTION: { description: 'A holiday or special hours.' },
    NONE: { description: 'No entry of the week covers the time.' },
  },
});

const WarningKind = {
  DST_GAP: 'dst_gap',
  SHORT_HOLE: 'short_hole',
  OVERLAP: 'overlap',
  NEVER_OPEN: 'never_open',
} as const satisfies Record<string, Warning['kind']>;
registerEnumType(WarningKind, {
  name: 'WorkingHoursWarningKind',
  description: 'What is allowed and yet may not be meant.',
  valuesConfig: {
    DST_GAP: { description: 'Begins or ends at a time that the clock skips on some day of the coming two years.' },
    SHORT_HOLE: { description: 'Closed for a minute or less, as between 23:59 and 00:00.' },
    OVERLAP: { description: 'Two entries cover the same time; saving refuses them.' },
    NEVER_OPEN: { description: 'Nothing is ever open.' },
  },
});

@ObjectType({ description: 'The rule that decided.' })
class WorkingHoursRule {
  @Field(() => RuleKind, { description: 'What kind of rule decided.' })
  kind!: Rule['kind'];

  @Field(() => String, { nullable: true, description: 'Of the exception.' })
  name?: string;

  @Field(() => DateScalar, {
    description: 'The local day that it belongs to; the evening before, where its hours run past midnight.',
  })
  date!: string;

  @Field(() => String, {
    nullable: true,
    description: 'HH:MM, with seconds where there are some. Absent while closed.',
  })
  startTime?: string;

  @Field(() => String, {
    nullable: true,
    description: '24:00 is the end of the day; a time before the start is on the next day.',
  })
  endTime?: string;
}

@ObjectType({ description: 'Whether a business is open, and why.' })
export class WorkingHoursStatus {
  @Field({ description: 'Whether it is open.' })
  isWorkingHours!: boolean;

  @Field({ description: 'The IANA name of the zone whose wall clock decides.' })
  timezone!: string;

  @Field({ description: 'HH:MM by that clock.' })
  currentTime!: string;

  @Field({ description: 'The same in full: RFC 3339 with the offset of the zone. Now is told to the minute.' })
  localTime!: string;

  @Field(() => Date, { nullable: true, description: 'When the answer flips next; absent when it never does.' })
  nextChangeAt?: Date;

  @Field({ description: 'In words, such as: Tuesday 13:00–17:30, division Sales, Asia/Jakarta.' })
  explanation!: string;

  @Field(() => WorkingHoursRule, { description: 'What decided it.' })
  rule!: WorkingHoursRule;
}

@ObjectType({ description: 'An instant at which a business opens or closes.' })
class WorkingHoursChange {
  @Field(() => Date, { description: 'The instant.' })
  at!: Date;

  @Field({ description: 'Whether it is open from then on.' })
  isWorkingHours!: boolean;
}

@ObjectType({ description: 'Something that is allowed and yet may not be meant.' })
class WorkingHoursWarning {
  @Field(() => WarningKind, { description: 'What it is about.' })
  kind!: Warning['kind'];

  @Field({ description: 'For people.' })
  message!: string;

  @Field(() => Int, { nullable: true, description: 'The place of the entry in "days", from 0.' })
  entry?: number;
}

@ObjectType({ description: 'What a schedule would mean.' })
class WorkingHoursPreview {
  @Field(() => [WorkingHoursChange], { description: 'The coming openings and closings.' })
  changes!: WorkingHoursChange[];

  @Field(() => Float, { description: 'By the wall clock, without exceptions.' })
  openHoursPerWeek!: number;

  @Field(() => [WorkingHoursWarning], { description: 'What is allowed and yet may not be meant.' })
  warnings!: WorkingHoursWarning[];
}

@Resolver()
export class HoursQuestionsResolver {
  @Query(() => WorkingHoursStatus, {
    description:
      'Whether a business is open now, or at another instant. Open to all; the tenant is that of the token, else the one that is named.',
  })
  @Allow('public')
  async workingHoursStatus(
    @Ctx() ctx: Context,
    @Args(() => StatusArgs) question: StatusArgs,
  ): Promise<WorkingHoursStatus> {
    return presentStatus(await questions.hoursStatus(ctx, question));
  }

  @Query(() => [WorkingHoursChange], { description: 'When the business opens and closes next.' })
  @Allow('tenant')
  async workingHoursChanges(
    @Ctx() ctx: Context,
    @Args(() => ChangesArgs) args: ChangesArgs,
  ): Promise<WorkingHoursChange[]> {
    return (await questions.comingChanges(ctx, args)).map(changeOf);
  }

  @Query(() => WorkingHoursPreview, { description: 'What a schedule would mean, before it is saved.' })
  @Allow('tenant')
  async workingHoursPreview(
    @Ctx() ctx: Context,
    @Arg('input', () => PreviewInput) input: PreviewInput,
  ): Promise<WorkingHoursPreview> {
    const { changes, openSecondsPerWeek, warnings }: Preview = await questions.previewHours(ctx, input);
    return { changes: changes.map(changeOf), openHoursPerWeek: openSecondsPerWeek / 3600, warnings };
  }

  @Query(() => Date, {
    nullable: true,
    description: 'When so many minutes of working time have passed; null when that takes more than ten years.',
  })
  @Allow('tenant')
  addBusinessMinutes(
    @Ctx() ctx: Context,
    @Args(() => AddBusinessMinutesArgs) args: AddBusinessMinutesArgs,
  ): Promise<Date | undefined> {
    return questions.addBusinessMinutes(ctx, args);
  }

  @Query(() => Float, { description: 'The minutes of working time between two instants, to the second.' })
  @Allow('tenant')
  businessMinutesBetween(
    @Ctx() ctx: Context,
    @Args(() => BusinessMinutesBetweenArgs) args: BusinessMinutesBetweenArgs,
  ): Promise<number> {
    return questions.businessMinutesBetween(ctx, args);
  }
}

const changeOf = ({ at, isOpen }: Change): WorkingHoursChange => ({ at: new Date(at), isWorkingHours: isOpen });

export const presentStatus = (status: questions.HoursStatus): WorkingHoursStatus => ({
  ...status,
  rule: ruleOf(status.rule),
});

const ruleOf = ({ hours, ...rule }: Rule): WorkingHoursRule => ({
  ...rule,
  ...(hours && { startTime: timeText(hours.start), endTime: timeText(hours.end) }),
});
