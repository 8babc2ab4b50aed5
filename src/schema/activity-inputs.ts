/** What questions about the activity log and the audit log may hold. */
import { Field, InputType } from 'type-graphql';
import { z } from 'zod';
import { anyInstant } from '../domain/hours-rules.ts';
import * as rules from '../domain/rules.ts';
import { UuidScalar } from './scalars.ts';

const short = rules.text.min(1, { error: 'must not be empty' }).max(200, { error: 'must have at most 200 characters' });

const action = z
  .string()
  .max(100, { error: 'must have at most 100 characters' })
  .regex(/^[a-z_]+\.([a-z_]+|\*)$/, {
    error: 'must be an action such as division.update, or all of a noun: division.*',
  })
  .meta({ examples: ['division.*'] });

@InputType('ActivityLogFilter', { description: 'All that is given has to hold.' })
export class ActivityFilterInput {
  @Field(() => UuidScalar, { nullable: true, description: 'Who did it.' })
  actorId?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'One action, such as division.update, or all of a noun: division.*',
  })
  action?: string | null;

  @Field(() => String, { nullable: true, description: 'What kind of thing it was done to, such as division.' })
  targetType?: string | null;

  @Field(() => String, { nullable: true, description: 'What it was done to.' })
  targetId?: string | null;

  @Field(() => Date, { nullable: true, description: 'From this instant on.' })
  from?: Date | null;

  @Field(() => Date, { nullable: true, description: 'Before this instant.' })
  to?: Date | null;

  static readonly rules: z.ZodObject = z.strictObject({
    actorId: rules.uuid.optional(),
    action: action.optional(),
    targetType: short.optional(),
    targetId: short.optional(),
    from: anyInstant.optional(),
    to: anyInstant.optional(),
  });
}

@InputType('AuditLogFilter', { description: 'All that is given has to hold.' })
export class AuditFilterInput extends ActivityFilterInput {
  @Field(() => UuidScalar, { nullable: true, description: 'The tenant it concerns, also one that was removed since.' })
  tenantId?: string | null;

  @Field(() => String, {
    nullable: true,
    description: "Literal text in the actor's e-mail address, the action or the target's id, without case.",
  })
  search?: string | null;

  static override readonly rules = ActivityFilterInput.rules.extend({
    tenantId: rules.uuid.optional(),
    search: rules.text.max(200, { error: 'must have at most 200 characters' }).optional(),
  });
}
