/** How the database servers stand, and which tenants are affected by one that is away. */
import type pg from 'pg';
import { Field, Int, ObjectType } from 'type-graphql';
import type { Services } from '../context.ts';
import type { DatabaseServers } from '../db/database-servers.ts';
import type { ServerStanding } from '../db/server-liveness.ts';
import { UuidScalar } from '../schema/scalars.ts';
import { ComponentHealth, ComponentStatus } from './component-health.ts';

/** So many tenants are named. */
const NAMED = 5;

@ObjectType({ description: 'A tenant whose database server, or the pooler in front of it, is away.' })
export class AffectedTenant {
  @Field(() => UuidScalar)
  id!: string;

  @Field({ description: 'Its name in URLs.' })
  slug!: string;

  @Field({ description: 'The name people see.' })
  name!: string;
}

@ObjectType({
  description:
    'The tenants of a database server that is away, or whose pooler is: they are answered 503 until it is back.',
})
export class AffectedTenants {
  @Field(() => Int, { description: 'How many there are.' })
  count!: number;

  @Field(() => [AffectedTenant], { description: `The first ${NAMED} of them, by their slugs.` })
  first!: AffectedTenant[];
}

@ObjectType({ description: 'How one database server, and the pooler in front of it, stand: down where either is.' })
export class DatabaseServerHealth extends ComponentHealth {
  @Field(() => UuidScalar)
  id!: string;

  @Field({ description: 'What it is called.' })
  name!: string;

  @Field(() => AffectedTenants, { nullable: true, description: 'Only while it is away.' })
  affected?: AffectedTenants;
}

const AFFECTED = `
  select d.server_id as "serverId", count(*)::int as count,
         (array_agg(json_build_object('id', o.id, 'slug', o.slug, 'name', o.name) order by o.slug))[1:${NAMED}] as first
    from tenant_databases d join organizations o on o.id = d.org_id
   where d.server_id = any($1::uuid[]) group by d.server_id`;

const healthOf = ({ up, latencyMs, error, since }: ServerStanding): ComponentHealth => ({
  status: up ? ComponentStatus.UP : ComponentStatus.DOWN,
  latencyMs,
  error,
  since: since?.toISOString(),
});

/**
 * Of all but a home server without a pooler, which is a component of the report: where that is down nothing goes, and where
 * its pooler is its tenants alone are affected. Undefined where there are none.
 */
export async function standingsOf(
  servers: DatabaseServers,
  pool: pg.Pool,
): Promise<DatabaseServerHealth[] | undefined> {
  const told = servers.all().filter(({ isHome, pooler }) => !isHome || pooler);
  if (told.length === 0) return undefined;
  const away = told.filter(({ standing }) => !standing.up).map(({ id }) => id);
  const affected = new Map<string, AffectedTenants>();
  if (away.length > 0) {
    const { rows } = await pool.query<AffectedTenants & { serverId: string }>(AFFECTED, [away]);
    for (const { serverId, ...tenants } of rows) affected.set(serverId, tenants);
  }
  return told.map(({ id, name, standing }) => ({
    id,
    name,
    ...healthOf(standing),
    affected: away.includes(id) ? (affected.get(id) ?? { count: 0, first: [] }) : undefined,
  }));
}

/** One that was registered elsewhere a moment ago is not known yet, and taken to be up. */
export async function serverHealth({ servers, health }: Services, id: string): Promise<ComponentHealth> {
  const server = servers.all().find((one) => one.id === id);
  if (server?.isHome && server.standing.up) return (await health.report()).infrastructure.postgres;
  return healthOf(server?.standing ?? { up: true });
}
