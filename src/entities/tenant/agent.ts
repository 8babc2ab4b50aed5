import { Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { nowDate } from '../../clock.ts';
import { Role } from './role.ts';

/** A person who works in a tenant's inbox. Whether they may sign in is decided by their Identity. */
@Entity({ tableName: 'agents' })
export class Agent {
  /** UUIDv7, the same as the Identity's. */
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Property({ type: 'text' })
  email!: string;

  @Property({ type: 'text' })
  fullName!: string;

  @ManyToOne({
    entity: () => Role,
    fieldName: 'role_id',
    mapToPk: true,
    index: true,
    deleteRule: 'no action',
    updateRule: 'no action',
  })
  roleId!: string;

  @Property({ type: 'boolean', default: false })
  isOnline: boolean = false;

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  lastSeenAt?: Date | null;

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  deletedAt?: Date | null;

  @Property({ type: 'timestamptz', length: 3 })
  createdAt: Date = nowDate();

  @Property({ type: 'timestamptz', length: 3, onUpdate: () => nowDate() })
  updatedAt: Date = nowDate();
}
