import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { nowDate } from '../../clock.ts';

/** Who did what to what, written in the transaction of the change itself. Never holds a secret. */
@Entity({ tableName: 'audit_entries' })
@Index({ properties: ['orgId', 'id'] })
@Index({ properties: ['orgId', 'actorId', 'id'] })
@Index({ properties: ['orgId', 'action', 'id'] })
@Index({ properties: ['orgId', 'targetType', 'id'] })
@Index({ properties: ['orgId', 'targetId', 'id'] })
@Index({ properties: ['actorId', 'id'] })
@Index({ properties: ['action', 'id'] })
@Index({ properties: ['targetType', 'id'] })
@Index({ properties: ['targetId', 'id'] })
@Index({
  name: 'audit_entries_noun_idx',
  expression: `create index "audit_entries_noun_idx" on "audit_entries" ("org_id", split_part("action", '.', 1), "id")`,
})
@Index({
  name: 'audit_entries_any_noun_idx',
  expression: `create index "audit_entries_any_noun_idx" on "audit_entries" (split_part("action", '.', 1), "id")`,
})
export class AuditEntry {
  /** UUIDv7: the order of the ids is the order of the entries. */
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  /** The tenant it concerns; absent for the platform itself. */
  @Property({ type: 'uuid', nullable: true })
  orgId?: string | null;

  /** `super_admin`, `agent`, `system` or `anonymous`. */
  @Property({ type: 'text' })
  actorKind!: string;

  @Property({ type: 'uuid', nullable: true })
  actorId?: string | null;

  @Property({ type: 'text', nullable: true })
  actorEmail?: string | null;

  /** Under an impersonation: the identity that was taken on. The actor stays the super admin. */
  @Property({ type: 'uuid', nullable: true })
  onBehalfOf?: string | null;

  /** `<noun>.<verb>`, such as `tenant.suspend`. */
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
