import { Arg, Args, Ctx, Field, FieldResolver, Int, Mutation, ObjectType, Query, Resolver, Root } from 'type-graphql';
import type { Context } from '../context.ts';
import { type PlannedTenant, plannedTenants, type UpgradePlan, upgradePlan } from '../domain/upgrades/plan.ts';
import {
  getUpgradeRun,
  listTenantUpgrades,
  listUpgradeRuns,
  type TenantUpgradeRow,
  type UpgradeRunRow,
} from '../domain/upgrades/read.ts';
import * as runs from '../domain/upgrades/runs.ts';
import { TenantUpgrade, TenantUpgradeState, UpgradeRun } from '../entities/control/upgrade-run.ts';
import { type Connection, checkPage, PageArgs, PageInfo, readConnection } from '../schema/paging.ts';
import { Allow } from '../schema/permissions.ts';
import { UuidScalar } from '../schema/scalars.ts';
import { ResumeUpgradeArgs, UpgradeInput } from '../schema/upgrade-inputs.ts';

@ObjectType({ description: 'A tenant that an upgrade would bring to its version.' })
class PlannedTenantUpgrade implements PlannedTenant {
  @Field(() => UuidScalar, { description: 'The tenant.' })
  tenantId!: string;

  @Field({ description: "The tenant's slug." })
  slug!: string;

  @Field(() => Int, { description: 'The schema version that it has.' })
  fromVersion!: number;

  @Field(() => Int, { description: 'The wave that it would belong to; 0 is the canary.' })
  wave!: number;
}

@ObjectType({ description: 'A migration that some tenants lack.' })
class PlannedMigration {
  @Field(() => Int, { description: 'The schema version that it makes.' })
  version!: number;

  @Field({ description: 'What it is called in the list of migrations that each database keeps.' })
  name!: string;

  @Field({ description: 'SHA-256 of what it executes, in hex; it stays what it was released as.' })
  checksum!: string;

  @Field(() => [String], { description: 'The SQL that it executes in one transaction with the others.' })
  statements!: string[];
}

@ObjectType('UpgradePlan', { description: 'What an upgrade would do. Asking for it changes nothing.' })
class UpgradePlanType {
  @Field(() => Int, { description: 'The schema version that tenants would be brought to.' })
  toVersion!: number;

  @Field(() => Int, { description: 'Tenants that are behind.' })
  total!: number;

  @Field(() => Int, { description: 'Waves after the canary.' })
  waves!: number;

  @Field(() => Int, { description: 'Tenants at the same time.' })
  concurrency!: number;

  @Field(() => Int, { description: 'It would stop itself when more tenants than that have failed.' })
  failureBudget!: number;

  @Field(() => [PlannedMigration], { description: 'What the tenant that is behind the most lacks, in their order.' })
  migrations!: UpgradePlan['migrations'];

  @Field(() => Int, {
    nullable: true,
    description: 'Seconds that it would take by what tenants took lately; absent where none was upgraded yet.',
  })
  estimateSeconds?: number;
}

@ObjectType({ description: 'An upgrade with its place in the list.' })
class UpgradeRunEdge {
  @Field()
  cursor!: string;

  @Field(() => UpgradeRun)
  node!: UpgradeRunRow;
}

@ObjectType({ description: 'A page of upgrades.' })
class UpgradeRunConnection {
  @Field(() => [UpgradeRunEdge])
  edges!: UpgradeRunEdge[];

  @Field(() => [UpgradeRun], { description: 'The same without their cursors.' })
  nodes!: UpgradeRunRow[];

  @Field(() => PageInfo)
  pageInfo!: PageInfo;
}

@Resolver(() => UpgradePlanType)
export class UpgradePlansResolver {
  @Query(() => UpgradePlanType, {
    description: 'What an upgrade would do: which tenants, which statements, how long. Nothing is changed.',
  })
  @Allow('platform')
  upgradePlan(
    @Ctx() ctx: Context,
    @Arg('input', () => UpgradeInput, { nullable: true }) input?: UpgradeInput | null,
  ): Promise<UpgradePlan> {
    return upgradePlan(ctx, input ?? {});
  }

