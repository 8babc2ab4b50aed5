import { Arg, Field, ObjectType, Resolver, Root, Subscription } from 'type-graphql';
import type { Context } from '../context.ts';
import type { TenantUpgradeRow, UpgradeRunRow } from '../domain/upgrades/read.ts';
import { followUpgrades, type UpgradeFeed } from '../domain/upgrades/tell.ts';
import { TenantUpgrade, UpgradeRun } from '../entities/control/upgrade-run.ts';
import { EventKind } from '../live/feed.ts';
import { isSnapshot } from '../live/follow.ts';
import { AFTER, type EventOf, LiveEvent } from '../schema/live-event.ts';
import { Allow } from '../schema/permissions.ts';
import { SequenceScalar } from '../schema/scalars.ts';

@ObjectType({ description: 'What is told of upgrades.' })
class UpgradeEvent extends LiveEvent {
  @Field(() => UpgradeRun, { nullable: true, description: 'As this event left it; absent where there was none yet.' })
  run?: UpgradeRunRow;

  @Field(() => TenantUpgrade, {
    nullable: true,
    description: 'The tenant that the change is about, if it is about one.',
  })
  tenant?: TenantUpgradeRow;
}

@Resolver()
export class UpgradeEventsResolver {
  @Subscription(() => UpgradeEvent, {
    description:
      'Upgrades as they go on: every change of one, and of each of its tenants. What holds now is the newest one.',
    subscribe: ({ context, args }) => followUpgrades(context as Context, args.after),
  })
  @Allow('platform')
  upgradeChanged(
    @Root() event: EventOf<UpgradeFeed>,
    @Arg('after', () => SequenceScalar, AFTER) _after?: number | null,
  ): UpgradeEvent {
    if (isSnapshot(event)) return { sequence: event.seq, kind: event.kind, run: event.now };
    return { sequence: event.seq, kind: EventKind.CHANGE, ...event.payload };
  }
}
