import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** What is counted against a tenant's limits. */
export type UsageMetric = 'agents' | 'contacts' | 'messages' | 'integrations';

/** A running count, moved by triggers in the transaction of the change itself (migrations/tenant). */
@Entity({ tableName: 'usage_counters' })
export class UsageCounter {
  @PrimaryKey({ type: 'text' })
  metric!: UsageMetric;

  /** `YYYY-MM` in the tenant's timezone for what is counted by month, else empty. */
  @PrimaryKey({ type: 'text' })
  month!: string;

  @Property({ type: 'integer', default: 0 })
  value: number = 0;
}

/** The most that a counter may reach; no row, no limit. */
@Entity({ tableName: 'usage_limits' })
export class UsageLimit {
  @PrimaryKey({ type: 'text' })
  metric!: UsageMetric;

  @Property({ type: 'integer' })
  value!: number;
}