  @FieldResolver(() => [PlannedTenantUpgrade], {
    description:
      'In the order in which it would come to them; all, unless `first` says otherwise. A cursor is a tenant id.',
  })
  tenants(
    @Root() plan: UpgradePlan,
    @Ctx() ctx: Context,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<PlannedTenant[]> {
    checkPage(page);
    return plannedTenants(ctx, plan, page.first ?? null, page.after);
  }
}

@Resolver(() => UpgradeRun)
export class UpgradesResolver {
  @Query(() => UpgradeRunConnection, {
    description: 'Upgrades, newest first; 50 a page unless `first` says otherwise.',
  })
  @Allow('platform')
  upgradeRuns(@Ctx() ctx: Context, @Args(() => PageArgs) page: PageArgs): Promise<Connection<UpgradeRunRow>> {
    return readConnection(page, (limit) => listUpgradeRuns(ctx, limit, page.after));
  }

  @Query(() => UpgradeRun, { description: 'One upgrade.' })
  @Allow('platform')
  upgradeRun(@Ctx() ctx: Context, @Arg('id', () => UuidScalar) id: string): Promise<UpgradeRunRow> {
    return getUpgradeRun(ctx, id);
  }

  @Mutation(() => UpgradeRun, {
    description:
      'Starts bringing all tenants that are behind to a schema version, in the background. One upgrade is unfinished at a time.',
  })
  @Allow('platform')
  startUpgrade(
    @Ctx() ctx: Context,
    @Arg('input', () => UpgradeInput, { nullable: true }) input?: UpgradeInput | null,
  ): Promise<UpgradeRun> {
    return runs.startUpgrade(ctx, input ?? {});
  }

  @Mutation(() => UpgradeRun, {
    description: 'Pauses an upgrade: what is under way comes to its end, nothing else begins.',
  })
  @Allow('platform')
  pauseUpgrade(@Ctx() ctx: Context, @Arg('id', () => UuidScalar) id: string): Promise<UpgradeRun> {
    return runs.pauseUpgrade(ctx, id);
  }

  @Mutation(() => UpgradeRun, { description: 'Lets an upgrade go on that was paused, or has stopped.' })
  @Allow('platform')
  resumeUpgrade(
    @Ctx() ctx: Context,
    @Arg('id', () => UuidScalar) id: string,
    @Args(() => ResumeUpgradeArgs) { failureBudget }: ResumeUpgradeArgs,
  ): Promise<UpgradeRun> {
    return runs.resumeUpgrade(ctx, id, failureBudget);
  }

  @Mutation(() => UpgradeRun, {
    description: 'Calls an upgrade off: what was upgraded stays so, what is under way comes to its end.',
  })
  @Allow('platform')
  cancelUpgrade(@Ctx() ctx: Context, @Arg('id', () => UuidScalar) id: string): Promise<UpgradeRun> {
    return runs.cancelUpgrade(ctx, id);
  }

  @Mutation(() => TenantUpgrade, {
    description: 'Has a tenant tried again that was set aside, by the latest upgrade that has it.',
  })
  @Allow('platform')
  retryTenantUpgrade(
    @Ctx() ctx: Context,
    @Arg('tenantId', () => UuidScalar) tenantId: string,
  ): Promise<TenantUpgradeRow> {
    return runs.retryTenantUpgrade(ctx, tenantId);
  }

  @FieldResolver(() => [TenantUpgrade], {
    description:
      'Its tenants in the order in which it comes to them; all, unless `first` says otherwise. A cursor is a tenant id.',
  })
  tenants(
    @Root() run: UpgradeRunRow,
    @Ctx() ctx: Context,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('state', () => TenantUpgradeState, { nullable: true, description: 'Only those that stand so.' })
    state?: TenantUpgradeState | null,
  ): Promise<TenantUpgradeRow[]> {
    checkPage(page);
    return listTenantUpgrades(ctx, run.id, state, page.first ?? null, page.after);
  }
}
