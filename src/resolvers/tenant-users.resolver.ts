import { Arg, Args, Ctx, Field, FieldResolver, Mutation, ObjectType, Query, Resolver, Root } from 'type-graphql';
import type { Context } from '../context.ts';
import { createTenantAdmin } from '../domain/tenant-admins.ts';
import * as tenantUsers from '../domain/tenant-users.ts';
import { CreateTenantAdminInput, NewPasswordArgs, TenantUsersArgs } from '../schema/inputs.ts';
import { checkPage } from '../schema/paging.ts';
import { Allow } from '../schema/permissions.ts';
import { UuidScalar } from '../schema/scalars.ts';
import { Done } from './super-admins.resolver.ts';

@ObjectType({ description: "A person who works in a tenant's inbox." })
export class TenantUser {
  @Field(() => UuidScalar)
  id!: string;

  @Field()
  email!: string;

  @Field()
  fullName!: string;

  @Field({ description: 'admin, supervisor, agent, or a role of the tenant itself.' })
  role!: string;

  @Field({ description: 'Whether they said that they take conversations now.' })
  isOnline!: boolean;

  @Field(() => Date, {
    nullable: true,
    description: 'When they last said whether they are online; absent before the first time.',
  })
  lastSeenAt?: string | null;

  @Field(() => Date)
  createdAt!: string;
}

@Resolver(() => TenantUser)
export class TenantUsersResolver {
  @Query(() => [TenantUser], {
    description: 'The users of a tenant in the order in which they were made; all, unless `first` says otherwise.',
  })
  @Allow('platform')
  tenantUsers(
    @Ctx() ctx: Context,
    @Args(() => TenantUsersArgs) args: TenantUsersArgs,
  ): Promise<tenantUsers.TenantUserRow[]> {
    checkPage(args);
    const { tenantId, first = null, after, search } = args;
    return tenantUsers.listTenantUsers(ctx, tenantId, { limit: first, after, search });
  }

  @Mutation(() => TenantUser, {
    description:
      'Adds an admin to an active tenant, above all to one that was made without any; they may sign in at once. Counts ' +
      'against the limit of agents.',
  })
  @Allow('platform')
  createTenantAdmin(
    @Ctx() ctx: Context,
    @Arg('tenantId', () => UuidScalar) tenantId: string,
    @Arg('input', () => CreateTenantAdminInput) input: CreateTenantAdminInput,
  ): Promise<tenantUsers.TenantUserRow> {
    return createTenantAdmin(ctx, tenantId, input);
  }

  @Mutation(() => Done, { description: "Gives a tenant's user a new password and ends their tokens." })
  @Allow('platform')
  async resetTenantUserPassword(
    @Ctx() ctx: Context,
    @Arg('tenantId', () => UuidScalar) tenantId: string,
    @Arg('id', () => UuidScalar) id: string,
    @Args(() => NewPasswordArgs) { newPassword }: NewPasswordArgs,
  ): Promise<Done> {
    return { id: await tenantUsers.resetTenantUserPassword(ctx, tenantId, id, newPassword) };
  }

  @Mutation(() => Done, { description: "Keeps a tenant's user out and ends their tokens." })
  @Allow('platform')
  async suspendTenantUser(
    @Ctx() ctx: Context,
    @Arg('tenantId', () => UuidScalar) tenantId: string,
    @Arg('id', () => UuidScalar) id: string,
  ): Promise<Done> {
    return { id: await tenantUsers.suspendTenantUser(ctx, tenantId, id) };
  }

  @Mutation(() => Done, { description: 'Lets a suspended user in again.' })
  @Allow('platform')
  async activateTenantUser(
    @Ctx() ctx: Context,
    @Arg('tenantId', () => UuidScalar) tenantId: string,
    @Arg('id', () => UuidScalar) id: string,
  ): Promise<Done> {
    return { id: await tenantUsers.activateTenantUser(ctx, tenantId, id) };
  }

  @FieldResolver(() => Boolean, { description: 'Whether they may sign in: nobody has suspended them.' })
  isActive(@Root() user: TenantUser, @Ctx() ctx: Context): Promise<boolean> {
    return ctx.loaders.agentIsActive.load(user.id);
  }
}
