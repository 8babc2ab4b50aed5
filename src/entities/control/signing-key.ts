import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { nowDate } from '../../clock.ts';

/** A key that tokens are signed with, after the one that is derived from `JWT_SECRET` (docs/decisions/0023). */
@Entity({ tableName: 'signing_keys' })
export class SigningKey {
  /** As tokens name it in their header (RFC 7515 section 4.1.4). */
  @PrimaryKey({ type: 'text' })
  kid!: string;

  @Property({ type: 'text', hidden: true })
  sealedKey!: string;

  /** From then on tokens are signed with it: all processes know it by then. */
  @Property({ type: 'timestamptz', length: 3 })
  signsFrom!: Date;

  /** When the tokens of the keys before it are good no more. */
  @Property({ type: 'timestamptz', length: 3 })
  formerEndAt!: Date;

  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()' })
  createdAt: Date = nowDate();
}
