import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** Who changed what in the tenant, written in the transaction of the change itself. Never holds a secret. */
@Entity({ tableName: 'activity_log' })
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
  createdAt: Date = new Date();
}
