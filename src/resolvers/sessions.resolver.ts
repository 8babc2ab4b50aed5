import { Args, Ctx, Field, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import type { Context } from '../context.ts';
import { type Profile, profile } from '../domain/profile.ts';
import { login, type Session } from '../domain/sessions.ts';
import { LoginArgs } from '../schema/inputs.ts';
import { Allow } from '../schema/permissions.ts';
import { UuidScalar } from '../schema/scalars.ts';
import { TenantUser } from './tenant-users.resolver.ts';

@ObjectType({ description: 'A tenant as its own users see it.' })
class OwnTenant {
  @Field(() => UuidScalar)
  id!: string;

  @Field()
  name!: string;

  @Field()
  slug!: string;
}

@ObjectType()
class SessionPayload {
  @Field({ description: 'A JWT, good for 24 hours; also set as the httpOnly cookie access_token.' })
  token!: string;

  @Field(() => TenantUser)
  agent!: TenantUser;

  @Field(() => OwnTenant)
  tenant!: OwnTenant;
}

@ObjectType({ description: 'A super admin behind an impersonation.' })
class ImpersonatorInfo {
  @Field(() => UuidScalar)
  id!: string;

  @Field()
  email!: string;
}

@ObjectType({ description: 'Who the caller is.' })
class Me {
  @Field(() => UuidScalar)
  id!: string;

  @Field()
  email!: string;

  @Field()
  name!: string;

  @Field({ description: 'super_admin, or the role within the tenant.' })
  role!: string;

  @Field(() => UuidScalar, { nullable: true })
  tenantId?: string;

  @Field(() => String, { nullable: true })
  tenantSlug?: string;

  @Field(() => ImpersonatorInfo, { nullable: true, description: 'Set under an impersonation: who is behind it.' })
  impersonatedBy?: ImpersonatorInfo;
}

@Resolver()
export class SessionsResolver {
  @Mutation(() => SessionPayload, { description: "Signs a tenant's user in for 24 hours." })
  @Allow('public')
  login(@Ctx() ctx: Context, @Args(() => LoginArgs) { email, password, tenant }: LoginArgs): Promise<Session> {
    return login(ctx, email, password, tenant);
  }

  @Query(() => Me, { description: 'Who the caller is.' })
  @Allow('signed_in')
  me(@Ctx() ctx: Context): Promise<Profile> {
    return profile(ctx);
  }
}
