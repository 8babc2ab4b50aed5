import { Arg, Args, Ctx, Field, ObjectType, Query, Resolver, Root, Subscription } from 'type-graphql';
import type { Context } from '../context.ts';
import { type AuditLogRow, listAuditLog } from '../domain/audit-log.ts';
import { type AuditTold, followAudit } from '../domain/audit-tail.ts';
import { AuditFilterInput } from '../schema/activity-inputs.ts';
import { AFTER, LiveEvent } from '../schema/live-event.ts';
import { LogEntry } from '../schema/log-entry.ts';
import { type Connection, PageArgs, PageInfo, readConnection } from '../schema/paging.ts';
import { Allow } from '../schema/permissions.ts';
import { SequenceScalar, UuidScalar } from '../schema/scalars.ts';

@ObjectType({ description: "An entry of the platform's own audit log." })
export class AuditLogEntry extends LogEntry {
  @Field(() => String, { nullable: true, description: 'Of a super admin, as it is now.' })
  actorName?: string | null;

  @Field(() => UuidScalar, { nullable: true, description: 'The tenant it concerns; absent for the platform itself.' })
  tenantId?: string | null;

  @Field(() => String, { nullable: true, description: 'As it is now; absent of a tenant that was removed.' })
  tenantName?: string | null;

  @Field(() => String, { nullable: true, description: 'Absent of a tenant that was removed.' })
  tenantSlug?: string | null;

  @Field(() => String, { nullable: true, description: 'The network address it came from.' })
  address?: string | null;
}

@ObjectType({ description: 'An entry with its place in the list.' })
class AuditLogEdge {
  @Field()
  cursor!: string;

  @Field(() => AuditLogEntry)
  node!: AuditLogRow;
}

@ObjectType({ description: 'A page of the audit log.' })
class AuditLogConnection {
  @Field(() => [AuditLogEdge])
  edges!: AuditLogEdge[];

  @Field(() => [AuditLogEntry], { description: 'The same without their cursors.' })
  nodes!: AuditLogRow[];

  @Field(() => PageInfo)
  pageInfo!: PageInfo;
}

@ObjectType({ description: 'What is told of the audit log.' })
class AuditEvent extends LiveEvent {
  @Field(() => AuditLogEntry, { nullable: true, description: 'The entry that was added; absent of what holds now.' })
  entry?: AuditLogRow;

  @Field(() => [AuditLogEntry], { nullable: true, description: 'The twenty newest, newest first: of what holds now.' })
  recent?: AuditLogRow[];
}

@Resolver()
export class AuditLogResolver {
  @Query(() => AuditLogConnection, {
    description:
      'Who did what on the platform and to its tenants, newest first, 50 a page unless `first` says otherwise. What ' +
      'agents do within their tenant stands in its own log (activityLogs).',
  })
  @Allow('platform')
  auditLog(
    @Ctx() ctx: Context,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => AuditFilterInput, { nullable: true }) filter?: AuditFilterInput | null,
  ): Promise<Connection<AuditLogRow>> {
    return readConnection(page, (limit) => listAuditLog(ctx, limit, page.after, filter ?? {}));
  }

  @Subscription(() => AuditEvent, {
    description: "The platform's audit log as it grows, entry by entry, a moment after each was made.",
    subscribe: ({ context, args }) => followAudit(context as Context, args.after),
  })
  @Allow('platform')
  auditEntryAdded(
    @Root() { seq, ...event }: AuditTold,
    @Arg('after', () => SequenceScalar, AFTER) _after?: number | null,
  ): AuditEvent {
    return { sequence: seq, ...event };
  }
}
