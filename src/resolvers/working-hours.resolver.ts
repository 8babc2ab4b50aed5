import { Arg, Args, Ctx, Field, Int, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import type { Context } from '../context.ts';
import { type SettingRow, timeZoneSetting, updateTimeZone } from '../domain/time-zone-setting.ts';
import * as weekly from '../domain/weekly-hours.ts';
import { UpdateTimezoneArgs, UpdateWorkingHoursArgs } from '../schema/hours-inputs.ts';
import { PageArgs, pageOf } from '../schema/paging.ts';
import { Allow } from '../schema/permissions.ts';
import { UuidScalar } from '../schema/scalars.ts';
import { Done } from './super-admins.resolver.ts';

@ObjectType({ description: 'One stretch of one weekday in which the business is open.' })
export class WorkingHours {
  @Field(() => UuidScalar)
  id!: string;

  @Field(() => UuidScalar, { nullable: true, description: "Absent for the organization's own hours." })
  divisionId?: string | null;

  @Field(() => Int, { description: '0 is Sunday, 6 Saturday.' })
  dayOfWeek!: number;

  @Field({ description: 'HH:MM:SS' })
  startTime!: string;

  @Field({ description: 'HH:MM:SS; before the start it is on the next day, 00:00:00 is the end of this one.' })
  endTime!: string;

  @Field({ description: 'False: closed.' })
  isActive!: boolean;

  @Field(() => Date)
  createdAt!: string | Date;

  @Field(() => Date)
  updatedAt!: string | Date;
}

@ObjectType({ description: 'The hours that count for a division.' })
class DivisionWorkingHours {
  @Field({ description: "Whether they are the division's own; else they are the organization's." })
  isOverride!: boolean;

  @Field(() => [WorkingHours], { description: 'The entries that count for it.' })
  workingHours!: WorkingHours[];
}

@ObjectType({ description: "A setting of the organization's." })
class Setting {
  @Field({ description: 'Such as timezone.' })
  key!: string;

  @Field({ description: 'As text, whatever it is.' })
  value!: string;

  @Field(() => Date)
  updatedAt!: string | Date;
}

@Resolver(() => WorkingHours)
export class WorkingHoursResolver {
  @Query(() => [WorkingHours], { description: "The organization's hours, from Sunday on, by their starts." })
  @Allow('settings.manage')
  async workingHours(@Ctx() ctx: Context, @Args(() => PageArgs) page: PageArgs): Promise<WorkingHours[]> {
    return pageOf(await weekly.organizationHours(ctx), page);
  }

  @Query(() => DivisionWorkingHours, { description: "A division's own hours, else the organization's." })
  @Allow('divisions.view')
  divisionWorkingHours(
    @Ctx() ctx: Context,
    @Arg('divisionId', () => UuidScalar) divisionId: string,
  ): Promise<weekly.DivisionHours> {
    return weekly.divisionHours(ctx, divisionId);
  }

  @Query(() => Setting, { description: "The organization's time zone." })
  @Allow('settings.manage')
  timezone(@Ctx() ctx: Context): Promise<SettingRow> {
    return timeZoneSetting(ctx);
  }

  @Mutation(() => [WorkingHours], {
    description: "Replaces all entries of the days that are named. Answers all of the organization's.",
  })
  @Allow('settings.manage')
  updateWorkingHours(
    @Ctx() ctx: Context,
    @Args(() => UpdateWorkingHoursArgs) { days }: UpdateWorkingHoursArgs,
  ): Promise<WorkingHours[]> {
    return weekly.updateHours(ctx, null, days);
  }

  @Mutation(() => [WorkingHours], {
    description:
      'The same for a division, which has hours of its own from then on: days that it never named are closed. Answers all of them.',
  })
  @Allow('divisions.manage')
  updateDivisionWorkingHours(
    @Ctx() ctx: Context,
    @Arg('divisionId', () => UuidScalar) divisionId: string,
    @Args(() => UpdateWorkingHoursArgs) { days }: UpdateWorkingHoursArgs,
  ): Promise<WorkingHours[]> {
    return weekly.updateHours(ctx, divisionId, days);
  }

  @Mutation(() => Done, { description: "Removes a division's own hours: the organization's count again." })
  @Allow('divisions.manage')
  async deleteDivisionWorkingHours(
    @Ctx() ctx: Context,
    @Arg('divisionId', () => UuidScalar) divisionId: string,
  ): Promise<Done> {
    return { id: await weekly.deleteDivisionHours(ctx, divisionId) };
  }

  @Mutation(() => Setting, { description: "Changes the organization's time zone." })
  @Allow('settings.manage')
  updateTimezone(
    @Ctx() ctx: Context,
    @Args(() => UpdateTimezoneArgs) { timezone }: UpdateTimezoneArgs,
  ): Promise<SettingRow> {
    return updateTimeZone(ctx, timezone);
  }
}
