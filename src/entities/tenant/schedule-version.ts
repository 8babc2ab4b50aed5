import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/**
 * What the hours of the organization, or of one division, were from an instant on. Written by `record_schedule` in the
 * transaction of each change (migrations/tenant/0002); never changed, so that the past can be asked.
 */
@Entity({ tableName: 'schedule_versions' })
@Index({ properties: ['divisionId', 'seq'] })
export class ScheduleVersion {
  /** Ascending in the order of the changes. */
  @PrimaryKey({ type: 'bigint', autoincrement: true })
  seq!: string;

  /** Absent for the organization. Not a reference: a removed division's past stays. */
  @Property({ type: 'uuid', nullable: true })
  divisionId?: string | null;

  @Property({ type: 'timestamptz', length: 3 })
  validFrom!: Date;

  /** Shaped as `ScopeVersion` (domain/schedules.ts); absent once a division is removed. */
  @Property({ type: 'jsonb', nullable: true })
  schedule?: unknown;
}
