import { Arg, Args, Ctx, Field, FieldResolver, Mutation, ObjectType, Resolver, Root, Subscription } from 'type-graphql';
import type { Context } from '../context.ts';
import { abandonMove, endMove, moveTenant } from '../domain/move/requests.ts';
import { followMove, type MoveFeed, type ToldMove } from '../domain/move/told.ts';
import { getTenant, type TenantRow } from '../domain/organizations.ts';
import { Organization } from '../entities/control/organization.ts';
import { MoveState, TenantMove } from '../entities/control/tenant-move.ts';
import { EventKind } from '../live/feed.ts';
import { isSnapshot } from '../live/follow.ts';
import { AFTER, type EventOf, LiveEvent } from '../schema/live-event.ts';
import { AbandonTenantMoveArgs, MoveTenantArgs } from '../schema/move-inputs.ts';
import { Allow } from '../schema/permissions.ts';
import { SequenceScalar, UuidScalar } from '../schema/scalars.ts';

@ObjectType({ description: 'What is told of the move of a tenant.' })
class TenantMoveEvent extends LiveEvent {
  @Field(() => UuidScalar, { description: 'The tenant that is being moved.' })
  tenantId!: string;

  @Field(() => TenantMove, {
    nullable: true,
    description: 'As this event left it. Absent of what holds now: the tenant has never been moved.',
  })
  move?: ToldMove;
}

@Resolver(() => Organization)
export class TenantMovesResolver {
  @Mutation(() => Organization, {
    description:
      'Moves a tenant to another database server, while it is used. It answers at once; the work is done in the background (see ' +
      'Tenant.move). A move that has failed is tried again.',
  })
  @Allow('platform')
  async moveTenant(@Ctx() ctx: Context, @Args(() => MoveTenantArgs) args: MoveTenantArgs): Promise<TenantRow> {
    await moveTenant(ctx, args);
    return getTenant(ctx, args.tenantId);
  }

  @Mutation(() => Organization, {
    description: 'Calls a move off before its switch: the tenant stays, what was made on the other server is removed.',
  })
  @Allow('platform')
  async cancelTenantMove(@Ctx() ctx: Context, @Arg('tenantId', () => UuidScalar) tenantId: string): Promise<TenantRow> {
    await endMove(ctx, tenantId, MoveState.CANCELLING);
    return getTenant(ctx, tenantId);
  }

  @Mutation(() => Organization, {
    description: 'Moves a tenant back to where it was, with all that was written since the switch.',
  })
  @Allow('platform')
  async undoTenantMove(@Ctx() ctx: Context, @Arg('tenantId', () => UuidScalar) tenantId: string): Promise<TenantRow> {
    await endMove(ctx, tenantId, MoveState.UNDOING);
    return getTenant(ctx, tenantId);
  }

  @Mutation(() => Organization, {
    description: 'Drops the former database of a tenant that has been moved; there is no way back then.',
  })
  @Allow('platform')
  async finishTenantMove(@Ctx() ctx: Context, @Arg('tenantId', () => UuidScalar) tenantId: string): Promise<TenantRow> {
    await endMove(ctx, tenantId, MoveState.FINISHING);
    return getTenant(ctx, tenantId);
  }

  @Mutation(() => Organization, {
    description:
      'Ends a move without a server that does not answer and may never again. The tenant stays on the server that it is on; what is ' +
      'left on the other one is named in TenantMove.leftBehind. Refused while both servers answer.',
  })
  @Allow('platform')
  async abandonTenantMove(
    @Ctx() ctx: Context,
    @Args(() => AbandonTenantMoveArgs) { tenantId, slug, reason }: AbandonTenantMoveArgs,
  ): Promise<TenantRow> {
    await abandonMove(ctx, tenantId, slug, reason);
    return getTenant(ctx, tenantId);
  }

  @FieldResolver(() => TenantMove, {
    nullable: true,
    description: 'Its latest move to another server; absent for one that was never moved.',
  })
  move(@Root() tenant: TenantRow, @Ctx() ctx: Context): Promise<ToldMove | undefined> {
    return ctx.loaders.moves.load(tenant.id);
  }

  @Subscription(() => TenantMoveEvent, {
    description: 'The move of a tenant to another server, step by step.',
    subscribe: ({ context, args }) => followMove(context as Context, args.tenantId, args.after),
  })
  @Allow('platform')
  tenantMove(
    @Root() event: EventOf<MoveFeed>,
    @Arg('tenantId', () => UuidScalar) tenantId: string,
    @Arg('after', () => SequenceScalar, AFTER) _after?: number | null,
  ): TenantMoveEvent {
    if (isSnapshot(event)) return { sequence: event.seq, kind: event.kind, tenantId, move: event.now.move };
    return { sequence: event.seq, kind: EventKind.CHANGE, ...event.payload };
  }
}
