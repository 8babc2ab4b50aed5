import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** Counted attempts; columns and meaning are rate-limiter-flexible's. */
@Entity({ tableName: 'rate_limits' })
export class RateLimit {
  @PrimaryKey({ type: 'string', length: 255 })
  key!: string;

  @Property({ type: 'integer', default: 0 })
  points: number = 0;

  /** Milliseconds since the epoch. */
  @Property({ type: 'bigint', nullable: true })
  expire?: string | null;
}
