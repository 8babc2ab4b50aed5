import { Arg, Args, Ctx, Field, ObjectType, Query, Resolver } from 'type-graphql';
import type { Context } from '../context.ts';
import { type ActivityRow, listActivity } from '../domain/activity-logs.ts';
import { ActivityFilterInput } from '../schema/activity-inputs.ts';
import { LogEntry } from '../schema/log-entry.ts';
import { type Connection, PageArgs, PageInfo, readConnection } from '../schema/paging.ts';
import { Allow } from '../schema/permissions.ts';

@ObjectType({ description: 'Something that was done.' })
class ActivityLog extends LogEntry {
  @Field(() => String, { nullable: true, description: 'As it is now, or was when the agent was deleted.' })
  actorName?: string | null;

  @Field(() => String, { nullable: true, description: 'The name of that agent, as it is now.' })
  onBehalfOfName?: string | null;

  @Field(() => String, { nullable: true, description: 'The network address it came from; not of super admins.' })
  address?: string | null;
}

@ObjectType({ description: 'An entry with its place in the list.' })
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
