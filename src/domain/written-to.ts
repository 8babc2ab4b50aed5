/** Which tenants' databases were written to since they were last gathered, by the statistics of the server that they are on. */
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Services } from '../context.ts';
import { query, rowsWithin, sqlOf } from '../db/control.ts';
import { SERVED_FROM_VERSION } from '../db/migrations/tenant/index.ts';
import type { TenantCluster } from '../db/tenant-cluster.ts';
import { groupName } from '../db/tenant-names.ts';
import { HOME_SERVER_ID } from '../entities/control/database-server.ts';

export interface Written {
  orgId: string;
  /** Only ever compared: statistics start anew after a crash of the server. */
  mark: string;
  /** How many links its chain is known to have. */
  linked: string | null;
}

const MARK = '(s.tup_inserted + s.tup_updated + s.tup_deleted)::text';

/** What is to be gathered of those in `s`. One that lacks migrations is visited once it has them. */
const differing = (mark: string) => `
    join organizations o on o.id = d.org_id and o.status <> 'provisioning' and o.schema_version >= $1
    left join activity_heads h on h.org_id = d.org_id
    join usage u on u.org_id = d.org_id
   where d.server_id = $2 and u.gathered_mark <> ${mark}`;

const onHome = query<Written>(
  'written_to_on_home',
  `select d.org_id as "orgId", ${MARK} as mark, h.seq::text as linked
     from tenant_databases d join pg_stat_database s on s.datname = d.database_name ${differing(MARK)}`,
);

const marksOf = query<{ name: string; mark: string }>(
  'marks_of_databases',
  `select s.datname as name, ${MARK} as mark from pg_stat_database s where starts_with(s.datname, $1)`,
);

const onOther = query<Written>(
  'written_to_elsewhere',
  `select d.org_id as "orgId", s.mark, h.seq::text as linked
     from unnest($3::text[], $4::text[]) s (name, mark) join tenant_databases d on d.database_name = s.name
     ${differing('s.mark')}`,
);

export async function writtenTo({ control }: Pick<Services, 'control'>, server: TenantCluster): Promise<Written[]> {
  const about = [SERVED_FROM_VERSION, server.id];
  const platform = sqlOf(control.pool);
  if (server.isHome) return platform.rows(onHome, about);
  const marks = await sqlOf(server.pool).rows(marksOf, [`${groupName(server.code)}_`]);
  const [names, values] = [marks.map(({ name }) => name), marks.map(({ mark }) => mark)];
  return platform.rows(onOther, [...about, names, values]);
}

const gathered = query<object>(
  'mark_as_gathered',
  `update usage u set gathered_mark = ${MARK}
     from tenant_databases d join pg_stat_database s on s.datname = d.database_name
    where d.org_id = $1 and d.server_id = $2 and u.org_id = $1 and u.timezone = $3`,
);

/**
 * Notes that the usage of a tenant on the home server tells of all that its database holds: a new one is not visited to count what
 * its provisioning has written, which a burst of new tenants would wait for. What else is written to it has another mark; so has
 * what was not in the statistics yet, and the visit is made.
 *
 * @param timezone that its database was given. Where its usage was begun with another one, a visit brings this.
 */
export async function markAsGathered(em: EntityManager, orgId: string, timezone: string): Promise<void> {
  await rowsWithin(em, gathered, [orgId, HOME_SERVER_ID, timezone]);
}
