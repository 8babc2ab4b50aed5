/** The plain design's schema: resolvers that find entities, a loader for what hangs on them. */
import 'reflect-metadata';
import type { EntityManager } from '@mikro-orm/postgresql';
import DataLoader from 'dataloader';
import { GraphQLDateTime } from 'graphql-scalars';
import {
  Arg,
  Authorized,
  buildSchema,
  Ctx,
  Field,
  FieldResolver,
  Int,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { usageMonthAt } from '../../src/domain/usage.ts';
import { Organization } from '../../src/entities/control/organization.ts';
import { Usage } from '../../src/entities/control/usage.ts';
import { UuidScalar } from '../../src/schema/scalars.ts';

export interface PlainContext {
  em: EntityManager;
  /** A super admin's, or nobody's. */
  caller?: { sub: string; email: string };
  usage: DataLoader<string, Usage | undefined>;
}

export function plainContext(em: EntityManager, caller: PlainContext['caller']): PlainContext {
  const usage = new DataLoader(async (ids: readonly string[]) => {
    const found = await em.find(Usage, { orgId: { $in: [...ids] } });
    const byId = new Map(found.map((one) => [one.orgId, one]));
    return ids.map((id) => byId.get(id));
  });
  return { em, caller, usage };
}

@ObjectType()
class PlainPageInfo {
  @Field(() => String, { nullable: true })
  endCursor?: string;

  @Field()
  hasNextPage!: boolean;
}

@ObjectType()
class PlainTenants {
  @Field(() => [Organization])
  nodes!: Organization[];

  @Field(() => PlainPageInfo)
  pageInfo!: PlainPageInfo;
}

@Resolver(() => Organization)
class PlainTenantsResolver {
  @Authorized()
  @Query(() => PlainTenants)
  async tenants(
    @Ctx() { em }: PlainContext,
    @Arg('first', () => Int) first: number,
    @Arg('after', () => String, { nullable: true }) after?: string,
  ): Promise<PlainTenants> {
    const where = after ? { id: { $gt: after } } : {};
    const found = await em.find(Organization, where, { orderBy: { id: 'asc' }, limit: first + 1 });
    const nodes = found.slice(0, first);
    return { nodes, pageInfo: { endCursor: nodes.at(-1)?.id, hasNextPage: found.length > first } };
  }

  @Authorized()
  @Query(() => Organization)
  tenant(@Ctx() { em }: PlainContext, @Arg('id', () => UuidScalar) id: string): Promise<Organization> {
    return em.findOneOrFail(Organization, id);
  }

  @FieldResolver(() => Usage)
  async usage(@Root() { id }: Organization, @Ctx() { usage }: PlainContext): Promise<Usage> {
    const found = (await usage.load(id))!;
    const usageMonth = usageMonthAt(new Date(), found.timezone);
    return found.usageMonth === usageMonth ? found : Object.assign(found, { usageMonth, messagesThisMonth: 0 });
  }
}

export const plainSchema = () =>
  buildSchema({
    resolvers: [PlainTenantsResolver],
    scalarsMap: [{ type: Date, scalar: GraphQLDateTime }],
    authChecker: ({ context }: { context: PlainContext }) => context.caller !== undefined,
    validate: false,
  });
