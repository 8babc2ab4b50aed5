import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** What an agent may do. The three system roles are the same in every tenant (contract section 6). */
@Entity({ tableName: 'roles' })
export class Role {
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Property({ type: 'text', unique: true })
  name!: string;

  @Property({ type: 'boolean', default: false })
  isSystem: boolean = false;

  /** Permission codes such as `settings.manage`. */
  @Property({ type: 'text[]', defaultRaw: `'{}'` })
  permissions: string[] = [];

  @Property({ type: 'timestamptz', length: 3 })
  createdAt: Date = new Date();
}
