/** What commands about tenants work with: the control plane and the tenants' databases, without the rest of a gateway. */
import type { Installation } from '../command-line.ts';
import { ConfigError } from '../config.ts';
import { type Query, query, type Sql, sqlOf } from '../db/control.ts';
import { bySystem } from '../domain/audit.ts';
import { newestUpgrade, type UpgradeRunRow } from '../domain/upgrades/read.ts';
import type { UpgradeServices } from '../domain/upgrades/work.ts';
import { withControlPlane } from '../with-control-plane.ts';

export interface Installed extends UpgradeServices {
  rows: Sql['rows'];
}

/** Opens what upgrades need, for as long as the work takes. */
export const withUpgrades = <T>(found: Installation, work: (installed: Installed) => Promise<T>): Promise<T> =>
  withControlPlane(found, 12, ({ control, servers, log }) =>
    work({ control, servers, log, rows: sqlOf(control.pool).rows }),
  );

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
