/** What commands about tenants work with: the control plane and the tenants' databases, without the rest of a gateway. */
import type { Installation } from '../command-line.ts';
import { ConfigError } from '../config.ts';
import { openControl, type Query, query, type Sql, sqlOf } from '../db/control.ts';
import { DatabaseServers } from '../db/database-servers.ts';
import { bySystem } from '../domain/audit.ts';
import { installationCode } from '../domain/installation.ts';
import { newestUpgrade, type UpgradeRunRow } from '../domain/upgrades/read.ts';
import type { UpgradeServices } from '../domain/upgrades/work.ts';
import { createLog } from '../log.ts';

export interface Installed extends UpgradeServices {
  rows: Sql['rows'];
}

/** Opens what upgrades need, for as long as the work takes. */
export async function withUpgrades<T>(
  { databaseUrl, keys }: Installation,
  work: (installed: Installed) => Promise<T>,
): Promise<T> {
  if (!keys) throw new ConfigError('JWT_SECRET is needed: the addresses of database servers are sealed with it.');
  const log = createLog('silent');
  const control = await openControl(databaseUrl, log, 12);
  try {
    const code = await installationCode(control.orm.em.fork());
    const servers = await DatabaseServers.open({ control, keys, code, log });
    try {
      return await work({ control, servers, log, rows: sqlOf(control.pool).rows });
    } finally {
      await servers.close();
    }
  } finally {
    await control.close();
  }
}

/** What a command does is the platform's own doing: nobody has signed in. */
export const byCommand = ({ control }: Installed) => ({ ...bySystem, em: control.orm.em.fork() });

export const newestRun = async (installed: Installed): Promise<UpgradeRunRow | undefined> =>
  (await newestUpgrade(installed)).now;

const idBySlug: Query<{ id: string }> = query('tenant_id_by_slug', 'select id from organizations where slug = $1');

/** @throws {ConfigError} for a tenant that is not there. */
export async function tenantBySlug(installed: Installed, slug: string): Promise<string> {
  const [found] = await installed.rows(idBySlug, [slug]);
  if (!found) throw new ConfigError(`There is no tenant ${slug}.`);
  return found.id;
}
