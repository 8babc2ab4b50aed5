import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { nowDate } from '../../clock.ts';

/** Why the older tokens of a subject are dead. */
export type RevocationReason =
  | 'credentials_changed'
  | 'account_deleted'
  | 'user_suspended'
  | 'tenant_suspended'
  | 'signed_out';

/**
 * Tokens of this subject (a session, a super admin, an agent, or an organization for all its agents) that carry a smaller version
 * are dead. A row outlives the longest token and is then removed.
 */
@Entity({ tableName: 'revocations' })
export class Revocation {
  @PrimaryKey({ type: 'uuid' })
  subjectId!: string;

  @Property({ type: 'integer' })
  version!: number;

  @Property({ type: 'text' })
  reason!: RevocationReason;

  @Property({ type: 'timestamptz', length: 3 })
  @Index()
  revokedAt: Date = nowDate();
}
