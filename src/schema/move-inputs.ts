/** What is asked of the moves of tenants, with its rules. */
import { ArgsType, Field, Int } from 'type-graphql';
import { z } from 'zod';
import * as rules from '../domain/rules.ts';
import { UuidScalar } from './scalars.ts';

/** REST's body. */
export const abandonMoveRules = z.strictObject({
  slug: rules.text.max(63, { error: 'must have at most 63 characters' }),
  reason: rules.text
    .trim()
    .min(1, { error: 'must not be empty' })
    .max(500, { error: 'must have at most 500 characters' }),
});

@ArgsType()
export class AbandonTenantMoveArgs {
  @Field(() => UuidScalar, { description: 'Which tenant.' })
  tenantId!: string;

  @Field(() => String, { description: 'Its slug once more, so that no other one is meant.' })
  slug!: string;

  @Field(() => String, { description: 'Why, for the audit log: 1 to 500 characters.' })
  reason!: string;

  static readonly rules = z.object({ ...abandonMoveRules.shape, tenantId: rules.uuid });
}

@ArgsType()
export class MoveTenantArgs {
  @Field(() => UuidScalar, { description: 'The tenant that is to be moved.' })
  tenantId!: string;

  @Field(() => UuidScalar, { description: 'The server that it is to be on.' })
  serverId!: string;

  @Field(() => Int, {
    nullable: true,
    description:
      'For so many seconds, 2 to 300, it may not be written at the switch, in which both databases are compared; else the switch is ' +
      'put off. 20 unless it says otherwise.',
  })
  maxReadOnlySeconds?: number | null;

  static readonly rules = z.strictObject({
    tenantId: rules.uuid,
    serverId: rules.uuid,
    maxReadOnlySeconds: z.int().min(2, 'must be 2 to 300').max(300, 'must be 2 to 300').optional(),
  });
}
