/** What an entry of a log says, whoever reads it. */
import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { JsonScalar, UuidScalar } from './scalars.ts';

enum ActorKind {
  AGENT = 'agent',
  ANONYMOUS = 'anonymous',
  API_KEY = 'api_key',
  SUPER_ADMIN = 'super_admin',
  SYSTEM = 'system',
}
registerEnumType(ActorKind, {
  name: 'ActorKind',
  description: 'What kind of actor did something.',
  valuesConfig: {
    AGENT: { description: 'An agent of the organization.' },
    ANONYMOUS: { description: 'Somebody who had not signed in.' },
    API_KEY: { description: 'A program with an API key of the organization.' },
    SUPER_ADMIN: { description: 'Somebody who runs the platform.' },
    SYSTEM: { description: 'The platform by itself.' },
  },
});

@ObjectType()
export abstract class LogEntry {
  @Field(() => UuidScalar)
  id!: string;

  @Field({ description: 'A noun and a verb, such as division.update.' })
  action!: string;

  @Field(() => ActorKind, { description: 'Whether a person, a key or the platform itself did it.' })
  actorKind!: string;

  @Field(() => UuidScalar, { nullable: true, description: 'Who did it.' })
  actorId?: string | null;

  @Field(() => String, { nullable: true, description: 'As it was then; also of somebody who tried to sign in.' })
  actorEmail?: string | null;

  @Field(() => UuidScalar, {
    nullable: true,
    description: 'The agent as whom a super admin, or for whom a key, acted.',
  })
  onBehalfOf?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The address that this agent has now; absent where there is none any more.',
  })
  onBehalfOfEmail?: string | null;

  @Field(() => String, { nullable: true, description: 'What kind of thing it was done to.' })
  targetType?: string | null;

  @Field(() => String, { nullable: true, description: 'What it was done to.' })
  targetId?: string | null;

  @Field(() => JsonScalar, { nullable: true, description: 'What changed, as it was.' })
  before?: unknown;

  @Field(() => JsonScalar, { nullable: true, description: 'What changed, as it became.' })
  after?: unknown;

  @Field(() => String, { nullable: true, description: 'The X-Request-Id of the request that did it.' })
  requestId?: string | null;

  @Field(() => Date)
  createdAt!: string;
}
