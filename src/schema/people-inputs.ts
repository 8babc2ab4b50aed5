/** The inputs about agents and roles, with the rules that both surfaces hold them to. */
import { ArgsType, Field, InputType } from 'type-graphql';
import { z } from 'zod';
import { TenantPermission } from '../domain/permissions.ts';
import * as rules from '../domain/rules.ts';
import { permissions } from './access-inputs.ts';
import { UuidScalar } from './scalars.ts';

const MOST_DIVISIONS = 100;
const ROLE = "A role's name: admin, supervisor, agent, or one of the organization's own.";

const search = rules.text.max(200);

/** What a list of agents may be narrowed to; in REST each is a parameter of the query. */
export const agentFilter = {
  search: search.optional(),
  role: rules.name.optional(),
  divisionId: rules.uuid.optional(),
};

@InputType({ description: 'Agents that are wanted: those that fit all that is given.' })
export class AgentFilter {
  @Field(() => String, { nullable: true, description: 'Literal text in the e-mail address or the name, without case.' })
  search?: string | null;

  @Field(() => String, { nullable: true, description: ROLE })
  role?: string | null;

  @Field(() => UuidScalar, { nullable: true, description: 'Those who work in this division.' })
  divisionId?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'Those who are online, or those who are not.' })
  online?: boolean | null;

  static readonly rules = z.strictObject({ ...agentFilter, online: z.boolean().optional() });
}

@InputType({ description: 'An agent to be made, with the account that they sign in with.' })
export class CreateAgentInput {
  @Field({ description: 'No other account of the organization has it, with or without capitals.' })
  email!: string;

  @Field({ description: '1 to 200 characters.' })
  fullName!: string;

  @Field({ description: 'At least 8 characters.' })
  password!: string;

  @Field(() => String, { nullable: true, description: `${ROLE} Without it, agent.` })
  role?: string | null;

  @Field(() => [UuidScalar], { nullable: true, description: 'The divisions that they work in.' })
  divisionIds?: string[] | null;

  static readonly rules = z.strictObject({
    email: rules.email,
    fullName: rules.name,
    password: rules.newPassword,
    role: rules.name.optional(),
    divisionIds: z
      .array(rules.uuid)
      .max(MOST_DIVISIONS, { error: `must name at most ${MOST_DIVISIONS} divisions` })
      .optional(),
  });
}

@InputType({ description: 'A merge patch: what is absent stays as it is.' })
export class UpdateAgentInput {
  @Field(() => String, {
    nullable: true,
    description: 'No other account of the organization has it, with or without capitals.',
  })
  email?: string | null;

  @Field(() => String, { nullable: true, description: '1 to 200 characters.' })
  fullName?: string | null;

  @Field(() => String, { nullable: true, description: 'A new one, at least 8 characters; ends their sessions.' })
  password?: string | null;

  @Field(() => String, { nullable: true, description: ROLE })
  role?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'False keeps them out and ends their sessions.' })
  isActive?: boolean | null;

  static readonly rules = z.strictObject({
    email: rules.email.optional(),
    fullName: rules.name.optional(),
    password: rules.newPassword.optional(),
    role: rules.name.optional(),
    isActive: z.boolean().optional(),
  });
}

@ArgsType()
export class OnlineArgs {
  @Field({ description: 'Whether conversations may be given to them.' })
  isOnline!: boolean;

  static readonly rules = z.strictObject({ isOnline: z.boolean() });
}

const description = rules.text.trim().max(1000, { error: 'must have at most 1000 characters' });
const NAME = '1 to 200 characters; no other role has it, with or without capitals.';
const PERMISSIONS = 'What it allows: nothing that you may not do yourself.';

@InputType({ description: 'A role to be made.' })
export class CreateRoleInput {
  @Field({ description: NAME })
  name!: string;

  @Field(() => String, { nullable: true, description: 'Up to 1000 characters.' })
  description?: string | null;

  @Field(() => [TenantPermission], { description: PERMISSIONS })
  permissions!: TenantPermission[];

  static readonly rules = z.strictObject({ name: rules.name, description: description.optional(), permissions });
}

@InputType({ description: 'A merge patch: what is absent stays as it is.' })
export class UpdateRoleInput {
  @Field(() => String, { nullable: true, description: NAME })
  name?: string | null;

  @Field(() => String, { nullable: true, description: 'Up to 1000 characters. Null removes it.' })
  description?: string | null;

  @Field(() => [TenantPermission], { nullable: true, description: `${PERMISSIONS} Replaces what it allowed.` })
  permissions?: TenantPermission[] | null;

  static readonly rules = z.strictObject({
    name: rules.name.optional(),
    description: description.nullable().optional(),
    permissions: permissions.optional(),
  });
}
