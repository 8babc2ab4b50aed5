/** Upgrades as plain rows. */
import type { EntityManager } from '@mikro-orm/postgresql';
import { query, rowsWithin, type Sql } from '../../db/control.ts';
import type { TenantUpgrade, TenantUpgradeState, UpgradeRun } from '../../entities/control/upgrade-run.ts';
import { notFound } from '../../errors.ts';
import { NEWEST_EVENT } from '../../live/follow.ts';

type WithDates<T> = {
  [K in keyof T]: T[K] extends Date
    ? string | Date
    : T[K] extends Date | null | undefined
      ? string | Date | null
      : T[K];
};

export type UpgradeRunRow = WithDates<UpgradeRun>;
export type TenantUpgradeRow = WithDates<Omit<TenantUpgrade, 'retriesLeft' | 'workerSession' | 'seenAt' | symbol>>;

const RUN = `r.id, r.state, r.reason, r.to_version as "toVersion", r.canary, r.pause_after_canary as "pauseAfterCanary",
  r.wave_size as "waveSize", r.concurrency, r.failure_budget as "failureBudget", r.lock_timeout_ms as "lockTimeoutMs", r.retries,
  r.wave, r.waves, r.total, r.done, r.failed, r.skipped, r.started_by as "startedBy", r.created_at as "createdAt",
  r.finished_at as "finishedAt"`;

export const TENANT_UPGRADE = `run_id as "runId", org_id as "tenantId", slug, wave, from_version as "fromVersion", state,
  attempt, next_try_at as "nextTryAt", started_at as "startedAt", finished_at as "finishedAt", error`;

const runsPage = query<UpgradeRunRow>(
  'upgrade_runs',
  `select ${RUN} from upgrade_runs r where ($1::uuid is null or id < $1) order by id desc limit $2`,
);
const runById = query<UpgradeRunRow>('upgrade_run', `select ${RUN} from upgrade_runs r where id = $1`);
const newestRun = query<UpgradeRunRow & { seq: number }>(
  'newest_upgrade_run',
  `select n.seq, ${RUN} from (select ${NEWEST_EVENT} as seq) n
     left join (select * from upgrade_runs order by id desc limit 1) r on true`,
);
const tenantsPage = query<TenantUpgradeRow>(
  'upgrade_items',
  `select ${TENANT_UPGRADE} from upgrade_items
    where run_id = $1 and ($2::text is null or state::text = $2) and ($3::uuid is null or org_id > $3)
    order by org_id limit $4`,
);
const unfinishedRun = query<UpgradeRunRow>(
  'unfinished_upgrade_run',
  `select ${RUN} from upgrade_runs r where finished_at is null`,
);

/** Newest first. */
export const listUpgradeRuns = (
  ctx: Pick<Sql, 'rows'>,
  limit: number,
  after?: string | null,
): Promise<UpgradeRunRow[]> => ctx.rows(runsPage, [after ?? null, limit]);

/** @throws {AppError} not_found */
export async function getUpgradeRun(ctx: Pick<Sql, 'rows'>, id: string): Promise<UpgradeRunRow> {
  const [run] = await ctx.rows(runById, [id]);
  if (!run) throw notFound('upgrade');
  return run;
}

/** The newest one with the newest event that it includes; undefined where there was none yet. */
export async function newestUpgrade(ctx: Pick<Sql, 'rows'>): Promise<{ seq: number; now?: UpgradeRunRow }> {
  const [{ seq, ...run }] = (await ctx.rows(newestRun, [])) as [UpgradeRunRow & { seq: number }];
  return { seq, now: run.id ? run : undefined };
}

/** Tenants of an upgrade in the order in which it comes to them. @throws {AppError} not_found */
export async function listTenantUpgrades(
  ctx: Pick<Sql, 'rows'>,
  runId: string,
  state: TenantUpgradeState | null | undefined,
  limit: number | null,
  after?: string | null,
): Promise<TenantUpgradeRow[]> {
  const rows = await ctx.rows(tenantsPage, [runId, state ?? null, after ?? null, limit]);
  if (rows.length === 0) await getUpgradeRun(ctx, runId);
  return rows;
}

/** The one that is under way, paused or stopped. */
export async function unfinishedUpgrade(em: EntityManager): Promise<UpgradeRunRow | undefined> {
  return (await rowsWithin(em, unfinishedRun, []))[0];
}
