/** The PostgreSQL servers that tenants' databases are on, as super admins see them. */
import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { Context, Services } from '../context.ts';
import { query, sqlOf } from '../db/control.ts';
import type { ById } from '../db/point-reads.ts';
import { hostOf } from '../db/server-check.ts';
import { HOME_SERVER_ID, ServerState } from '../entities/control/database-server.ts';
import { notFound } from '../errors.ts';
import { UuidScalar } from '../schema/scalars.ts';

registerEnumType(ServerState, {
  name: 'DatabaseServerState',
  description: 'Whether a database server takes new tenants.',
  valuesConfig: {
    OPEN: { description: 'It takes new tenants, as long as it has room.' },
    DRAINING: {
      description: 'It takes none: its tenants are to be moved elsewhere. Meanwhile they are served as ever.',
    },
    CLOSED: { description: 'It takes none. Its tenants stay, and are served as ever.' },
  },
});

@ObjectType({ description: 'A PostgreSQL server that tenants\u2019 databases are on.' })
export class DatabaseServer {
  @Field(() => UuidScalar)
  id!: string;

  @Field({ description: 'Unique, without regard to capitals.' })
  name!: string;

  @Field(() => String, { nullable: true, description: 'Where it is: tenants may wish for a region.' })
  region?: string | null;

  @Field(() => Int, { description: 'Tenants that it is to have at most.' })
  capacity!: number;

  @Field(() => ServerState, { description: 'Whether it takes new tenants.' })
  state!: ServerState;

  @Field(() => Int, { description: 'Tenants that it has, those that are being made included.' })
  tenants!: number;

  @Field(() => Int, {
    description:
      'Databases of removed tenants that it still has, as it did not answer then: dropped as soon as it does, if it ever does.',
  })
  leftDatabases!: number;

  @Field({ description: 'Whether it is the control plane\u2019s own, which is in every installation.' })
  isHome!: boolean;

  @Field({ description: 'Host and port.' })
  address!: string;

  @Field(() => String, { nullable: true, description: 'Host and port of the pooler in front of it, if there is one.' })
  pooledAddress?: string | null;

  @Field(() => Date)
  createdAt!: string | Date;

  @Field(() => Date)
  updatedAt!: string | Date;
}

type Stored = Omit<DatabaseServer, 'isHome' | 'address' | 'pooledAddress'> & {
  sealedUrl: string | null;
  sealedPooledUrl: string | null;
};

const COLUMNS = `s.id, s.name, s.region, s.capacity, s.state, s.sealed_url as "sealedUrl", s.sealed_pooled_url as "sealedPooledUrl",
  s.created_at as "createdAt", s.updated_at as "updatedAt",
  (select count(*)::int from tenant_databases d where d.server_id = s.id) as tenants,
  (select count(*)::int from left_databases l where l.server_id = s.id) as "leftDatabases"`;

const serversById: ById<Stored> = query(
  'database_servers_by_id',
  `select ${COLUMNS} from database_servers s where s.id = any($1::uuid[])`,
);
const serversPage = query<Stored>(
  'database_servers_page',
  `select ${COLUMNS} from database_servers s where $1::uuid is null or s.id > $1 order by s.id limit $2`,
);

const serversOfTenants = query<Stored & { orgId: string }>(
  'database_servers_of',
  `select d.org_id as "orgId", ${COLUMNS} from tenant_databases d join database_servers s on s.id = d.server_id
    where d.org_id = any($1::uuid[])`,
);

/** By tenant, in the order of the ids; undefined before it has a place. */
export async function databaseServersOf(
  ctx: Context,
  orgIds: readonly string[],
): Promise<(DatabaseServer | undefined)[]> {
  const rows = await ctx.rows(serversOfTenants, [orgIds]);
  const byTenant = new Map(rows.map(({ orgId, ...row }) => [orgId, shown(ctx.services, row)]));
  return orgIds.map((id) => byTenant.get(id));
}

/** The home server first, then in the order in which they were registered. */
export async function listDatabaseServers(
  services: Shower,
  limit: number | null = null,
  after?: string | null,
): Promise<DatabaseServer[]> {
  const rows = await sqlOf(services.control.pool).rows(serversPage, [after ?? null, limit]);
  return rows.map((row) => shown(services, row));
}

/** @throws {AppError} not_found */
export async function getDatabaseServer(ctx: Context, id: string): Promise<DatabaseServer> {
  const row = await ctx.row(serversById, id);
  if (!row) throw notFound('database server');
  return shown(ctx.services, row);
}

/** What opens the addresses. */
type Shower = Pick<Services, 'keys' | 'control'>;

function shown({ keys, control }: Shower, { sealedUrl, sealedPooledUrl, ...row }: Stored): DatabaseServer {
  return {
    ...row,
    isHome: row.id === HOME_SERVER_ID,
    address: hostOf(sealedUrl === null ? control.url : keys.open(sealedUrl)),
    pooledAddress: sealedPooledUrl === null ? null : hostOf(keys.open(sealedPooledUrl)),
  };
}
