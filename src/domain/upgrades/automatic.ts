/** The upgrade that a start begins by itself, so that a new version of the software needs nothing but its start. */
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Services } from '../../context.ts';
import { query, rowsWithin } from '../../db/control.ts';
import { LOCKS } from '../../db/locks.ts';
import { TENANT_SCHEMA_VERSION } from '../../db/migrations/tenant/index.ts';
import { UpgradeState } from '../../entities/control/upgrade-run.ts';
import { bySystem } from '../audit.ts';
import { unfinishedUpgrade } from './read.ts';
import { startUpgradeIn } from './runs.ts';
import { BEHIND, tenantsBehind } from './settings.ts';

/** How often it is looked whether there are more tenants that are behind. */
export const LOOK_AGAIN_MS = 60_000;

const version = `schema version ${TENANT_SCHEMA_VERSION}`;

/** Of the newest upgrade to this version: whether it was called off, and how many of its tenants it did not set aside are behind. */
const former = query<{ cancelled: boolean; fresh: number }>(
  'former_upgrade',
  `with newest as (select id, state from upgrade_runs where to_version = $1 order by id desc limit 1)
   select coalesce((select state = 'cancelled' from newest), false) as cancelled,
          (select count(*)::int from ${BEHIND} and not exists (
             select from upgrade_items i join newest on newest.id = i.run_id where i.org_id = o.id and i.state = 'failed')) as fresh`,
);

/**
 * Starts an upgrade of what is behind, unless one is unfinished, the last one was called off, or UPGRADE_TENANTS says `manual`.
 *
 * @param anew whether those that were set aside are tried as well: whoever starts a gateway may have removed the cause.
 */
export async function startByItself(
  { config, control, log }: Pick<Services, 'config' | 'control' | 'log'>,
  anew: boolean,
): Promise<void> {
  const said = await control.orm.em.fork().transactional(async (em) => {
    await em.execute('select pg_advisory_xact_lock(?, 0)', [LOCKS.upgrades]);
    const behind = await tenantsBehind(em);
    if (behind === 0) return undefined;
    const [last] = await rowsWithin(em, former, [TENANT_SCHEMA_VERSION]);
    const obstacle = await obstacleTo(em, config.upgradeTenants, last!.cancelled);
    if (obstacle) return `${behind} tenants are behind ${version}: ${obstacle}`;
    if (!anew && last!.fresh === 0) return undefined;
    await startUpgradeIn(em, bySystem, undefined, {});
    return `${behind} tenants to be brought to ${version}`;
  });
  if (said && anew) log.info(said);
}

/** Why none is started. */
async function obstacleTo(
  em: EntityManager,
  mode: 'auto' | 'manual',
  lastWasCancelled: boolean,
): Promise<string | undefined> {
  const other = await unfinishedUpgrade(em);
  if (other?.state === UpgradeState.RUNNING) return `the upgrade ${other.id} goes on`;
  if (other) return `the upgrade ${other.id} is ${other.state}${other.reason ? ` (${other.reason})` : ''}`;
  if (mode === 'manual') return `start an upgrade: ${BY_HAND}`;
  return lastWasCancelled ? `the last upgrade was called off; start another: ${BY_HAND}` : undefined;
}

const BY_HAND = 'npm run tenants -- upgrade, or in the console';
