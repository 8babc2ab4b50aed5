import { Entity, Enum, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { nowDate } from '../../clock.ts';
import { UuidScalar } from '../../schema/scalars.ts';

/** Where a tenant is in its life (seed: Super Admin, "status"). */
export enum TenantStatus {
  PROVISIONING = 'provisioning',
  ACTIVE = 'active',
  SUSPENDED = 'suspended',
}

registerEnumType(TenantStatus, {
  name: 'TenantStatus',
  description: 'Where a tenant is in its life.',
  valuesConfig: {
    PROVISIONING: { description: 'Its databases are being made; nobody can sign in yet.' },
    ACTIVE: { description: 'In use.' },
    SUSPENDED: { description: 'Shut: nobody can sign in, the data stays.' },
  },
});

/** What a tenant may use. An absent key means no limit. */
@ObjectType({ description: 'What a tenant may use; a limit without a value does not exist.' })
export class TenantLimits {
  @Field(() => Int, { nullable: true, description: 'Most agents at one time.' })
  maxAgents?: number;

  @Field(() => Int, { nullable: true, description: 'Most contacts at one time.' })
  maxContacts?: number;

  @Field(() => Int, { nullable: true, description: "Most messages in one calendar month of the tenant's timezone." })
  maxMessagesMonth?: number;
}

/** A tenant company, as the control plane knows it. GraphQL calls it Tenant. */
@Entity({ tableName: 'organizations' })
@Index({
  name: 'organizations_name_idx',
  expression: 'create index "organizations_name_idx" on "organizations" (lower("name"), "id")',
})
@Index({ properties: ['status', 'id'] })
@ObjectType('Tenant', { description: 'A company that uses the platform, with databases of its own.' })
export class Organization {
  @PrimaryKey({ type: 'uuid' })
  @Field(() => UuidScalar)
  id!: string;

  @Property({ type: 'text' })
  @Field({ description: 'The name people see.' })
  name!: string;

  @Property({ type: 'text', unique: true })
  @Field({ description: 'The URL-safe name, unique on the platform, fixed once chosen.' })
  slug!: string;

  @Enum({ items: () => TenantStatus, nativeEnumName: 'tenant_status' })
  @Field(() => TenantStatus, { description: 'Where it is in its life.' })
  status: TenantStatus = TenantStatus.PROVISIONING;

  @Property({ type: 'text', nullable: true })
  @Field(() => String, { nullable: true, description: 'ISO 3166-1 alpha-2 country code, such as ID.' })
  country?: string | null;

  @Property({ type: 'text', nullable: true })
  @Field(() => String, {
    nullable: true,
    description: 'Where its database was wished to be: the region of a database server.',
  })
  region?: string | null;

  @Property({ type: 'jsonb', defaultRaw: `'{}'` })
  @Field(() => TenantLimits, { description: 'What it may use.' })
  limits: TenantLimits = {};

  @Property({ type: 'text', unique: true })
  @Field({ description: 'The name of its document database, chosen by the server.' })
  mongoDatabase!: string;

  @Property({ type: 'integer', default: 0 })
  @Field(() => Int, { description: 'The number of the newest migration its database has; 0 before it has one.' })
  schemaVersion: number = 0;

  /** Tokens of any of its users made before this number are dead; raised by a suspension. */
  @Property({ type: 'integer', default: 0 })
  tokenVersion: number = 0;

  /** Set once the database is dropped, and again null once it is back (domain/offboarding). */
  @Property({ type: 'timestamptz', length: 3, nullable: true })
  @Field(() => Date, {
    nullable: true,
    description: 'Since when its database is an archive alone; absent while it has one.',
  })
  archivedAt?: Date | null;

  /** By the database's clock. */
  @Property({ type: 'timestamptz', length: 3, nullable: true })
  @Index()
  @Field(() => Date, {
    nullable: true,
    description:
      'When everything of it is removed for good, unless that is called off; absent where nobody asked for it.',
  })
  purgeAt?: Date | null;

  @Property({ type: 'timestamptz', length: 3 })
  @Field(() => Date)
  createdAt: Date = nowDate();

  @Property({ type: 'timestamptz', length: 3, onUpdate: () => nowDate() })
  @Field(() => Date)
  updatedAt: Date = nowDate();
}
