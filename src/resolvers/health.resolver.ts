import { Arg, Ctx, Field, Int, ObjectType, Query, Resolver, Root, Subscription } from 'type-graphql';
import type { Context } from '../context.ts';
import { ComponentStatus } from '../domain/component-health.ts';
import { SystemHealth } from '../domain/health.ts';
import { type HealthBucketRow, type HealthSampleRow, healthBuckets, healthSamples } from '../domain/health-history.ts';
import { followHealth, type HealthFeed } from '../domain/health-watch.ts';
import { invalid } from '../errors.ts';
import { EventKind } from '../live/feed.ts';
import { isSnapshot } from '../live/follow.ts';
import { AFTER, type EventOf, LiveEvent } from '../schema/live-event.ts';
import { Allow } from '../schema/permissions.ts';
import { SequenceScalar } from '../schema/scalars.ts';

@ObjectType({ description: 'How one component stood at one time.' })
class HealthPoint {
  @Field(() => ComponentStatus, { description: 'Whether it answered.' })
  status!: string;

  @Field(() => Int, { nullable: true, description: 'Milliseconds that the probe took.' })
  latencyMs?: number | null;

  @Field(() => Date, { description: 'When it was probed.' })
  at!: string;
}

@ObjectType({ description: "One bar of a component's history." })
class HealthBucket {
  @Field(() => Date, { description: 'When the stretch begins.' })
  from!: string;

  @Field(() => ComponentStatus, { description: 'The worst in it.' })
  status!: string;

  @Field(() => Int, { nullable: true, description: 'Milliseconds that its probes took, on average.' })
  latencyMs?: number | null;
}

@ObjectType({ description: 'How one component stood lately.' })
class ComponentTimeline {
  @Field({ description: 'A field of the health report, such as postgres or wsServer.' })
  component!: string;

  @Field(() => [HealthBucket], { description: 'Oldest first; those without a sample are left out.' })
  buckets!: HealthBucketRow[];
}

@ObjectType({ description: 'What is told of the health of the platform.' })
class SystemHealthEvent extends LiveEvent {
  @Field(() => SystemHealth, { description: 'As of this event.' })
  health!: SystemHealth;
}

@Resolver()
export class HealthResolver {
  @Query(() => SystemHealth, { description: 'Whether everything that the platform depends on is up.' })
  @Allow('platform', { unjudged: true })
  systemHealth(@Ctx() ctx: Context): Promise<SystemHealth> {
    return ctx.services.health.report();
  }

  @Query(() => [HealthPoint], {
    description: 'How a component stood lately, oldest first, sampled every 15 seconds for a day.',
  })
  @Allow('platform')
  healthHistory(
    @Ctx() ctx: Context,
    @Arg('component', () => String, { description: 'A field of the health report, such as postgres or wsServer.' })
    component: string,
    @Arg('minutes', () => Int, { defaultValue: 60, description: 'How far back, 1 to 1440.' }) minutes: number,
  ): Promise<HealthSampleRow[]> {
    checkMinutes(minutes);
    if (component.includes('\0')) throw invalid('component', 'must not contain a NUL character');
    return ctx.rows(healthSamples, [component, minutes]);
  }

  @Query(() => [ComponentTimeline], {
    description:
      'How all components stood lately, as so many bars of the same length; the last one is still under way.',
  })
  @Allow('platform')
  async healthTimeline(
    @Ctx() ctx: Context,
    @Arg('minutes', () => Int, { defaultValue: 180, description: 'How far back, 1 to 1440.' }) minutes: number,
    @Arg('buckets', () => Int, { defaultValue: 60, description: 'At most so many bars, 1 to 500.' }) buckets: number,
  ): Promise<ComponentTimeline[]> {
    checkMinutes(minutes);
    if (buckets < 1 || buckets > 500) throw invalid('buckets', 'must be 1 to 500');
    const rows = await ctx.rows(healthBuckets, [minutes, buckets]);
    return [...Map.groupBy(rows, ({ component }) => component)].map(([component, buckets]) => ({ component, buckets }));
  }

  @Subscription(() => SystemHealthEvent, {
    description: 'How everything stands, told within two seconds of a component coming or going.',
    subscribe: ({ context, args }) => followHealth(context as Context, args.after),
  })
  @Allow('platform')
  systemHealthChanged(
    @Root() event: EventOf<HealthFeed>,
    @Arg('after', () => SequenceScalar, AFTER) _after?: number | null,
  ): SystemHealthEvent {
    if (isSnapshot(event)) return { sequence: event.seq, kind: event.kind, health: event.now };
    return { sequence: event.seq, kind: EventKind.CHANGE, health: event.payload.health };
  }
}

function checkMinutes(minutes: number): void {
  if (minutes < 1 || minutes > 1440) throw invalid('minutes', 'must be 1 to 1440');
}
