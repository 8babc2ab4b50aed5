import { Entity, Enum, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { nowDate } from '../../clock.ts';

/** Whether a server takes new tenants. */
export enum ServerState {
  OPEN = 'open',
  DRAINING = 'draining',
  CLOSED = 'closed',
}

/** The control plane's own server, in every installation. */
export const HOME_SERVER_ID = '00000000-0000-7000-8000-000000000001';

/** A PostgreSQL server that tenants' databases are on. */
@Entity({ tableName: 'database_servers' })
@Index({
  name: 'database_servers_name_key',
  expression: 'create unique index "database_servers_name_key" on "database_servers" (lower("name"))',
})
export class DatabaseServer {
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Property({ type: 'text' })
  name!: string;

  @Property({ type: 'text', nullable: true })
  region?: string | null;

  /** Tenants that it is to have at most. */
  @Property({ type: 'integer' })
  capacity!: number;

  @Enum({ items: () => ServerState, nativeEnumName: 'server_state' })
  state: ServerState = ServerState.OPEN;

  /**
   * Of its maintenance database, as a role that may create databases and roles; sealed (db/keys.ts). Absent of the home server,
   * which is where the control plane is: the embedded one has another port after each start.
   */
  @Property({ type: 'text', nullable: true, hidden: true })
  sealedUrl?: string | null;

  /** Of a pooler in front of it, for tenants' ordinary work; sealed. */
  @Property({ type: 'text', nullable: true, hidden: true })
  sealedPooledUrl?: string | null;

  /** Whether the pooler keeps prepared statements apart (PgBouncer 1.21 with `max_prepared_statements`). */
  @Property({ type: 'boolean', default: false })
  poolerPrepares: boolean = false;

  /** What tells it from every other server; absent of the home server. */
  @Property({ type: 'text', nullable: true, unique: true })
  systemIdentifier?: string | null;

  @Property({ type: 'timestamptz', length: 3 })
  createdAt: Date = nowDate();

  @Property({ type: 'timestamptz', length: 3, onUpdate: () => nowDate() })
  updatedAt: Date = nowDate();
}
