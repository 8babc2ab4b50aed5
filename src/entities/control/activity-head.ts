import { Entity, ManyToOne, Property } from '@mikro-orm/decorators/legacy';
import { Organization } from './organization.ts';

/** The newest link of a tenant's chain of entries: kept apart from it, so that an end that is cut off is missed. */
@Entity({ tableName: 'activity_heads' })
export class ActivityHead {
  @ManyToOne({ entity: () => Organization, fieldName: 'org_id', mapToPk: true, deleteRule: 'cascade', primary: true })
  orgId!: string;

  @Property({ type: 'bigint' })
  seq!: string;

  @Property({ type: 'blob' })
  hash!: Buffer;
}
