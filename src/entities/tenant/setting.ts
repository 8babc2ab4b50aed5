import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { nowDate } from '../../clock.ts';

/** One setting of a tenant, such as `timezone`. */
@Entity({ tableName: 'settings' })
export class Setting {
  @PrimaryKey({ type: 'text' })
  key!: string;

  @Property({ type: 'text' })
  value!: string;

  @Property({ type: 'timestamptz', length: 3, onUpdate: () => nowDate() })
  updatedAt: Date = nowDate();
}
