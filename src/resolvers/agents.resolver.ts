import { Arg, Args, Ctx, Field, FieldResolver, Mutation, ObjectType, Query, Resolver, Root } from 'type-graphql';
import type { Context } from '../context.ts';
import * as changes from '../domain/agent-changes.ts';
import * as agents from '../domain/agents.ts';
import { checkPage, PageArgs } from '../schema/paging.ts';
import { AgentFilter, CreateAgentInput, OnlineArgs, UpdateAgentInput } from '../schema/people-inputs.ts';
import { Allow } from '../schema/permissions.ts';
import { UuidScalar } from '../schema/scalars.ts';
import { Done } from './super-admins.resolver.ts';
import { TenantUser } from './tenant-users.resolver.ts';

@ObjectType({ description: 'A division that an agent works in.' })
class AgentDivision {
  @Field(() => UuidScalar)
  id!: string;

  @Field()
  name!: string;
}

@ObjectType({ description: 'A person who works in the inbox of your organization.' })
class Agent extends TenantUser {
  @Field(() => UuidScalar, { description: 'The role that they hold.' })
  roleId!: string;

  @Field(() => Date)
  updatedAt!: string;
}

@Resolver(() => Agent)
export class AgentsResolver {
  @Query(() => [Agent], {
    description:
      'The agents of your organization in the order in which they were made; all, unless `first` says otherwise.',
  })
  @Allow('tenant')
  agents(
    @Ctx() ctx: Context,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => AgentFilter, { nullable: true }) filter: AgentFilter | null,
  ): Promise<agents.AgentRow[]> {
    checkPage(page);
    return agents.listAgents(ctx, filter ?? {}, page.first ?? null, page.after);
  }

  @Query(() => Agent, { description: 'One agent of your organization.' })
  @Allow('tenant')
  agent(@Ctx() ctx: Context, @Arg('id', () => UuidScalar) id: string): Promise<agents.AgentRow> {
    return agents.getAgent(ctx, id);
  }

  @Mutation(() => Agent, { description: 'Adds an agent, who may sign in at once. Counts against the limit of agents.' })
  @Allow('agents.manage', { unimpersonated: true })
  createAgent(
    @Ctx() ctx: Context,
    @Arg('input', () => CreateAgentInput) input: CreateAgentInput,
  ): Promise<agents.AgentRow> {
    return agents.createAgent(ctx, input);
  }

  @Mutation(() => Agent, {
    description: 'Changes an agent who may do no more than you. The last admin stays an active admin.',
  })
  @Allow('agents.manage')
  updateAgent(
    @Ctx() ctx: Context,
    @Arg('id', () => UuidScalar) id: string,
    @Arg('input', () => UpdateAgentInput) input: UpdateAgentInput,
  ): Promise<agents.AgentRow> {
    return changes.updateAgent(ctx, id, input);
  }

  @Mutation(() => Done, {
    description: 'Deletes an agent with their sessions and API keys; the name stays where the past is told.',
  })
  @Allow('agents.manage')
  async deleteAgent(@Ctx() ctx: Context, @Arg('id', () => UuidScalar) id: string): Promise<Done> {
    return { id: await changes.deleteAgent(ctx, id) };
  }

  @Mutation(() => Agent, {
    description: 'Says that an agent is online or not: yourself, or, managing agents, anybody.',
  })
  @Allow('tenant')
  setAgentOnline(
    @Ctx() ctx: Context,
    @Arg('id', () => UuidScalar) id: string,
    @Args(() => OnlineArgs) { isOnline }: OnlineArgs,
  ): Promise<agents.AgentRow> {
    return changes.setAgentOnline(ctx, id, isOnline);
  }

  @FieldResolver(() => Boolean, { description: 'Whether they may sign in.' })
  isActive(@Root() agent: agents.AgentRow, @Ctx() ctx: Context): Promise<boolean> {
    return ctx.loaders.agentIsActive.load(agent.id);
  }

  @FieldResolver(() => [AgentDivision], { description: 'Where they work.' })
  divisions(@Root() agent: agents.AgentRow, @Ctx() ctx: Context): Promise<AgentDivision[]> {
    return ctx.loaders.agentDivisions.load(agent.id);
  }
}
