import { OptionalProps } from '@mikro-orm/core';
import { Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, Int, ObjectType } from 'type-graphql';
import { nowDate } from '../../clock.ts';
import { DateScalar, UuidScalar } from '../../schema/scalars.ts';
import { Organization } from './organization.ts';

/** What a tenant uses, gathered from its own counters (seed: "List all tenants with usage statistics"). */
@Entity({ tableName: 'usage' })
@ObjectType('TenantUsage', { description: 'What a tenant uses now; true to within five seconds.' })
export class Usage {
  [OptionalProps]?:
    | 'agentCount'
    | 'contactCount'
    | 'messagesThisMonth'
    | 'activeIntegrations'
    | 'activeChannels'
    | 'gatheredMark';

  @PrimaryKey({ type: 'uuid' })
  @Field(() => UuidScalar)
  id!: string;

  @ManyToOne({ entity: () => Organization, fieldName: 'org_id', mapToPk: true, deleteRule: 'cascade', unique: true })
  @Field(() => UuidScalar, { description: 'The tenant.' })
  orgId!: string;

  @Property({ type: 'integer', default: 0 })
  @Field(() => Int, { description: 'Agents as of now.' })
  agentCount: number = 0;

  @Property({ type: 'integer', default: 0 })
  @Field(() => Int, { description: 'Contacts as of now.' })
  contactCount: number = 0;

  @Property({ type: 'integer', default: 0 })
  @Field(() => Int, { description: "Messages since the first of the month in the tenant's timezone." })
  messagesThisMonth: number = 0;

  @Property({ type: 'integer', default: 0 })
  @Field(() => Int, { description: 'Channels that are connected.' })
  activeIntegrations: number = 0;

  /** Channels with at least one active integration. */
  @Property({ type: 'text[]', defaultRaw: `'{}'` })
  activeChannels: string[] = [];

  @Property({ type: 'date' })
  @Field(() => DateScalar, {
    description: "The first of the month that messagesThisMonth counts, in the tenant's timezone.",
  })
  usageMonth!: string;

  /** IANA name, as of the last gathering: decides when the month turns. */
  @Property({ type: 'text' })
  timezone!: string;

  /** The server's write counter of the tenant's database up to which this is true (domain/written-to.ts). */
  @Property({ type: 'text', default: '' })
  gatheredMark: string = '';

  @Property({ type: 'timestamptz', length: 3 })
  @Field(() => Date)
  updatedAt: Date = nowDate();
}
