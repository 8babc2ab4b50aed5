/** Starting an upgrade, and what super admins do to one. Working on its tenants is work.ts. */
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { newId, nowDate } from '../../clock.ts';
import type { Context } from '../../context.ts';
import { query, rowsWithin } from '../../db/control.ts';
import { LOCKS } from '../../db/locks.ts';
import { UpgradeRun, UpgradeState } from '../../entities/control/upgrade-run.ts';
import { AppError, notFound } from '../../errors.ts';
import { type AuditSource, audit } from '../audit.ts';
import { overBudget, settle } from './course.ts';
import { TENANT_UPGRADE, type TenantUpgradeRow, unfinishedUpgrade } from './read.ts';
import { BEHIND, settingsFor, tenantsBehind, type UpgradeWish, versionOf, waveIn, wavesFor } from './settings.ts';
import { tellOfUpgrade } from './tell.ts';

const addItems = query(
  'add_upgrade_items',
  `insert into upgrade_items (run_id, org_id, slug, from_version, retries_left, wave)
   select $2, id, slug, schema_version, $3, ${waveIn('$4::int', '$5::int')}
     from (select o.*, row_number() over (order by o.id)::int as n from ${BEHIND}) behind`,
);

/**
 * Starts one in the manager's transaction. Where nothing is behind it has ended at once.
 *
 * @param startedBy how it is said who did.
 * @throws {AppError} validation_failed; conflict where one is unfinished, naming it.
 */
export async function startUpgradeIn(
  em: EntityManager,
  source: AuditSource,
  startedBy: string | undefined,
  wish: UpgradeWish,
): Promise<UpgradeRun> {
  const toVersion = versionOf(wish);
  await em.execute('select pg_advisory_xact_lock(?, 0)', [LOCKS.upgrades]);
  const other = await unfinishedUpgrade(em);
  if (other) {
    throw new AppError('conflict', {
      message: `The upgrade ${other.id} to schema version ${other.toVersion} is ${other.state}: one goes on at a time.`,
    });
  }
  const total = await tenantsBehind(em, toVersion);
  const settings = settingsFor(wish, total);
  const run = em.create(UpgradeRun, {
    ...settings,
    id: newId(),
    state: UpgradeState.RUNNING,
    total,
    waves: wavesFor(total, settings),
    wave: settings.canary > 0 ? 0 : 1,
    done: 0,
    failed: 0,
    skipped: 0,
    startedBy,
    createdAt: nowDate(),
  });
  em.persist(run);
  await em.flush();
  await rowsWithin(em, addItems, [toVersion, run.id, run.retries, run.canary, run.waveSize]);
  await settle(em, run);
  audit(em, source, { action: 'upgrade.start', target: targetOf(run), after: { ...settings, tenants: total } });
  await tellOfUpgrade(em, run);
  return run;
}

const targetOf = ({ id }: UpgradeRun) => ({ type: 'upgrade', id });

/** @throws {AppError} as startUpgradeIn. */
export function startUpgrade(ctx: Context, wish: UpgradeWish): Promise<UpgradeRun> {
  const startedBy = ctx.actor.kind === 'superAdmin' ? ctx.actor.email : undefined;
  return ctx.em.transactional((em) => startUpgradeIn(em, ctx, startedBy, wish));
}

/** Where changes of a run come from: a request, or a command. */
interface Asking extends AuditSource {
  readonly em: EntityManager;
}

type Verb = 'pause' | 'resume' | 'cancel';

/** Changes a run that has not ended, and leaves it as it is where it is so already. */
function change(
  asking: Asking,
  id: string,
  { verb, from, to }: { verb: Verb; from: readonly UpgradeState[]; to: UpgradeState },
  body: (em: EntityManager, run: UpgradeRun) => Promise<void>,
): Promise<UpgradeRun> {
  return asking.em.transactional(async (em) => {
    const run = await em.findOne(UpgradeRun, id, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!run) throw notFound('upgrade');
    if (run.state === to) return run;
    if (!from.includes(run.state)) {
      throw new AppError('conflict', { message: `This upgrade is ${run.state}, which leaves nothing to ${verb}.` });
    }
    const before = { state: run.state };
    Object.assign(run, { state: to, reason: null });
    await body(em, run);
    audit(em, asking, { action: `upgrade.${verb}`, target: targetOf(run), before, after: { state: run.state } });
    await tellOfUpgrade(em, run);
    return run;
  });
}

