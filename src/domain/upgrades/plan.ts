/** What an upgrade would do, without doing any of it. */
import { query, type Sql } from '../../db/control.ts';
import { checksumOf, statementsOf } from '../../db/migrations/frozen.ts';
import { tenantMigrations } from '../../db/migrations/tenant/index.ts';
import {
  BEHIND,
  settingsFor,
  type UpgradeSettings,
  type UpgradeWish,
  versionOf,
  waveIn,
  wavesFor,
} from './settings.ts';

/** Of one tenant. */
export interface PlannedTenant {
  tenantId: string;
  slug: string;
  fromVersion: number;
  wave: number;
}

/** One migration that some of them lack. */
export interface PlannedMigration {
  version: number;
  name: string;
  checksum: string;
  statements: string[];
}

export interface UpgradePlan extends UpgradeSettings {
  total: number;
  waves: number;
  migrations: PlannedMigration[];
  /** Seconds, by what tenants took lately; absent where none was upgraded yet. */
  estimateSeconds?: number;
}

const summary = query<{ total: number; oldest: number | null; seconds: number | null }>(
  'upgrade_summary',
  `select (select count(*)::int from ${BEHIND}) as total, (select min(o.schema_version) from ${BEHIND}) as oldest,
          (select avg(extract(epoch from finished_at - started_at))::float8
             from (select started_at, finished_at from upgrade_items where state = 'done' order by run_id desc limit 1000) lately
          ) as seconds`,
);
const planned = query<PlannedTenant>(
  'planned_tenants',
  `select id as "tenantId", slug, schema_version as "fromVersion", ${waveIn('$4::int', '$5::int')} as wave
     from (select o.*, row_number() over (order by o.id)::int as n from ${BEHIND}) behind
    where ($2::uuid is null or id > $2) order by id limit $3`,
);

/** @throws {AppError} validation_failed for a version that this gateway does not serve. */
export async function upgradePlan(ctx: Pick<Sql, 'rows'>, wish: UpgradeWish): Promise<UpgradePlan> {
  const [found] = await ctx.rows(summary, [versionOf(wish)]);
  const { total, oldest, seconds } = found!;
  const settings = settingsFor(wish, total);
  return {
    ...settings,
    total,
    waves: wavesFor(total, settings),
    migrations: total > 0 ? migrationsAfter(oldest!, settings.toVersion) : [],
    estimateSeconds: seconds === null ? undefined : Math.ceil((total * seconds) / settings.concurrency),
  };
}

const migrationsAfter = (version: number, to: number): PlannedMigration[] =>
  tenantMigrations.slice(version, to).map((one, place) => ({
    version: version + place + 1,
    name: one.name,
    checksum: checksumOf(one),
    statements: statementsOf(one),
  }));

/** The tenants of a plan in the order in which it would come to them. */
export const plannedTenants = (
  ctx: Pick<Sql, 'rows'>,
  { toVersion, canary, waveSize }: UpgradeSettings,
  limit: number | null,
  after?: string | null,
): Promise<PlannedTenant[]> => ctx.rows(planned, [toVersion, after ?? null, limit, canary, waveSize]);
