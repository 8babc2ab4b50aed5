/** The inputs about divisions, with the rules that both surfaces hold them to. */
import { ArgsType, Field, InputType } from 'type-graphql';
import { z } from 'zod';
import { timezone } from '../domain/hours-rules.ts';
import * as rules from '../domain/rules.ts';
import { UuidScalar } from './scalars.ts';

const MOST_AGENTS = 500;

const description = rules.text.trim().max(1000, { error: 'must have at most 1000 characters' });

const NAME = '1 to 200 characters; no other division has it, with or without capitals.';
const DESCRIPTION = 'Up to 1000 characters.';
const TIMEZONE = "An IANA name, such as Asia/Jakarta. Without one, the organization's own timezone counts.";

@InputType({ description: 'A division to be made.' })
export class CreateDivisionInput {
  @Field({ description: NAME })
  name!: string;

  @Field(() => String, { nullable: true, description: DESCRIPTION })
  description?: string | null;

  @Field(() => String, { nullable: true, description: TIMEZONE })
  timezone?: string | null;

  static readonly rules = z.strictObject({
    name: rules.name,
    description: description.optional(),
    timezone: timezone.optional(),
  });
}

@InputType({ description: 'A merge patch: what is absent stays as it is.' })
export class UpdateDivisionInput {
  @Field(() => String, { nullable: true, description: NAME })
  name?: string | null;

  @Field(() => String, { nullable: true, description: `${DESCRIPTION} Null removes it.` })
  description?: string | null;

  @Field(() => String, { nullable: true, description: `${TIMEZONE} Null removes it.` })
  timezone?: string | null;

  static readonly rules = z.strictObject({
    name: rules.name.optional(),
    description: description.nullable().optional(),
    timezone: timezone.nullable().optional(),
  });
}

@ArgsType()
export class AgentIdsArgs {
  @Field(() => [UuidScalar], {
    description: `1 to ${MOST_AGENTS} agents of the organization. Where one of them is none, nothing changes.`,
  })
  agentIds!: string[];

  static readonly rules = z.strictObject({
    agentIds: z
      .array(rules.uuid)
      .min(1, { error: 'must name at least one agent' })
      .max(MOST_AGENTS, { error: `must name at most ${MOST_AGENTS} agents` }),
  });
}
