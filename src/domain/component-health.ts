/** How one thing that the platform depends on stands. */
import 'reflect-metadata';
import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';

export enum ComponentStatus {
  UP = 'up',
  DOWN = 'down',
  NOT_CONFIGURED = 'not_configured',
}
registerEnumType(ComponentStatus, {
  name: 'ComponentStatus',
  description: 'Whether a component answered its probe.',
  valuesConfig: {
    UP: { description: 'It answered.' },
    DOWN: { description: 'It did not, or not in time.' },
    NOT_CONFIGURED: { description: 'There is none: its address was not given.' },
  },
});

@ObjectType({ description: 'How one component stands.' })
export class ComponentHealth {
  @Field(() => ComponentStatus, { description: 'Whether it answers.' })
  status!: ComponentStatus;

  @Field(() => Int, { nullable: true, description: 'Milliseconds that the probe took.' })
  latencyMs?: number;

  @Field(() => String, { nullable: true, description: 'Why it is down.' })
  error?: string;

  @Field(() => Date, { nullable: true, description: 'Since when it has stood as it does, as far as is known.' })
  since?: string;
}
