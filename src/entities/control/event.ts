import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** A committed change, for every gateway process (live/event-log.ts). */
@Entity({ tableName: 'events' })
@Index({ properties: ['topic', 'seq'] })
export class Event {
  /** Ascending in the order of the commits, without ties. */
  @PrimaryKey({ type: 'bigint', autoincrement: true })
  seq!: string;

  @Property({ type: 'text' })
  topic!: string;

  @Property({ type: 'jsonb' })
  payload!: unknown;

  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()', index: true })
  createdAt!: Date;
}
