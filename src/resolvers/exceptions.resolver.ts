import { Arg, Args, Ctx, Field, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import type { Context } from '../context.ts';
import * as exceptions from '../domain/exceptions.ts';
import { CreateExceptionInput, ExceptionsArgs, UpdateExceptionInput } from '../schema/hours-inputs.ts';
import { checkPage } from '../schema/paging.ts';
import { Allow } from '../schema/permissions.ts';
import { DateScalar, UuidScalar } from '../schema/scalars.ts';
import { Done } from './super-admins.resolver.ts';

const WHOSE = 'Those of the whole organization need settings.manage besides.';

@ObjectType({ description: 'Hours by the wall clock.' })
class Hours {
  @Field({ description: 'HH:MM:SS' })
  startTime!: string;

  @Field({ description: 'HH:MM:SS; before the start it is on the next day, 00:00:00 is the end of this one.' })
  endTime!: string;
}

@ObjectType({
  description:
    "Days that differ from the week. Their hours stand in for those that begin on these days; what began the evening before runs on. A division's own count before the organization's.",
})
export class WorkingHoursException {
  @Field(() => UuidScalar)
  id!: string;

  @Field(() => UuidScalar, { nullable: true, description: 'Absent for the whole organization.' })
  divisionId?: string | null;

  @Field({ description: 'Such as Eid al-Fitr.' })
  name!: string;

  @Field(() => DateScalar, { description: 'The first day.' })
  startDate!: string;

  @Field(() => DateScalar, { description: 'The last day.' })
  endDate!: string;

  @Field({
    description:
      'Comes back every year from the first date on. In other years 29 February counts as 1 March where it is the start and as 28 February where it is the end: alone, it comes in leap years only.',
  })
  yearly!: boolean;

  @Field(() => [Hours], { description: 'Empty: closed.' })
  hours!: Hours[];

  @Field(() => [UuidScalar], { description: 'Divisions for which it does not hold.' })
  optedOutDivisionIds!: string[];

  @Field(() => Date)
  createdAt!: string | Date;

  @Field(() => Date)
  updatedAt!: string | Date;
}

@Resolver(() => WorkingHoursException)
export class ExceptionsResolver {
  @Query(() => [WorkingHoursException], {
    description:
      "Holidays and special hours, the organization's and the divisions', in the order in which they were made.",
  })
  @Allow('divisions.view')
  workingHoursExceptions(
    @Ctx() ctx: Context,
    @Args(() => ExceptionsArgs) args: ExceptionsArgs,
  ): Promise<exceptions.ExceptionRow[]> {
    checkPage(args);
    const { first = null, after, divisionId } = args;
    return exceptions.listExceptions(ctx, { limit: first, after, divisionId });
  }

  @Query(() => WorkingHoursException, { description: 'One of them.' })
  @Allow('divisions.view')
  workingHoursException(
    @Ctx() ctx: Context,
    @Arg('id', () => UuidScalar) id: string,
  ): Promise<exceptions.ExceptionRow> {
    return exceptions.getException(ctx, id);
  }

  @Mutation(() => WorkingHoursException, { description: `Adds a holiday or special hours. ${WHOSE}` })
  @Allow('divisions.manage')
  createWorkingHoursException(
    @Ctx() ctx: Context,
    @Arg('input', () => CreateExceptionInput) input: CreateExceptionInput,
  ): Promise<exceptions.ExceptionRow> {
    return exceptions.createException(ctx, input);
  }

  @Mutation(() => WorkingHoursException, { description: `Changes what is given. ${WHOSE}` })
  @Allow('divisions.manage')
  updateWorkingHoursException(
    @Ctx() ctx: Context,
    @Arg('id', () => UuidScalar) id: string,
    @Arg('input', () => UpdateExceptionInput) input: UpdateExceptionInput,
  ): Promise<exceptions.ExceptionRow> {
    return exceptions.updateException(ctx, id, input);
  }

  @Mutation(() => Done, { description: `Removes it. ${WHOSE}` })
  @Allow('divisions.manage')
  async deleteWorkingHoursException(@Ctx() ctx: Context, @Arg('id', () => UuidScalar) id: string): Promise<Done> {
    return { id: await exceptions.deleteException(ctx, id) };
  }

  @Mutation(() => WorkingHoursException, {
    description:
      'An exception of the whole organization no longer holds for a division: there it is a day as any other.',
  })
  @Allow('divisions.manage')
  optOutOfException(
    @Ctx() ctx: Context,
    @Arg('divisionId', () => UuidScalar) divisionId: string,
    @Arg('exceptionId', () => UuidScalar) exceptionId: string,
  ): Promise<exceptions.ExceptionRow> {
    return exceptions.setOptOut(ctx, divisionId, exceptionId, true);
  }

  @Mutation(() => WorkingHoursException, { description: 'It holds for the division again.' })
  @Allow('divisions.manage')
  optInToException(
    @Ctx() ctx: Context,
    @Arg('divisionId', () => UuidScalar) divisionId: string,
    @Arg('exceptionId', () => UuidScalar) exceptionId: string,
  ): Promise<exceptions.ExceptionRow> {
    return exceptions.setOptOut(ctx, divisionId, exceptionId, false);
  }
}
