import { PrimaryKeyProp } from '@mikro-orm/core';
import { Entity, Index, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, Int, ObjectType } from 'type-graphql';
import { DateScalar } from '../../schema/scalars.ts';
import { Organization } from './organization.ts';

/** What a tenant used at the end of a day; of today, minutes ago (domain/usage-days.ts). */
@Entity({ tableName: 'usage_days' })
@ObjectType({ description: 'What was used at the end of a day; of today, a few minutes ago.' })
export class UsageDay {
  [PrimaryKeyProp]?: ['orgId', 'day'];

  @ManyToOne({ entity: () => Organization, fieldName: 'org_id', mapToPk: true, deleteRule: 'cascade', primary: true })
  orgId!: string;

  @PrimaryKey({ type: 'date' })
  @Index()
  @Field(() => DateScalar, { description: 'A day of UTC.' })
  day!: string;

  @Property({ type: 'integer' })
  @Field(() => Int, { description: 'Agents at the end of the day; of today, as of now.' })
  agents!: number;

  @Property({ type: 'integer' })
  @Field(() => Int, { description: 'Contacts at the end of the day; of today, as of now.' })
  contacts!: number;

  @Property({ type: 'integer' })
  @Field(() => Int, { description: "Messages since the first of the month in the tenant's timezone." })
  messages!: number;
}

/** The sums of all tenants' records of a day, kept because a year of them is long to add up. */
@Entity({ tableName: 'platform_usage_days' })
export class PlatformUsageDay {
  @PrimaryKey({ type: 'date' })
  day!: string;

  @Property({ type: 'bigint' })
  agents!: string;

  @Property({ type: 'bigint' })
  contacts!: string;

  @Property({ type: 'bigint' })
  messages!: string;
}
