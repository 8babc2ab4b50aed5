import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { nowDate } from '../../clock.ts';

/** The one row that names this installation, so that several may share a PostgreSQL server. */
@Entity({ tableName: 'installation' })
export class Installation {
  /** Always 1. */
  @PrimaryKey({ type: 'integer', autoincrement: false })
  id!: number;

  /** Eight hex digits, in the name of every database and role that it makes. */
  @Property({ type: 'text' })
  code!: string;

  @Property({ type: 'timestamptz', length: 3 })
  createdAt: Date = nowDate();
}
