import { Arg, Ctx, Field, Int, ObjectType, Query, Resolver } from 'type-graphql';
import type { Context } from '../context.ts';
import { ComponentStatus, SystemHealth } from '../domain/health.ts';
import { type HealthSampleRow, healthSamples } from '../domain/health-history.ts';
import { invalid } from '../errors.ts';
import { Allow } from '../schema/permissions.ts';

@ObjectType({ description: 'How one component stood at one time.' })
class HealthPoint {
  @Field(() => ComponentStatus)
  status!: string;

  @Field(() => Int, { nullable: true })
  latencyMs?: number | null;

  @Field(() => Date)
  at!: string;
}

@Resolver()
export class HealthResolver {
  @Query(() => SystemHealth, { description: 'Whether everything that the platform depends on is up.' })
  @Allow('platform')
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
    if (minutes < 1 || minutes > 1440) throw invalid('minutes', 'must be 1 to 1440');
    if (component.includes('\0')) throw invalid('component', 'must not contain a NUL character');
    return ctx.rows(healthSamples, [component, minutes]);
  }
}
