import { Arg, Args, Ctx, Field, FieldResolver, Int, Mutation, ObjectType, Query, Resolver, Root } from 'type-graphql';
import type { Context } from '../context.ts';
import type { DivisionFields, DivisionRow } from '../domain/divisions.ts';
import * as divisions from '../domain/divisions.ts';
import type { TenantUserRow } from '../domain/tenant-users.ts';
import { AgentIdsArgs, CreateDivisionInput, UpdateDivisionInput } from '../schema/division-inputs.ts';
import { checkPage, PageArgs } from '../schema/paging.ts';
import { Allow } from '../schema/permissions.ts';
import { UuidScalar } from '../schema/scalars.ts';
import { Done } from './super-admins.resolver.ts';
import { TenantUser } from './tenant-users.resolver.ts';

@ObjectType({
  description: 'A part of the organization, with people and, where it wants them, hours and a timezone of its own.',
})
export class Division {
  @Field(() => UuidScalar)
  id!: string;

  @Field({ description: 'Unique in the organization, capitals or not.' })
  name!: string;

  @Field(() => String, { nullable: true, description: "What it is for, in the organization's words." })
  description?: string | null;

  @Field(() => String, { nullable: true, description: "IANA name; without it, the organization's own counts." })
  timezone?: string | null;

  @Field(() => Date)
  createdAt!: string;

  @Field(() => Date)
  updatedAt!: string;
}

@Resolver(() => Division)
export class DivisionsResolver {
  @Query(() => [Division], {
    description:
      'The divisions of your organization in the order in which they were made; all, unless `first` says otherwise.',
  })
  @Allow('divisions.view')
  divisions(@Ctx() ctx: Context, @Args(() => PageArgs) page: PageArgs): Promise<DivisionRow[]> {
    checkPage(page);
    return divisions.listDivisions(ctx, page.first ?? null, page.after);
  }

  @Query(() => Division, { description: 'One division.' })
  @Allow('divisions.view')
  division(@Ctx() ctx: Context, @Arg('id', () => UuidScalar) id: string): Promise<DivisionRow> {
    return divisions.getDivision(ctx, id);
  }

  @Query(() => [TenantUser], {
    description:
      'The agents of a division in the order in which they joined the organization; all, unless `first` says otherwise.',
  })
  @Allow('divisions.view')
  divisionAgents(
    @Ctx() ctx: Context,
    @Arg('divisionId', () => UuidScalar) divisionId: string,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<TenantUserRow[]> {
    checkPage(page);
    return divisions.listDivisionAgents(ctx, divisionId, page.first ?? null, page.after);
  }

  @Mutation(() => Division, { description: 'Makes a division, which keeps the hours of the organization for now.' })
  @Allow('divisions.manage')
  createDivision(
    @Ctx() ctx: Context,
    @Arg('input', () => CreateDivisionInput) input: CreateDivisionInput,
  ): Promise<DivisionRow> {
    return divisions.createDivision(ctx, input);
  }

  @Mutation(() => Division, {
    description: 'Changes the name, the description or the timezone; its hours follow a new timezone at once.',
  })
  @Allow('divisions.manage')
  updateDivision(
    @Ctx() ctx: Context,
    @Arg('id', () => UuidScalar) id: string,
    @Arg('input', () => UpdateDivisionInput) input: UpdateDivisionInput,
  ): Promise<DivisionRow> {
    return divisions.updateDivision(ctx, id, input as Partial<DivisionFields>);
  }

  @Mutation(() => Done, { description: 'Deletes a division with its own hours; its agents stay in the organization.' })
  @Allow('divisions.manage')
  async deleteDivision(@Ctx() ctx: Context, @Arg('id', () => UuidScalar) id: string): Promise<Done> {
    return { id: await divisions.deleteDivision(ctx, id) };
  }

  @Mutation(() => [TenantUser], {
    description:
      "Brings agents into a division and answers all that are in it then. Those already in it stay; an agent's other " +
      'divisions stay as well.',
  })
  @Allow('divisions.manage')
  assignDivisionAgents(
    @Ctx() ctx: Context,
    @Arg('divisionId', () => UuidScalar) divisionId: string,
    @Args(() => AgentIdsArgs) { agentIds }: AgentIdsArgs,
  ): Promise<TenantUserRow[]> {
    return divisions.assignDivisionAgents(ctx, divisionId, agentIds);
  }

  @Mutation(() => [TenantUser], {
    description: 'Takes agents out of a division and answers those left in it. One who is not in it is no mistake.',
  })
  @Allow('divisions.manage')
  removeDivisionAgents(
    @Ctx() ctx: Context,
    @Arg('divisionId', () => UuidScalar) divisionId: string,
    @Args(() => AgentIdsArgs) { agentIds }: AgentIdsArgs,
  ): Promise<TenantUserRow[]> {
    return divisions.removeDivisionAgents(ctx, divisionId, agentIds);
  }

  @FieldResolver(() => [TenantUser], { description: 'Who works in it.' })
  agents(@Root() division: DivisionRow, @Ctx() ctx: Context): Promise<TenantUserRow[]> {
    return ctx.loaders.divisionAgents.load(division.id);
  }

  @FieldResolver(() => Int, { description: 'How many work in it.' })
  async agentCount(@Root() division: DivisionRow, @Ctx() ctx: Context): Promise<number> {
    return division.agentCount ?? (await ctx.loaders.divisionAgents.load(division.id)).length;
  }
}
