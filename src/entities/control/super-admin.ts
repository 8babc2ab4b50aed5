import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ObjectType } from 'type-graphql';
import { nowDate } from '../../clock.ts';
import { UuidScalar } from '../../schema/scalars.ts';

/** A person who runs the platform. */
@Entity({ tableName: 'super_admins' })
@Index({
  name: 'super_admins_email_key',
  expression: 'create unique index "super_admins_email_key" on "super_admins" (lower("email"))',
})
@ObjectType({ description: 'A person who runs the platform.' })
export class SuperAdmin {
  @PrimaryKey({ type: 'uuid' })
  @Field(() => UuidScalar)
  id!: string;

  /** Kept as it was given, compared without case. */
  @Property({ type: 'text' })
  @Field()
  email!: string;

  @Property({ type: 'text' })
  @Field()
  name!: string;

  /** argon2id, PHC string format. */
  @Property({ type: 'text', hidden: true })
  passwordHash!: string;

  /** Tokens that carry a smaller number are dead. */
  @Property({ type: 'integer', default: 0 })
  tokenVersion: number = 0;

  @Property({ type: 'timestamptz', length: 3 })
  @Field(() => Date)
  createdAt: Date = nowDate();
}
