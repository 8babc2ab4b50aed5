/** The inputs of mutations: their GraphQL shape, and beside it the rules that both surfaces hold them to. */
import { ArgsType, Field, InputType, Int, registerEnumType } from 'type-graphql';
import { z } from 'zod';
import * as rules from '../domain/rules.ts';
import { OrderDirection, TenantOrderField } from '../domain/tenant-list.ts';
import { TenantStatus } from '../entities/control/organization.ts';
import { PageArgs } from './paging.ts';
import { UuidScalar } from './scalars.ts';

@InputType({ description: 'What a tenant may use; an absent key means no limit.' })
export class TenantLimitsInput {
  @Field(() => Int, { nullable: true, description: 'Most agents at one time.' })
  maxAgents?: number | null;

  @Field(() => Int, { nullable: true, description: 'Most contacts at one time.' })
  maxContacts?: number | null;

  @Field(() => Int, { nullable: true, description: "Most messages in one calendar month of the tenant's timezone." })
  maxMessagesMonth?: number | null;
}

@InputType({ description: 'A company to be brought onto the platform.' })
export class ProvisionTenantInput {
  @Field({ description: '1 to 200 characters.' })
  name!: string;

  @Field({ description: 'For URLs: 3 to 63 of a-z, 0-9 and "-", starting with a letter; fixed once chosen.' })
  slug!: string;

  @Field(() => TenantLimitsInput, { nullable: true, description: 'Absent: without limits.' })
  limits?: TenantLimitsInput | null;

  @Field(() => String, { nullable: true, description: 'ISO 3166-1 alpha-2, such as ID.' })
  country?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Where its database is to be: the region of a database server. Absent: anywhere.',
  })
  region?: string | null;

  @Field(() => String, { nullable: true, description: 'The first admin, together with adminPassword.' })
  adminEmail?: string | null;

  @Field(() => String, { nullable: true, description: 'At least 8 characters.' })
  adminPassword?: string | null;

  static readonly rules = z
    .strictObject({
      name: rules.name,
      slug: rules.slug,
      limits: rules.limits.optional(),
      country: rules.country.optional(),
      region: rules.shortName.optional(),
      adminEmail: rules.email.optional(),
      adminPassword: rules.newPassword.optional(),
    })
    .check(({ value, issues }) => {
      const missing = value.adminEmail === undefined ? 'adminEmail' : 'adminPassword';
      if ((value.adminEmail === undefined) !== (value.adminPassword === undefined)) {
        issues.push({
          code: 'custom',
          input: value,
          path: [missing],
          message: 'admin e-mail and password come together or not at all',
        });
      }
    })
    // What the check above says, for the API description.
    .meta({ dependentRequired: { adminEmail: ['adminPassword'], adminPassword: ['adminEmail'] } });
}

@InputType({ description: 'What is to become of a tenant; what is absent stays.' })
export class UpdateTenantInput {
  @Field(() => String, { nullable: true, description: '1 to 200 characters.' })
  name?: string | null;

  @Field(() => TenantLimitsInput, { nullable: true, description: 'A merge patch: a key that is null is removed.' })
  limits?: TenantLimitsInput | null;

  @Field(() => TenantStatus, { nullable: true, description: 'ACTIVE or SUSPENDED.' })
  status?: TenantStatus | null;

  static readonly rules = z.strictObject({
    name: rules.name.optional(),
    limits: rules.limitsPatch.nullable().optional(),
    status: z.enum([TenantStatus.ACTIVE, TenantStatus.SUSPENDED], { error: 'must be active or suspended' }).optional(),
  });
}

@InputType({ description: 'An account to be made that may do everything on the platform.' })
export class CreateSuperAdminInput {
  @Field({ description: 'No other super admin has it, with or without capitals.' })
  email!: string;

  @Field({ description: '1 to 200 characters.' })
  name!: string;

  @Field({ description: 'At least 8 characters.' })
  password!: string;

  static readonly rules = z.strictObject({ email: rules.email, name: rules.name, password: rules.newPassword });
}

@InputType({ description: 'An admin to be made in a tenant, with the account that they sign in with.' })
export class CreateTenantAdminInput {
  @Field({ description: 'No other account of the tenant has it, with or without capitals.' })
  email!: string;

  @Field({ description: 'At least 8 characters.' })
  password!: string;

  @Field(() => String, { nullable: true, description: '1 to 200 characters. Absent: Admin.' })
  fullName?: string | null;

  static readonly rules = z.strictObject({
    email: rules.email,
    password: rules.newPassword,
    fullName: rules.name.optional(),
  });
}

@ArgsType()
export class NewPasswordArgs {
  @Field({ description: 'At least 8 characters.' })
  newPassword!: string;

  static readonly rules = z.strictObject({ newPassword: rules.newPassword });
}

@ArgsType()
export class CredentialsArgs {
  @Field({ description: 'The address of the account, with or without capitals.' })
  email!: string;

  @Field({ description: 'Its password.' })
  password!: string;

  static readonly rules: z.ZodType = z.strictObject({ email: rules.email, password: rules.anyPassword });
}

@ArgsType()
export class LoginArgs extends CredentialsArgs {
  @Field(() => String, { nullable: true, description: 'The slug, where one address belongs to several tenants.' })
  tenant?: string | null;

  static override readonly rules = z.strictObject({
    email: rules.email,
    password: rules.anyPassword,
    tenant: rules.text.max(63).optional(),
  });
}

@ArgsType()
export class TenantUsersArgs extends PageArgs {
  @Field(() => UuidScalar, { description: 'Which tenant.' })
  tenantId!: string;

  @Field(() => String, { nullable: true, description: 'Literal text in the e-mail address or the name, without case.' })
  search?: string | null;

  static readonly rules = z.object({ search: rules.text.max(200).optional() });
}

@InputType({ description: 'Tenants that are wanted: those that fit all that is given.' })
export class TenantFilter {
  @Field(() => TenantStatus, { nullable: true, description: 'Those that stand so.' })
  status?: TenantStatus | null;

  @Field(() => String, { nullable: true, description: 'Literal text in the name or the slug, without case.' })
  search?: string | null;

  static readonly rules = z.strictObject({
    status: z.enum(TenantStatus).optional(),
    search: rules.text.max(200).optional(),
  });
}

registerEnumType(TenantOrderField, {
  name: 'TenantOrderField',
  description: 'What tenants can be ordered by. Equal ones stand in the order in which they were made.',
  valuesConfig: {
    CREATED_AT: { description: 'The time of making.' },
    NAME: { description: 'Without case.' },
    SLUG: { description: 'By its characters.' },
    STATUS: { description: 'Provisioning, then active, then suspended.' },
  },
});
registerEnumType(OrderDirection, {
  name: 'OrderDirection',
  description: 'Which way an order goes.',
  valuesConfig: { ASC: { description: 'The smallest first.' }, DESC: { description: 'The greatest first.' } },
});

@InputType({ description: 'An order of tenants. The cursors of one order are none of another.' })
export class TenantOrder {
  @Field(() => TenantOrderField, { description: 'What it goes by.' })
  field!: TenantOrderField;

  @Field(() => OrderDirection, { nullable: true, description: 'ASC, unless it says DESC.' })
  direction?: OrderDirection | null;
}

@ArgsType()
export class SuggestSlugArgs {
  @Field({ description: '1 to 200 characters, in any script.' })
  name!: string;

  static readonly rules = z.strictObject({ name: rules.name });
}