const { RUNNING, PAUSED, STOPPED, CANCELLED, FINISHED } = UpgradeState;

/** Tenants that are under way come to their end, no other one begins. @throws {AppError} not_found, conflict */
export const pauseUpgrade = (asking: Asking, id: string): Promise<UpgradeRun> =>
  change(asking, id, { verb: 'pause', from: [RUNNING, STOPPED], to: PAUSED }, async () => {});

/**
 * Lets a paused or stopped one go on.
 *
 * @param failureBudget another one from now on.
 * @throws {AppError} not_found; conflict where more have failed than its budget allows.
 */
export const resumeUpgrade = (asking: Asking, id: string, failureBudget?: number | null): Promise<UpgradeRun> =>
  change(asking, id, { verb: 'resume', from: [PAUSED, STOPPED], to: RUNNING }, async (em, run) => {
    if (failureBudget != null) run.failureBudget = failureBudget;
    if (run.failed > run.failureBudget) {
      throw new AppError('conflict', {
        message: `Try them again first, or raise the budget: ${overBudget(run)}.`,
      });
    }
    await settle(em, run);
  });

const leaveOut = query<{ count: number }>(
  'leave_upgrade_items_out',
  `with left_out as (update upgrade_items set state = 'skipped', finished_at = now() where run_id = $1 and state = 'pending'
     returning 1) select count(*)::int as count from left_out`,
);

/** Calls one off: what was upgraded stays so, what is under way comes to its end. @throws {AppError} not_found, conflict */
export const cancelUpgrade = (asking: Asking, id: string): Promise<UpgradeRun> =>
  change(asking, id, { verb: 'cancel', from: [RUNNING, PAUSED, STOPPED], to: CANCELLED }, async (em, run) => {
    run.skipped += (await rowsWithin(em, leaveOut, [id]))[0]!.count;
    run.finishedAt = nowDate();
  });

const latestItem = query<{ runId: string; state: string }>(
  'latest_upgrade_item',
  `select run_id as "runId", state from upgrade_items where org_id = $1 order by run_id desc limit 1`,
);
const againItem = query<TenantUpgradeRow>(
  'retry_upgrade_item',
  `update upgrade_items set state = 'pending', wave = $3, retries_left = $4, next_try_at = null, finished_at = null
    where run_id = $1 and org_id = $2 and state = 'failed' returning ${TENANT_UPGRADE}`,
);

/**
 * Lets a tenant that was set aside be tried again, by the latest upgrade that has it; one that has ended goes on for it.
 *
 * @throws {AppError} not_found; conflict where it was not set aside, or another upgrade is unfinished.
 */
export function retryTenantUpgrade(asking: Asking, tenantId: string): Promise<TenantUpgradeRow> {
  return asking.em.transactional(async (em) => {
    await em.execute('select pg_advisory_xact_lock(?, 0)', [LOCKS.upgrades]);
    const [latest] = await rowsWithin(em, latestItem, [tenantId]);
    if (!latest) throw notFound('tenant in any upgrade');
    const run = await em.findOneOrFail(UpgradeRun, latest.runId, { lockMode: LockMode.PESSIMISTIC_WRITE });
    const other = await unfinishedUpgrade(em);
    if (run.state === CANCELLED || (other && other.id !== run.id)) {
      throw new AppError('conflict', {
        message: other
          ? `The upgrade ${other.id} to schema version ${other.toVersion} is ${other.state}: it goes first.`
          : 'The upgrade of this tenant was called off: start another one.',
      });
    }
    const [item] = await rowsWithin(em, againItem, [run.id, tenantId, run.wave, run.retries]);
    if (!item) {
      throw new AppError('conflict', { message: `This tenant was not set aside: its upgrade is ${latest.state}.` });
    }
    run.failed -= 1;
    if (run.state === FINISHED) Object.assign(run, { state: RUNNING, finishedAt: null });
    audit(em, asking, { action: 'upgrade.retry', orgId: tenantId, target: { type: 'tenant', id: tenantId } });
    await tellOfUpgrade(em, run, item);
    return item;
  });
}
