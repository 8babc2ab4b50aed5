import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { nowDate } from '../../clock.ts';

/** How one component stood at one time, for the chart of the last day. */
@Entity({ tableName: 'health_samples' })
@Index({ properties: ['component', 'at'] })
export class HealthSample {
  @PrimaryKey({ type: 'bigint', autoincrement: true })
  id!: string;

  /** As in the health report, such as `postgres` or `wsServer`. */
  @Property({ type: 'text' })
  component!: string;

  @Property({ type: 'text' })
  status!: string;

  /** Milliseconds. */
  @Property({ type: 'integer', nullable: true })
  latencyMs?: number | null;

  @Property({ type: 'timestamptz', length: 3, index: true })
  at: Date = nowDate();
}
