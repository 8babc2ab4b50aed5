import { Arg, Args, Ctx, Field, ObjectType, Query, Resolver, registerEnumType } from 'type-graphql';
import type { Context } from '../context.ts';
import { type ActivityRow, listActivity } from '../domain/activity-logs.ts';
import { ActivityFilterInput } from '../schema/activity-inputs.ts';
import { type Connection, PageArgs, PageInfo, readConnection } from '../schema/paging.ts';
import { Allow } from '../schema/permissions.ts';
import { JsonScalar, UuidScalar } from '../schema/scalars.ts';

enum ActorKind {
  AGENT = 'agent',
  ANONYMOUS = 'anonymous',
  API_KEY = 'api_key',
  SUPER_ADMIN = 'super_admin',
  SYSTEM = 'system',
}
registerEnumType(ActorKind, {
  name: 'ActorKind',
  description: 'What kind of actor did something.',
  valuesConfig: {
    AGENT: { description: 'One of your agents.' },
    ANONYMOUS: { description: 'Somebody who had not signed in.' },
    API_KEY: { description: 'A program with an API key of yours.' },
    SUPER_ADMIN: { description: 'Somebody who runs the platform.' },
    SYSTEM: { description: 'The platform by itself.' },
  },
});

@ObjectType({ description: 'Something that was done.' })
class ActivityLog {
  @Field(() => UuidScalar)
  id!: string;

  @Field({ description: 'A noun and a verb, such as division.update.' })
  action!: string;

  @Field(() => ActorKind)
  actorKind!: string;

  @Field(() => UuidScalar, { nullable: true, description: 'Who did it.' })
  actorId?: string | null;

  @Field(() => String, { nullable: true, description: 'As it was then; also of somebody who tried to sign in.' })
  actorEmail?: string | null;

  @Field(() => String, { nullable: true, description: 'As it is now, or was when the agent was deleted.' })
  actorName?: string | null;

  @Field(() => UuidScalar, { nullable: true, description: 'The agent as whom a super admin acted.' })
  onBehalfOf?: string | null;

  @Field(() => String, { nullable: true })
  onBehalfOfEmail?: string | null;

  @Field(() => String, { nullable: true })
  onBehalfOfName?: string | null;

  @Field(() => String, { nullable: true, description: 'What kind of thing it was done to.' })
  targetType?: string | null;

  @Field(() => String, { nullable: true, description: 'What it was done to.' })
  targetId?: string | null;

  @Field(() => JsonScalar, { nullable: true, description: 'What changed, as it was.' })
  before?: unknown;

  @Field(() => JsonScalar, { nullable: true, description: 'What changed, as it became.' })
  after?: unknown;

  @Field(() => String, { nullable: true, description: 'The X-Request-Id of the request that did it.' })
  requestId?: string | null;

  @Field(() => String, { nullable: true, description: 'The network address it came from; not of super admins.' })
  address?: string | null;

  @Field(() => Date)
  createdAt!: string;
}

@ObjectType()
class ActivityLogEdge {
  @Field()
  cursor!: string;

  @Field(() => ActivityLog)
  node!: ActivityRow;
}

@ObjectType({ description: 'A page of the activity log.' })
class ActivityLogConnection {
  @Field(() => [ActivityLogEdge])
  edges!: ActivityLogEdge[];

  @Field(() => [ActivityLog], { description: 'The same without their cursors.' })
  nodes!: ActivityRow[];

  @Field(() => PageInfo)
  pageInfo!: PageInfo;
}

@Resolver()
export class ActivityLogsResolver {
  @Query(() => ActivityLogConnection, {
    description:
      'Who did what in your organization, and what the platform did to it, sign-ins included; newest first, 50 a page ' +
      'unless `first` says otherwise.',
  })
  @Allow('logs.view')
  activityLogs(
    @Ctx() ctx: Context,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => ActivityFilterInput, { nullable: true }) filter?: ActivityFilterInput | null,
  ): Promise<Connection<ActivityRow>> {
    return readConnection(page, (limit) => listActivity(ctx, limit, page.after, filter ?? {}));
  }
}
