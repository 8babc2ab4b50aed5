import { OptionalProps } from '@mikro-orm/core';
import { Entity, Index, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { nowDate } from '../../clock.ts';
import { Organization } from './organization.ts';

/** One signing in, or one impersonation. Every token names its session, and dies with it. */
@Entity({ tableName: 'sessions' })
export class Session {
  [OptionalProps]?: 'readOnly' | 'createdAt' | 'lastUsedAt';

  /** UUIDv7. */
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  /** Whom its tokens speak for: an agent or a super admin. */
  @Property({ type: 'uuid' })
  @Index()
  subjectId!: string;

  @Property({ type: 'text' })
  email!: string;

  /** Absent for a super admin's own. */
  @ManyToOne({
    entity: () => Organization,
    fieldName: 'org_id',
    mapToPk: true,
    nullable: true,
    index: true,
    deleteRule: 'cascade',
    updateRule: 'no action',
  })
  orgId?: string | null;

  /** The super admin behind an impersonation. */
  @Property({ type: 'uuid', nullable: true })
  @Index()
  impersonatorId?: string | null;

  @Property({ type: 'text', nullable: true })
  impersonatorEmail?: string | null;

  /** Why somebody impersonates, in their words. */
  @Property({ type: 'text', nullable: true })
  reason?: string | null;

  /** An impersonation that may look and not touch. */
  @Property({ type: 'boolean', default: false })
  readOnly: boolean = false;

  /** The network address that it was opened from. */
  @Property({ type: 'text' })
  address!: string;

  @Property({ type: 'text', nullable: true })
  userAgent?: string | null;

  /** When it was opened. */
  @Property({ type: 'timestamptz', length: 3 })
  createdAt: Date = nowDate();

  /** True to within a minute. */
  @Property({ type: 'timestamptz', length: 3 })
  lastUsedAt: Date = nowDate();

  /** The end of its newest token. */
  @Property({ type: 'timestamptz', length: 3 })
  @Index()
  expiresAt!: Date;

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  endedAt?: Date | null;
}
