import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, Field, Float, Info, Int, ObjectType, Query, Resolver, registerEnumType } from 'type-graphql';
import type { Context } from '../context.ts';
import type { TenantRow } from '../domain/organizations.ts';
import * as days from '../domain/usage-days.ts';
import * as standings from '../domain/usage-standings.ts';
import { Organization } from '../entities/control/organization.ts';
import { UsageDay } from '../entities/control/usage-day.ts';
import { invalid } from '../errors.ts';
import { checkSize } from '../schema/paging.ts';
import { Allow } from '../schema/permissions.ts';
import { DateScalar, UuidScalar } from '../schema/scalars.ts';
import { selects } from '../schema/selection.ts';

registerEnumType(standings.UsageMetric, {
  name: 'UsageMetric',
  description: 'What a limit can be set for.',
  valuesConfig: {
    AGENTS: { description: 'Agents at one time.' },
    CONTACTS: { description: 'Contacts at one time.' },
    MESSAGES: { description: "Messages in a calendar month of the tenant's timezone." },
  },
});

@ObjectType({ description: 'How close a tenant is to one of its limits.' })
class UsageStanding {
  @Field(() => Organization, { description: 'Whose it is.' })
  tenant!: TenantRow;

  @Field(() => standings.UsageMetric, { description: 'What is counted.' })
  metric!: standings.UsageMetric;

  @Field(() => Int, { description: 'How much it uses now.' })
  used!: number;

  @Field(() => Int, { description: 'How much the tenant may use.' })
  limit!: number;

  @Field(() => Float, { description: 'Used by limit; 1 is reached. Of a limit of 0: 1, and 1 more for each one used.' })
  ratio!: number;

  @Field(() => DateScalar, {
    nullable: true,
    description:
      "The day, in the tenant's timezone, on which the limit is reached, going on as in the last 30 days (messages: as " +
      'in this month). Today, where it is reached. Absent where it will not be: within a year, or before the month ends.',
  })
  forecastDate?: string;
}

const DAYS = { defaultValue: 30, description: `So many days, 1 to ${days.MOST_DAYS}, today included.` };

@Resolver()
export class UsageResolver {
  @Query(() => [UsageStanding], {
    description: 'Active tenants by how close they are to each of their limits, nearest first.',
  })
  @Allow('platform')
  async usageStandings(
    @Ctx() ctx: Context,
    @Info() info: GraphQLResolveInfo,
    @Arg('first', () => Int, { nullable: true, description: 'At most so many, 1 to 500; 50 unless it says otherwise.' })
    first?: number | null,
    @Arg('minRatio', () => Float, { nullable: true, description: 'From this ratio on, such as 0.8.' })
    minRatio?: number | null,
    @Arg('metric', () => standings.UsageMetric, { nullable: true, description: 'Only to the limit of this.' })
    metric?: standings.UsageMetric | null,
  ): Promise<UsageStanding[]> {
    checkSize(first);
    if (minRatio != null && minRatio < 0) throw invalid('minRatio', 'must not be negative');
    const rows = await standings.usageStandings(ctx, first ?? 50, minRatio ?? 0, metric);
    return selects(info, ['forecastDate']) ? standings.withForecasts(ctx, rows) : rows;
  }

  @Query(() => [UsageDay], {
    description: 'What a tenant used, day by day, oldest first; a day without a record is left out.',
  })
  @Allow('platform')
  usageHistory(
    @Ctx() ctx: Context,
    @Arg('tenantId', () => UuidScalar) tenantId: string,
    @Arg('days', () => Int, DAYS) count: number,
  ): Promise<days.UsageDayRow[]> {
    checkDays(count);
    return days.usageHistory(ctx, tenantId, count);
  }

  @Query(() => [UsageDay], {
    description:
      'What all tenants used together, day by day, oldest first; a day without a record is left out. Sums end at ' +
      '2147483647.',
  })
  @Allow('platform')
  platformUsage(@Ctx() ctx: Context, @Arg('days', () => Int, DAYS) count: number): Promise<days.UsageDayRow[]> {
    checkDays(count);
    return days.platformUsage(ctx, count);
  }
}

function checkDays(count: number): void {
  if (count < 1 || count > days.MOST_DAYS) throw invalid('days', `must be 1 to ${days.MOST_DAYS}`);
}
