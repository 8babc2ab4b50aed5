import { Arg, Field, ObjectType, Resolver, Root, Subscription } from 'type-graphql';
import type { Context } from '../context.ts';
import { TenantCounts } from '../domain/health.ts';
import type { TenantRow } from '../domain/organizations.ts';
import { followProvisioning, followTenants, type ProvisioningFeed, type TenantFeed } from '../domain/tenant-events.ts';
import { Organization } from '../entities/control/organization.ts';
import { Provisioning } from '../entities/control/provisioning-run.ts';
import { TenantChange } from '../live/event-log.ts';
import { EventKind } from '../live/feed.ts';
import { isSnapshot } from '../live/follow.ts';
import { AFTER, type EventOf, LiveEvent } from '../schema/live-event.ts';
import { Allow } from '../schema/permissions.ts';
import { SequenceScalar, UuidScalar } from '../schema/scalars.ts';

@ObjectType({ description: 'What is told of tenants.' })
class TenantEvent extends LiveEvent {
  @Field(() => TenantChange, { nullable: true, description: 'What became of it. Absent of what holds now.' })
  change?: TenantChange;

  @Field(() => Organization, {
    nullable: true,
    description:
      'The tenant as the change left it, its usage as of now; one that was removed, as it was. Absent of what holds now: ' +
      '`tenants` reads the list.',
  })
  tenant?: TenantRow;

  @Field(() => TenantCounts, { nullable: true, description: 'How many there are: of what holds now.' })
  counts?: TenantCounts;
}

@ObjectType({ description: "What is told of the making of a tenant's databases." })
class TenantProvisioningEvent extends LiveEvent {
  @Field(() => UuidScalar, { description: 'The tenant that is being made.' })
  tenantId!: string;

  @Field(() => Provisioning, { description: 'As this event left it.' })
  provisioning!: Provisioning;
}

@Resolver()
export class TenantEventsResolver {
  @Subscription(() => TenantEvent, {
    description: 'Every change of a tenant: made, changed, activated, suspended, restored or removed.',
    subscribe: ({ context, args }) => followTenants(context as Context, args.after),
  })
  @Allow('platform')
  tenantChanged(
    @Root() event: EventOf<TenantFeed>,
    @Arg('after', () => SequenceScalar, AFTER) _after?: number | null,
  ): TenantEvent {
    if (isSnapshot(event)) return { sequence: event.seq, kind: event.kind, counts: event.now };
    const { change, tenant } = event.payload;
    return { sequence: event.seq, kind: EventKind.CHANGE, change, tenant };
  }

  @Subscription(() => TenantProvisioningEvent, {
    description: 'The making of a tenant, step by step.',
    subscribe: ({ context, args }) => followProvisioning(context as Context, args.tenantId, args.after),
  })
  @Allow('platform')
  tenantProvisioning(
    @Root() event: EventOf<ProvisioningFeed>,
    @Arg('tenantId', () => UuidScalar) tenantId: string,
    @Arg('after', () => SequenceScalar, AFTER) _after?: number | null,
  ): TenantProvisioningEvent {
    if (isSnapshot(event)) return { sequence: event.seq, kind: event.kind, tenantId, provisioning: event.now };
    return { sequence: event.seq, kind: EventKind.CHANGE, ...event.payload };
  }
}
