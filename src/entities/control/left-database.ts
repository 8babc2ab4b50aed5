import { PrimaryKeyProp } from '@mikro-orm/core';
import { Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { nowDate } from '../../clock.ts';
import { DatabaseServer } from './database-server.ts';

/** The database of a removed tenant on a server that did not answer then: dropped when it is back (domain/left-databases.ts). */
@Entity({ tableName: 'left_databases' })
export class LeftDatabase {
  [PrimaryKeyProp]?: ['serverId', 'name'];

  @ManyToOne({
    entity: () => DatabaseServer,
    fieldName: 'server_id',
    mapToPk: true,
    deleteRule: 'cascade',
    updateRule: 'no action',
    primary: true,
  })
  serverId!: string;

  /** Of the database and of its role. */
  @PrimaryKey({ type: 'text' })
  name!: string;

  /** Of the tenant, which is no more. */
  @Property({ type: 'uuid' })
  orgId!: string;

  @Property({ type: 'text' })
  slug!: string;

  @Property({ type: 'timestamptz', length: 3 })
  leftAt: Date = nowDate();
}
