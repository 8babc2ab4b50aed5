/** How an upgrade is to go about its tenants, and which tenants those are. */
import type { EntityManager } from '@mikro-orm/postgresql';
import { query, rowsWithin } from '../../db/control.ts';
import { SERVED_FROM_VERSION, TENANT_SCHEMA_VERSION } from '../../db/migrations/tenant/index.ts';
import { UNFINISHED_MOVE } from '../../entities/control/tenant-move.ts';
import type { UpgradeRun } from '../../entities/control/upgrade-run.ts';
import { invalid } from '../../errors.ts';

export type UpgradeSettings = Pick<
  UpgradeRun,
  | 'toVersion'
  | 'canary'
  | 'pauseAfterCanary'
  | 'waveSize'
  | 'concurrency'
  | 'failureBudget'
  | 'lockTimeoutMs'
  | 'retries'
>;

/** What is asked for; what is absent is as `settingsFor` says. */
export type UpgradeWish = {
  [K in keyof Omit<UpgradeSettings, 'toVersion'> | 'version']?:
    | (K extends keyof UpgradeSettings ? UpgradeSettings[K] : number)
    | null;
};

/** The budget, where none is given: so many tenants, or so many of a hundred where that is more. */
const FAILURES = { least: 5, percent: 5 };

/** Four at a time are as many as a server of two cores can do beside its requests. */
const DEFAULTS = {
  canary: 0,
  pauseAfterCanary: true,
  waveSize: 100,
  concurrency: 4,
  // Requests queue up behind a statement that waits for a lock: two seconds of that pass for slow.
  lockTimeoutMs: 2000,
  // With the waits between them, about two minutes.
  retries: 7,
};

/**
 * Whether the database of an organization `o` can be upgraded now. An archived one is by its restoring; changes of tables do not
 * follow to where one is being moved, which is looked at again when that has ended.
 */
export const UPGRADABLE = `o.archived_at is null
  and not exists (select from offboarding_runs r where r.org_id = o.id and r.state not in ('succeeded', 'failed'))
  and not exists (select from tenant_moves m where m.org_id = o.id and m.${UNFINISHED_MOVE})`;

/** Tenants below a version. One without a schema yet gets the newest by its provisioning. */
export const BEHIND = `organizations o where o.schema_version > 0 and o.schema_version < $1 and ${UPGRADABLE}`;

const countBehind = query<{ count: number }>('tenants_behind', `select count(*)::int as count from ${BEHIND}`);

export async function tenantsBehind(em: EntityManager, version = TENANT_SCHEMA_VERSION): Promise<number> {
  return (await rowsWithin(em, countBehind, [version]))[0]!.count;
}

/** @throws {AppError} validation_failed for a version that this gateway does not serve. */
export function versionOf({ version }: UpgradeWish): number {
  const wanted = version ?? TENANT_SCHEMA_VERSION;
  if (wanted < SERVED_FROM_VERSION || wanted > TENANT_SCHEMA_VERSION) {
    throw invalid(
      'version',
      `must be ${SERVED_FROM_VERSION} or ${TENANT_SCHEMA_VERSION}: those are the schema versions that this gateway serves`,
    );
  }
  return wanted;
}

/** @param count of tenants that are behind. @throws {AppError} validation_failed */
export function settingsFor(wish: UpgradeWish, count: number): UpgradeSettings {
  const given = Object.fromEntries(Object.entries(wish).filter(([, value]) => value != null));
  const failureBudget = Math.max(FAILURES.least, Math.floor((count * FAILURES.percent) / 100));
  const { version: _, ...settings } = { ...DEFAULTS, failureBudget, ...given } as UpgradeSettings & UpgradeWish;
  return { ...settings, toVersion: versionOf(wish) };
}

/** The wave of a tenant, in SQL, by its place `n` among those that are behind, from 1. */
export const waveIn = (canary: string, waveSize: string): string =>
  `case when n <= ${canary} then 0 else 1 + (n - ${canary} - 1) / ${waveSize} end`;

/** The last wave. */
export const wavesFor = (count: number, { canary, waveSize }: Pick<UpgradeSettings, 'canary' | 'waveSize'>): number =>
  Math.ceil(Math.max(0, count - canary) / waveSize);
