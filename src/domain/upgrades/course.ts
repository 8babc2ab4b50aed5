/** The course of an upgrade: what becomes of it when one of its tenants has come to an end. */
import type { EntityManager } from '@mikro-orm/postgresql';
import { nowDate } from '../../clock.ts';
import { query, rowsWithin } from '../../db/control.ts';
import { type UpgradeRun, UpgradeState } from '../../entities/control/upgrade-run.ts';

const nextWave = query<{ wave: number | null }>(
  'next_upgrade_wave',
  `select min(wave) as wave from upgrade_items where run_id = $1 and state in ('pending', 'running')`,
);

const tenants = (count: number) => (count === 1 ? '1 tenant' : `${count} tenants`);

export const overBudget = ({ failed, failureBudget }: Pick<UpgradeRun, 'failed' | 'failureBudget'>): string =>
  `${tenants(failed)} failed, more than the failure budget of ${failureBudget} allows`;

/**
 * To be called with the run locked, after what became of a tenant was written: ends it, stops it, goes on to the next wave, or
 * pauses it after its canary.
 */
export async function settle(em: EntityManager, run: UpgradeRun): Promise<void> {
  if (run.finishedAt) return;
  const [left] = await rowsWithin(em, nextWave, [run.id]);
  const next = left!.wave;
  if (next === null) {
    Object.assign(run, { state: UpgradeState.FINISHED, reason: null, finishedAt: nowDate() });
    return;
  }
  if (run.state !== UpgradeState.RUNNING) return;
  if (run.failed > run.failureBudget) {
    Object.assign(run, { state: UpgradeState.STOPPED, reason: `${overBudget(run)}.` });
    return;
  }
  if (next <= run.wave) return;
  const { failed, canary } = run;
  const wasCanary = run.wave === 0;
  run.wave = next;
  if (!wasCanary || !(run.pauseAfterCanary || failed > 0)) return;
  const outcome = failed > 0 ? `${failed} of them failed` : 'all of them are at the new version';
  Object.assign(run, {
    state: UpgradeState.PAUSED,
    reason: `The canary of ${tenants(canary)} is through, ${outcome}: look at it, then resume.`,
  });
}
