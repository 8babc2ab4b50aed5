import { OptionalProps } from '@mikro-orm/core';
import { Entity, Index, ManyToOne, PrimaryKey, Property, Unique } from '@mikro-orm/decorators/legacy';
import { nowDate } from '../../clock.ts';
import { Organization } from './organization.ts';

/**
 * How an agent signs in: the directory that leads an e-mail address to its tenant, and everything that decides whether
 * the agent may come in. It lives in the control plane so that suspending an agent, or resetting a password, is one
 * transaction with its audit entry and its revocation (docs/decisions/0003). The rest of the agent is in the tenant's
 * own database under the same id.
 */
@Entity({ tableName: 'identities' })
@Unique({
  name: 'identities_org_email_key',
  expression: 'create unique index "identities_org_email_key" on "identities" ("org_id", lower("email"))',
})
@Index({
  name: 'identities_email_idx',
  expression: 'create index "identities_email_idx" on "identities" (lower("email"))',
})
export class Identity {
  [OptionalProps]?: 'tokenVersion';

  /** The agent's id in the tenant's database. */
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @ManyToOne({ entity: () => Organization, fieldName: 'org_id', mapToPk: true, deleteRule: 'cascade' })
  orgId!: string;

  @Property({ type: 'text' })
  email!: string;

  /** argon2id, PHC string format. */
  @Property({ type: 'text', hidden: true })
  passwordHash!: string;

  /** Tokens that carry a smaller number are dead. */
  @Property({ type: 'integer', default: 0 })
  tokenVersion: number = 0;

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  suspendedAt?: Date | null;

  @Property({ type: 'timestamptz', length: 3 })
  createdAt: Date = nowDate();
}
