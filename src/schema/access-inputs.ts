/** The inputs about signing up, keys and impersonations, with the rules that both surfaces hold them to. */
import { ArgsType, Field, InputType } from 'type-graphql';
import { z } from 'zod';
import { TenantPermission } from '../domain/permissions.ts';
import * as rules from '../domain/rules.ts';

@ArgsType()
export class RegisterArgs {
  @Field({ description: "The company's name, 1 to 200 characters; its slug is made from it." })
  orgName!: string;

  @Field({ description: 'The first admin.' })
  adminEmail!: string;

  @Field({ description: 'At least 6 characters.' })
  adminPassword!: string;

  static readonly rules = z.strictObject({
    orgName: rules.name,
    adminEmail: rules.email,
    adminPassword: rules.anyPassword.min(6, { error: 'must have at least 6 characters' }),
  });
}

@ArgsType()
export class ImpersonationArgs {
  @Field(() => String, { nullable: true, description: 'Why, up to 500 characters; kept, and shown to the tenant.' })
  reason?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'True: may look at everything and change nothing.' })
  readOnly?: boolean | null;

  static readonly rules = z.strictObject({
    reason: rules.text.trim().max(500, { error: 'must have at most 500 characters' }).optional(),
    readOnly: z.boolean().optional(),
  });
}

export const permissions = z.array(z.enum(TenantPermission, { error: 'is not a known permission' }));

@InputType({ description: 'A key to be made, for a program that asks on behalf of its maker.' })
export class CreateApiKeyInput {
  @Field({ description: 'What it is for, 1 to 200 characters.' })
  name!: string;

  @Field(() => [TenantPermission], { description: 'What it may do: of your own permissions those that it needs.' })
  scopes!: TenantPermission[];

  @Field(() => Date, { nullable: true, description: 'When it stops working; without it, never.' })
  expiresAt?: Date | null;

  static readonly rules = z.strictObject({
    name: rules.name,
    scopes: permissions,
    expiresAt: z.date().optional(),
  });
}
