import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** The keys that came from one `JWT_SECRET` (docs/decisions/0040). */
@Entity({ tableName: 'key_generations' })
export class KeyGeneration {
  /** Ascending from 1. */
  @PrimaryKey({ type: 'int', autoincrement: false })
  number!: number;

  /** Sealed with the newest generation, as all of them are. */
  @Property({ type: 'text', hidden: true })
  sealedKeys!: string;

  @Property({ type: 'timestamptz', length: 3 })
  usedFrom!: Date;
}
