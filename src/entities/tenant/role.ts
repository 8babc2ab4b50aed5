import { Entity, PrimaryKey, Property, Unique } from '@mikro-orm/decorators/legacy';
import { nowDate } from '../../clock.ts';

/** What an agent may do. The three system roles are the same in every tenant (contract section 6). */
@Entity({ tableName: 'roles' })
@Unique({
  name: 'roles_name_key',
  expression: 'create unique index "roles_name_key" on "roles" (lower("name"))',
})
export class Role {
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  /** Unique without case. */
  @Property({ type: 'text' })
  name!: string;

  @Property({ type: 'text', nullable: true })
  description?: string | null;

  @Property({ type: 'boolean', default: false })
  isSystem: boolean = false;

  /** Permission codes such as `settings.manage`; what a system role may do is fixed in domain/permissions.ts. */
  @Property({ type: 'text[]', defaultRaw: `'{}'` })
  permissions: string[] = [];

  @Property({ type: 'timestamptz', length: 3 })
  createdAt: Date = nowDate();

  @Property({ type: 'timestamptz', length: 3, onUpdate: () => nowDate() })
  updatedAt: Date = nowDate();
}
