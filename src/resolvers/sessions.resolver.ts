import { Arg, Args, Ctx, Field, Int, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import type { Context } from '../context.ts';
import { login, type SignedIn } from '../domain/login.ts';
import { TenantPermission } from '../domain/permissions.ts';
import { type Profile, profile } from '../domain/profile.ts';
import { type Registered, register } from '../domain/registration.ts';
import * as sessions from '../domain/sessions.ts';
import { TenantStatus } from '../entities/control/organization.ts';
import { RegisterArgs } from '../schema/access-inputs.ts';
import { LoginArgs } from '../schema/inputs.ts';
import { Allow } from '../schema/permissions.ts';
import { UuidScalar } from '../schema/scalars.ts';
import { Done } from './super-admins.resolver.ts';
import { TenantUser } from './tenant-users.resolver.ts';

@ObjectType({ description: 'A tenant as its own users see it.' })
class OwnTenant {
  @Field(() => UuidScalar)
  id!: string;

  @Field()
  name!: string;

  @Field({ description: 'The URL-safe name.' })
  slug!: string;
}

@ObjectType({ description: 'Somebody who signed in to a tenant.' })
class SessionPayload {
  @Field({ description: 'A JWT, good for 24 hours; also set as the httpOnly cookie access_token.' })
  token!: string;

  @Field(() => TenantUser, { description: 'Who signed in.' })
  agent!: TenantUser;

  @Field(() => OwnTenant, { description: 'Where they signed in.' })
  tenant!: OwnTenant;
}

@ObjectType({ description: 'An organization that signed itself up.' })
class RegistrationPayload {
  @Field({ description: 'A JWT of the first admin, good for 24 hours; also set as the httpOnly cookie access_token.' })
  token!: string;

  @Field(() => UuidScalar, { description: 'The new organization.' })
  orgId!: string;

  @Field({ description: 'A sentence for people.' })
  message!: string;
}

@ObjectType({ description: 'A token that takes the place of the one at hand.' })
class FreshTokenPayload {
  @Field({ description: 'A JWT; also set as the httpOnly cookie access_token.' })
  token!: string;

  @Field(() => Date, { description: 'When it ends by itself.' })
  expiresAt!: Date;
}

@ObjectType({ description: 'A super admin behind an impersonation.' })
class ImpersonatorInfo {
  @Field(() => UuidScalar)
  id!: string;

  @Field({ description: "The super admin's address." })
  email!: string;
}

@ObjectType({ description: 'The API key that asks.' })
class ApiKeyInfo {
  @Field(() => UuidScalar)
  id!: string;

  @Field({ description: "What it is for, in its maker's words." })
  name!: string;
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

  @Field(() => [TenantPermission], {
    description:
      "What the caller may do in the tenant: of an API key, what its scopes and its maker's role both allow.",
  })
  permissions!: TenantPermission[];

  @Field(() => UuidScalar, { nullable: true, description: 'Absent of a super admin.' })
  tenantId?: string;

  @Field(() => String, { nullable: true, description: 'Absent of a super admin.' })
  tenantSlug?: string;

  @Field(() => TenantStatus, { nullable: true, description: 'PROVISIONING until its databases are made.' })
  tenantStatus?: TenantStatus;

  @Field(() => ImpersonatorInfo, { nullable: true, description: 'Set under an impersonation: who is behind it.' })
  impersonatedBy?: ImpersonatorInfo;

  @Field(() => Boolean, { nullable: true, description: 'Set under an impersonation that may only look.' })
  readOnly?: boolean;

  @Field(() => ApiKeyInfo, { nullable: true, description: 'Set where an API key asks for its maker.' })
  apiKey?: ApiKeyInfo;
}

@ObjectType({ description: 'One signing in, with all the tokens that came of it.' })
class Session {
  @Field(() => UuidScalar)
  id!: string;

  @Field({ description: 'The network address that it was opened from.' })
  address!: string;

  @Field(() => String, { nullable: true, description: 'What the browser or program called itself.' })
  userAgent?: string | null;

  @Field(() => Date)
  createdAt!: string;

  @Field(() => Date, { description: 'True to within a minute.' })
  lastUsedAt!: string;

  @Field(() => Date, { description: 'When its newest token ends.' })
  expiresAt!: string;

  @Field({ description: 'Whether it is the one that asks.' })
  current!: boolean;
}

@ObjectType({ description: 'Sessions that were ended together.' })
class EndedSessions {
  @Field(() => Int, { description: 'How many were ended.' })
  ended!: number;
}

@Resolver()
export class SessionsResolver {
  @Mutation(() => SessionPayload, { description: "Signs a tenant's user in for 24 hours." })
  @Allow('public')
  login(@Ctx() ctx: Context, @Args(() => LoginArgs) { email, password, tenant }: LoginArgs): Promise<SignedIn> {
    return login(ctx, email, password, tenant);
  }

  @Mutation(() => RegistrationPayload, {
    description:
      'Makes a new organization and signs its first admin in at once. Until its databases are made, which takes a moment, ' +
      'its data answers TENANT_NOT_READY; `me` works from the start.',
  })
  @Allow('public')
  register(@Ctx() ctx: Context, @Args(() => RegisterArgs) args: RegisterArgs): Promise<Registered> {
    return register(ctx, args);
  }

  @Query(() => Me, { description: 'Who the caller is, and what they may do.' })
  @Allow('signed_in')
  me(@Ctx() ctx: Context): Promise<Profile> {
    return profile(ctx);
  }

  @Mutation(() => Done, {
    description: 'Ends this session: its tokens are dead everywhere within a second, and the cookie is cleared.',
  })
  @Allow('signed_in')
  async logout(@Ctx() ctx: Context): Promise<Done> {
    return { id: await sessions.logout(ctx) };
  }

  @Mutation(() => FreshTokenPayload, {
    description: 'A new token for this session, for 24 hours and at most until seven days after the sign-in.',
  })
  @Allow('signed_in', { inPerson: true })
  freshToken(@Ctx() ctx: Context): Promise<sessions.FreshToken> {
    return sessions.freshToken(ctx);
  }

  @Query(() => [Session], { description: 'Where you are signed in, the oldest first.' })
  @Allow('signed_in', { inPerson: true })
  async sessions(@Ctx() ctx: Context): Promise<Session[]> {
    const { sessionId } = ctx.caller;
    return (await sessions.listSessions(ctx)).map((row) => ({ ...row, current: row.id === sessionId }));
  }

  @Mutation(() => Done, { description: 'Ends one of your sessions: its tokens are dead everywhere within a second.' })
  @Allow('signed_in', { inPerson: true })
  async endSession(@Ctx() ctx: Context, @Arg('id', () => UuidScalar) id: string): Promise<Done> {
    return { id: await sessions.endSession(ctx, id) };
  }

  @Mutation(() => EndedSessions, { description: 'Ends all your sessions but this one.' })
  @Allow('signed_in', { inPerson: true })
  async endOtherSessions(@Ctx() ctx: Context): Promise<EndedSessions> {
    return { ended: await sessions.endOtherSessions(ctx) };
  }
}
