import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { nowDate } from '../../clock.ts';

/** The answer to a `POST` with an `Idempotency-Key`, kept for 24 hours (contract section 1, "repeats"). */
@Entity({ tableName: 'idempotency_keys' })
export class IdempotencyKey {
  /** Who sent it, hashed together with the key itself. */
  @PrimaryKey({ type: 'text' })
  key!: string;

  /** Keyed hash of the method, path and body, so that another request under the same key is noticed. */
  @Property({ type: 'text' })
  fingerprint!: string;

  @Property({ type: 'integer' })
  status!: number;

  /** The body and its headers, sealed: an answer can hold a token. */
  @Property({ type: 'text', hidden: true })
  sealedAnswer!: string;

  @Property({ type: 'timestamptz', length: 3, index: true })
  createdAt: Date = nowDate();
}
