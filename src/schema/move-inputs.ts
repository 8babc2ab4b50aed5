/** What is asked of the moves of tenants, with its rules. */
import { ArgsType, Field, Int } from 'type-graphql';
import { z } from 'zod';
import * as rules from '../domain/rules.ts';
import { UuidScalar } from './scalars.ts';

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
