import { Arg, Args, Ctx, Field, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import type { Context } from '../context.ts';
import type { SuperAdminRow } from '../domain/super-admins.ts';
import * as superAdmins from '../domain/super-admins.ts';
import { SuperAdmin } from '../entities/control/super-admin.ts';
import { CreateSuperAdminInput, CredentialsArgs, NewPasswordArgs } from '../schema/inputs.ts';
import { checkPage, PageArgs } from '../schema/paging.ts';
import { Allow } from '../schema/permissions.ts';
import { UuidScalar } from '../schema/scalars.ts';

@ObjectType({ description: 'A bearer token for the Authorization header.' })
class TokenPayload {
  @Field({ description: 'A JWT, good for eight hours.' })
  token!: string;
}

@ObjectType({ description: 'Names what a mutation was done to.' })
export class Done {
  @Field(() => UuidScalar)
  id!: string;
}

@Resolver(() => SuperAdmin)
export class SuperAdminsResolver {
  @Mutation(() => TokenPayload, { description: 'Signs a super admin in for eight hours.' })
  @Allow('public')
  async superAdminLogin(
    @Ctx() ctx: Context,
    @Args(() => CredentialsArgs) { email, password }: CredentialsArgs,
  ): Promise<TokenPayload> {
    return { token: await superAdmins.superAdminLogin(ctx, email, password) };
  }

  @Query(() => [SuperAdmin], {
    description: 'Super admins in the order in which they were made; all, unless `first` says otherwise.',
  })
  @Allow('platform')
  superAdmins(@Ctx() ctx: Context, @Args(() => PageArgs) page: PageArgs): Promise<SuperAdminRow[]> {
    checkPage(page);
    return superAdmins.listSuperAdmins(ctx, page.first ?? null, page.after);
  }

  @Mutation(() => SuperAdmin, { description: 'Makes another super admin, who may sign in at once.' })
  @Allow('platform')
  createSuperAdmin(
    @Ctx() ctx: Context,
    @Arg('input', () => CreateSuperAdminInput) input: CreateSuperAdminInput,
  ): Promise<SuperAdminRow> {
    return superAdmins.createSuperAdmin(ctx, input);
  }

  @Mutation(() => Done, { description: 'Deletes another super admin, whose tokens and impersonations end at once.' })
  @Allow('platform')
  async deleteSuperAdmin(@Ctx() ctx: Context, @Arg('id', () => UuidScalar) id: string): Promise<Done> {
    return { id: await superAdmins.deleteSuperAdmin(ctx, id) };
  }

  @Mutation(() => Done, { description: 'Gives a super admin a new password and ends their tokens and impersonations.' })
  @Allow('platform')
  async resetSuperAdminPassword(
    @Ctx() ctx: Context,
    @Arg('id', () => UuidScalar) id: string,
    @Args(() => NewPasswordArgs) { newPassword }: NewPasswordArgs,
  ): Promise<Done> {
    return { id: await superAdmins.resetSuperAdminPassword(ctx, id, newPassword) };
  }
}
