import { Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { nowDate } from '../../clock.ts';
import { Identity } from './identity.ts';
import { Organization } from './organization.ts';

/** A key that programs act with for the agent who made it. The key itself is nowhere; it goes when its maker goes. */
@Entity({ tableName: 'api_keys' })
export class ApiKey {
  /** UUIDv7. */
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @ManyToOne({
    entity: () => Organization,
    fieldName: 'org_id',
    mapToPk: true,
    index: true,
    deleteRule: 'cascade',
    updateRule: 'no action',
  })
  orgId!: string;

  /** The agent who made it. */
  @ManyToOne({
    entity: () => Identity,
    fieldName: 'maker_id',
    mapToPk: true,
    index: true,
    deleteRule: 'cascade',
    updateRule: 'no action',
  })
  makerId!: string;

  @Property({ type: 'text' })
  name!: string;

  /** How the key begins, to tell it from others by. */
  @Property({ type: 'text' })
  prefix!: string;

  /** SHA-256 of the whole key, hex: 256 random bits need no slow hash. */
  @Property({ type: 'text', unique: true, hidden: true })
  hash!: string;

  /** Permission codes: it may do what these and its maker's role both allow. */
  @Property({ type: 'text[]' })
  scopes!: string[];

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  expiresAt?: Date | null;

  /** True to within a minute. */
  @Property({ type: 'timestamptz', length: 3, nullable: true })
  lastUsedAt?: Date | null;

  @Property({ type: 'timestamptz', length: 3 })
  createdAt: Date = nowDate();
}
