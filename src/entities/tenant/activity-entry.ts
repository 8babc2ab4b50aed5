import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { nowDate } from '../../clock.ts';

/** Who changed what in the tenant, written in the transaction of the change itself. Never holds a secret. */
@Entity({ tableName: 'activity_log' })
@Index({ properties: ['actorId', 'id'] })
@Index({ properties: ['action', 'id'] })
@Index({ properties: ['targetType', 'id'] })
@Index({ properties: ['targetId', 'id'] })
@Index({
  name: 'activity_log_noun_idx',
  expression: `create index "activity_log_noun_idx" on "activity_log" (split_part("action", '.', 1), "id")`,
})
export class ActivityEntry {
  /** UUIDv7: the order of the ids is the order of the entries. */
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  /** `super_admin` under an impersonation, else `agent` or `system`. */
  @Property({ type: 'text' })
  actorKind!: string;

  @Property({ type: 'uuid', nullable: true })
  actorId?: string | null;

  @Property({ type: 'text', nullable: true })
  actorEmail?: string | null;

  /** Under an impersonation: the agent that was taken on. The actor stays the super admin. */
  @Property({ type: 'uuid', nullable: true })
  onBehalfOf?: string | null;

  /** `<noun>.<verb>`, such as `working_hours.update`. */
  @Property({ type: 'text' })
  action!: string;

  @Property({ type: 'text', nullable: true })
  targetType?: string | null;

  @Property({ type: 'text', nullable: true })
  targetId?: string | null;

  @Property({ type: 'jsonb', nullable: true })
  before?: unknown;

  @Property({ type: 'jsonb', nullable: true })
  after?: unknown;

  @Property({ type: 'text', nullable: true })
  requestId?: string | null;

  /** The caller's network address. */
  @Property({ type: 'text', nullable: true })
  address?: string | null;

  @Property({ type: 'timestamptz', length: 3 })
  createdAt: Date = nowDate();

  /** SHA-256 of all the above (domain/audit-digest.ts); absent where an older gateway wrote it. */
  @Property({ type: 'blob', nullable: true })
  digest?: Buffer | null;
}
