import { Arg, Args, Ctx, Field, Int, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import type { Context } from '../context.ts';
import * as impersonation from '../domain/impersonation.ts';
import { endImpersonation, listImpersonations, type SessionRow } from '../domain/sessions.ts';
import { ImpersonationArgs } from '../schema/access-inputs.ts';
import { checkPage, PageArgs } from '../schema/paging.ts';
import { Allow } from '../schema/permissions.ts';
import { UuidScalar } from '../schema/scalars.ts';
import { Done } from './super-admins.resolver.ts';

@ObjectType({ description: 'A token for a tenant that carries the super admin behind it.' })
class ImpersonationPayload {
  @Field({ description: 'A JWT that cannot be refreshed, nor used on super-admin operations.' })
  token!: string;

  @Field(() => Int, { description: 'Seconds.' })
  expiresInSeconds!: number;

  @Field(() => UuidScalar, { description: 'The tenant.' })
  orgId!: string;

  @Field({ description: "The tenant's slug." })
  orgSlug!: string;

  @Field(() => UuidScalar, { description: 'Whom the token speaks for.' })
  agentId!: string;

  @Field({ description: 'The address of whom the token speaks for.' })
  email!: string;

  @Field({ description: 'The role that the token has in the tenant.' })
  role!: string;
}

@ObjectType({ description: 'A super admin in a tenant at this moment.' })
class Impersonation {
  @Field(() => UuidScalar)
  id!: string;

  @Field(() => UuidScalar, { description: 'The tenant that it is in.' })
  orgId!: string;

  @Field(() => UuidScalar, { description: 'Whom it speaks for.' })
  subjectId!: string;

  @Field({ description: 'The address of whom it speaks for.' })
  email!: string;

  @Field(() => UuidScalar, { description: 'The super admin.' })
  impersonatorId!: string;

  @Field({ description: "The super admin's address." })
  impersonatorEmail!: string;

  @Field(() => String, { nullable: true, description: "Why, in the super admin's words." })
  reason?: string | null;

  @Field({ description: 'Whether it may only look.' })
  readOnly!: boolean;

  @Field(() => Date)
  createdAt!: string;

  @Field(() => Date)
  expiresAt!: string;
}

@Resolver()
export class ImpersonationsResolver {
  @Mutation(() => ImpersonationPayload, { description: "Fifteen minutes with the rights of a tenant's admin." })
  @Allow('platform')
  impersonateTenant(
    @Ctx() ctx: Context,
    @Arg('id', () => UuidScalar) id: string,
    @Args(() => ImpersonationArgs) wish: ImpersonationArgs,
  ): Promise<ImpersonationPayload> {
    return impersonation.impersonateTenant(ctx, id, wish);
  }

  @Mutation(() => ImpersonationPayload, { description: "Fifteen minutes as one of a tenant's users." })
  @Allow('platform')
  impersonateTenantUser(
    @Ctx() ctx: Context,
    @Arg('tenantId', () => UuidScalar) tenantId: string,
    @Arg('id', () => UuidScalar) id: string,
    @Args(() => ImpersonationArgs) wish: ImpersonationArgs,
  ): Promise<ImpersonationPayload> {
    return impersonation.impersonateTenantUser(ctx, tenantId, id, wish);
  }

  @Query(() => [Impersonation], { description: 'Who is in which tenant at this moment, the oldest first.' })
  @Allow('platform')
  impersonations(@Ctx() ctx: Context, @Args(() => PageArgs) page: PageArgs): Promise<SessionRow[]> {
    checkPage(page);
    return listImpersonations(ctx, page.first ?? null, page.after);
  }

  @Mutation(() => Done, { description: 'Ends an impersonation: its token is dead everywhere within a second.' })
  @Allow('platform')
  async endImpersonation(@Ctx() ctx: Context, @Arg('id', () => UuidScalar) id: string): Promise<Done> {
    return { id: await endImpersonation(ctx, id) };
  }
}
