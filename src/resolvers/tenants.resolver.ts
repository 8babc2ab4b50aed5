import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, Field, FieldResolver, Info, Mutation, ObjectType, Query, Resolver, Root } from 'type-graphql';
import type { Context } from '../context.ts';
import { DatabaseServer } from '../domain/database-servers.ts';
import type { TenantRow } from '../domain/organizations.ts';
import * as organizations from '../domain/organizations.ts';
import { cancelProvisioning, retryProvisioning } from '../domain/provisioning.ts';
import { checkSlug, SlugCheck, suggestSlug } from '../domain/slugs.ts';
import { listTenants, TenantCursors } from '../domain/tenant-list.ts';
import { type UsageRow, usageOfNobody } from '../domain/usage.ts';
import { Organization } from '../entities/control/organization.ts';
import { Provisioning, ProvisioningState } from '../entities/control/provisioning-run.ts';
import { Usage } from '../entities/control/usage.ts';
import { Carried } from '../schema/carried.ts';
import {
  ProvisionTenantInput,
  SuggestSlugArgs,
  TenantFilter,
  TenantOrder,
  UpdateTenantInput,
} from '../schema/inputs.ts';
import { type Connection, PageArgs, PageInfo, readConnection } from '../schema/paging.ts';
import { Allow } from '../schema/permissions.ts';
import { UuidScalar } from '../schema/scalars.ts';
import { selects } from '../schema/selection.ts';

@ObjectType({ description: 'A tenant with its place in the list.' })
class TenantEdge {
  @Field()
  cursor!: string;

  @Field(() => Organization)
  node!: TenantRow;
}

@ObjectType({ description: 'A page of tenants.' })
class TenantConnection {
  @Field(() => [TenantEdge], { description: 'The items of the page, each with its cursor.' })
  edges!: TenantEdge[];

  @Field(() => [Organization], { description: 'The same without their cursors.' })
  nodes!: TenantRow[];

  @Field(() => PageInfo)
  pageInfo!: PageInfo;
}

/** Events tell of tenants that were called off and are no more. */
const UNMADE: Provisioning = { state: ProvisioningState.CANCELLING, attempt: 0, steps: [] };

@Resolver(() => Organization)
export class TenantsResolver {
  @Query(() => TenantConnection, {
    description:
      'Tenants in the order in which they were made, unless `order` names another; 50 a page unless `first` says otherwise.',
  })
  @Allow('platform')
  tenants(
    @Ctx() ctx: Context,
    @Args(() => PageArgs) page: PageArgs,
    @Info() info: GraphQLResolveInfo,
    @Arg('filter', () => TenantFilter, { nullable: true }) filter?: TenantFilter | null,
    @Arg('order', () => TenantOrder, { nullable: true, description: 'The newest last, unless it says otherwise.' })
    order?: TenantOrder | null,
  ): Promise<Connection<TenantRow>> {
    const asks = (...path: string[]) => selects(info, ['nodes', ...path]) || selects(info, ['edges', 'node', ...path]);
    const usage = asks('usage') ? (asks('usage', 'id') ? 'all' : 'counts') : 'none';
    const cursors = new TenantCursors(order ?? undefined);
    const read = (limit: number) => listTenants(ctx, cursors, { limit, after: page.after, ...filter }, usage);
    return readConnection(page, read, cursors);
  }

  @Query(() => Organization, { description: 'One tenant.' })
  @Allow('platform')
  tenant(@Ctx() ctx: Context, @Arg('id', () => UuidScalar) id: string): Promise<TenantRow> {
    return organizations.getTenant(ctx, id);
  }

  @Query(() => SlugCheck, { description: 'Whether a tenant can be made under a slug, and if not, why.' })
  @Allow('platform')
  slugCheck(
    @Ctx() ctx: Context,
    @Arg('slug', () => String, { description: 'The slug that is wished for.' }) slug: string,
  ): Promise<SlugCheck> {
    return checkSlug(ctx, slug);
  }

  @Query(() => String, {
    description: 'A free slug made from a name: in Latin letters, with a number where the name alone is taken.',
  })
  @Allow('platform')
  suggestSlug(@Ctx() ctx: Context, @Args(() => SuggestSlugArgs) { name }: SuggestSlugArgs): Promise<string> {
    return suggestSlug(ctx, name);
  }

  @Mutation(() => Organization, {
    description:
      'Makes a tenant. It answers at once; its databases are made in the background (see Tenant.provisioning).',
  })
  @Allow('platform')
  provisionTenant(
    @Ctx() ctx: Context,
    @Arg('input', () => ProvisionTenantInput) input: ProvisionTenantInput,
  ): Promise<TenantRow> {
    return organizations.provisionTenant(ctx, input as organizations.NewTenant);
  }

  @Mutation(() => Organization, { description: 'Changes the name, the limits or the status.' })
  @Allow('platform')
  updateTenant(
    @Ctx() ctx: Context,
    @Arg('id', () => UuidScalar) id: string,
    @Arg('input', () => UpdateTenantInput) input: UpdateTenantInput,
  ): Promise<TenantRow> {
    return organizations.updateTenant(ctx, id, input);
  }

  @Mutation(() => Organization, {
    description: 'Shuts a tenant: its users are out within a second, its data stays. updateTenant restores it.',
  })
  @Allow('platform')
  suspendTenant(@Ctx() ctx: Context, @Arg('id', () => UuidScalar) id: string): Promise<TenantRow> {
    return organizations.suspendTenant(ctx, id);
  }

  @Mutation(() => Organization, { description: 'Starts a failed or waiting provisioning again at once.' })
  @Allow('platform')
  async retryProvisioning(
    @Ctx() ctx: Context,
    @Arg('tenantId', () => UuidScalar) tenantId: string,
  ): Promise<TenantRow> {
    return organizations.getTenant(ctx, await retryProvisioning(ctx, tenantId));
  }

  @Mutation(() => Organization, {
    description: 'Calls an unfinished provisioning off: what was made is removed, then the tenant itself.',
  })
  @Allow('platform')
  async cancelProvisioning(
    @Ctx() ctx: Context,
    @Arg('tenantId', () => UuidScalar) tenantId: string,
  ): Promise<TenantRow> {
    return organizations.getTenant(ctx, await cancelProvisioning(ctx, tenantId));
  }

  @FieldResolver(() => Usage, { description: 'What it uses now.' })
  @Carried()
  async usage(@Root() tenant: TenantRow, @Ctx() ctx: Context): Promise<UsageRow> {
    return (await ctx.loaders.usage.load(tenant.id)) ?? usageOfNobody(tenant.id);
  }

  @FieldResolver(() => DatabaseServer, {
    nullable: true,
    description: 'The server that its database is on; absent before one was chosen.',
  })
  databaseServer(@Root() tenant: TenantRow, @Ctx() ctx: Context): Promise<DatabaseServer | undefined> {
    return ctx.loaders.databaseServer.load(tenant.id);
  }

  @FieldResolver(() => Provisioning, { description: 'How its databases are being, or were, made.' })
  async provisioning(@Root() tenant: TenantRow, @Ctx() ctx: Context): Promise<Provisioning> {
    return (await ctx.loaders.provisioning.load(tenant.id)) ?? UNMADE;
  }
}
