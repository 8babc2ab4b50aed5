import { Arg, Args, Ctx, Field, ObjectType, Query, Resolver } from 'type-graphql';
import type { Context } from '../context.ts';
import { type AuditLogRow, listAuditLog } from '../domain/audit-log.ts';
import { AuditFilterInput } from '../schema/activity-inputs.ts';
import { LogEntry } from '../schema/log-entry.ts';
import { type Connection, PageArgs, PageInfo, readConnection } from '../schema/paging.ts';
import { Allow } from '../schema/permissions.ts';
import { UuidScalar } from '../schema/scalars.ts';

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

@ObjectType()
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
}
