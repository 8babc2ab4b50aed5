/** Which tenant a command is about. */
import { ConfigError } from '../config.ts';
import { type ControlDatabase, query, sqlOf } from '../db/control.ts';
import { TENANT_COLUMNS, type TenantRow } from '../domain/organizations.ts';

const named = query<TenantRow>(
  'tenant_by_slug',
  `select ${TENANT_COLUMNS} from organizations o where o.slug = $1 or o.id::text = $1`,
);

/** @param name its slug or id. @throws {ConfigError} for one that is not there. */
export async function findTenant({ pool }: Pick<ControlDatabase, 'pool'>, name: string): Promise<TenantRow> {
  const [tenant] = await sqlOf(pool).rows(named, [name]);
  if (!tenant) throw new ConfigError(`There is no tenant ${name}.`);
  return tenant;
}
