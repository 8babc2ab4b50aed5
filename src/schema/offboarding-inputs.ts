/** What is asked for of a tenant as a whole. */
import { ArgsType, Field, Int } from 'type-graphql';
import { z } from 'zod';
import { COUNTDOWN } from '../domain/offboarding/offboarding.ts';
import * as rules from '../domain/rules.ts';
import { UuidScalar } from './scalars.ts';

const { least, usual, most } = COUNTDOWN;
const minutes = { error: `must be a whole number of minutes from ${least} to ${most}` };

/** REST's body. */
export const purgeRules = z.strictObject({
  slug: rules.text.max(63, { error: 'must have at most 63 characters' }),
  afterMinutes: z.int(minutes).min(least, minutes).max(most, minutes).optional(),
});

@ArgsType()
export class PurgeTenantArgs {
  @Field(() => UuidScalar, { description: 'Which tenant.' })
  tenantId!: string;

  @Field(() => String, { description: 'Its slug once more, so that no other one is meant.' })
  slug!: string;

  @Field(() => Int, {
    nullable: true,
    description: `The countdown in minutes, ${least} to ${most}; 30 days (${usual}) unless it says otherwise.`,
  })
  afterMinutes?: number | null;

  static readonly rules = z.object(purgeRules.shape);
}

/** REST's body. */
export const unarchiveRules = z.strictObject({
  activate: z
    .boolean({ error: 'must be true or false' })
    .optional()
    .meta({ description: 'Whether it is to be active then.' }),
});
