import { Arg, Field, ObjectType, Resolver, Root, Subscription } from 'type-graphql';
import type { Context } from '../context.ts';
import { followHours } from '../domain/hours-events.ts';
import type { HoursEvent } from '../domain/hours-watch.ts';
import { AFTER, LiveEvent } from '../schema/live-event.ts';
import { Allow } from '../schema/permissions.ts';
import { SequenceScalar, UuidScalar } from '../schema/scalars.ts';
import { presentStatus, WorkingHoursStatus } from './hours-questions.resolver.ts';

@ObjectType({ description: "What is told of a business's hours." })
class WorkingHoursStatusEvent extends LiveEvent {
  @Field(() => WorkingHoursStatus, { description: 'How it stands from this event on.' })
  status!: WorkingHoursStatus;
}

@Resolver()
export class HoursEventsResolver {
  @Subscription(() => WorkingHoursStatusEvent, {
    description:
      'Whether a business is open: told at the moment at which it opens or closes, and after every edit of its hours. ' +
      'Open to all; which tenant is meant is found as for `workingHoursStatus`.',
    subscribe: ({ context, args }) => followHours(context as Context, args),
  })
  @Allow('public')
  workingHoursStatusChanged(
    @Root() { seq, kind, status }: HoursEvent,
    @Arg('tenant', () => String, { nullable: true, description: "A tenant's slug, where no token says which." })
    _tenant?: string | null,
    @Arg('divisionId', () => UuidScalar, { nullable: true, description: "Absent: the whole organization's hours." })
    _divisionId?: string | null,
    @Arg('after', () => SequenceScalar, AFTER) _after?: number | null,
  ): WorkingHoursStatusEvent {
    return { sequence: seq, kind, status: presentStatus(status) };
  }
}
