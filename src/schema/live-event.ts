/** What all subscriptions have in common. */
import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { TenantChange } from '../live/event-log.ts';
import { EventKind } from '../live/feed.ts';
import { SequenceScalar } from './scalars.ts';

registerEnumType(EventKind, {
  name: 'EventKind',
  description: 'Why a subscriber is told something.',
  valuesConfig: {
    SNAPSHOT: { description: 'What holds now; it comes first, unless `after` was given.' },
    RESET: {
      description: 'What holds now, because `after` is too long ago for the changes since to be told one by one.',
    },
    CHANGE: { description: 'A change, in the order in which they were committed.' },
  },
});
registerEnumType(TenantChange, {
  name: 'TenantChangeKind',
  description: 'What became of a tenant.',
  valuesConfig: {
    CREATED: { description: 'Asked for; its databases are being made.' },
    ACTIVATED: { description: 'Its databases are made, its users can sign in.' },
    UPDATED: { description: 'Its name or its limits changed.' },
    SUSPENDED: { description: 'Shut; its data stays.' },
    RESTORED: { description: 'Opened again.' },
    REMOVED: { description: 'Its making was called off, and it is gone.' },
  },
});

@ObjectType()
export abstract class LiveEvent {
  @Field(() => SequenceScalar, {
    description: 'Give it as `after` when coming back: nothing is missed, nothing told twice.',
  })
  sequence!: number;

  @Field(() => EventKind, { description: 'Whether it is what holds now, or a change.' })
  kind!: EventKind;
}

/** The argument of every subscription. */
export const AFTER = {
  nullable: true,
  description: 'The last sequence that you saw: what came after it is told, instead of what holds now.',
};

/** What a feed tells. */
export type EventOf<F> = F extends AsyncIterable<infer E> ? E : never;
