import { Entity, ManyToOne, Property } from '@mikro-orm/decorators/legacy';
import { nowDate } from '../../clock.ts';
import { DatabaseServer, HOME_SERVER_ID } from './database-server.ts';
import { Organization } from './organization.ts';

/** Where a tenant's own database is and how the gateway signs in to it. */
@Entity({ tableName: 'tenant_databases' })
export class TenantDatabase {
  @ManyToOne({ entity: () => Organization, fieldName: 'org_id', mapToPk: true, deleteRule: 'cascade', primary: true })
  orgId!: string;

  /** The server that it is on. */
  @ManyToOne({
    entity: () => DatabaseServer,
    fieldName: 'server_id',
    mapToPk: true,
    default: HOME_SERVER_ID,
    index: true,
    deleteRule: 'no action',
    updateRule: 'no action',
  })
  serverId!: string;

  /** `t_<installation>_<uuid hex>`: opaque, never made from the slug. */
  @Property({ type: 'text', unique: true })
  databaseName!: string;

  /** The login role, named as the database. */
  @Property({ type: 'text', unique: true })
  roleName!: string;

  /** The role's password, sealed with a key that is not in any database (db/keys.ts). */
  @Property({ type: 'text', hidden: true })
  sealedPassword!: string;

  @Property({ type: 'timestamptz', length: 3 })
  createdAt: Date = nowDate();
}
