/** Shows how an upgrade goes, and works on it meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from '../command-line.ts';
import { getUpgradeRun, listTenantUpgrades, type UpgradeRunRow } from '../domain/upgrades/read.ts';
import { TenantUpgradeState, UpgradeState } from '../entities/control/upgrade-run.ts';
import { UpgradeWorker } from '../jobs/upgrade-worker.ts';
import { WorkerSession } from '../jobs/worker-session.ts';
import { ProgressLine } from '../progress-line.ts';
import type { Installed } from './installed.ts';

const LOOK_MS = 250;

/** One line. */
export function describeRun({
  state,
  reason,
  toVersion,
  total,
  done,
  failed,
  skipped,
  wave,
  waves,
  id,
}: UpgradeRunRow): string {
  const counts = [
    `${done} of ${total} tenants are at schema version ${toVersion}`,
    ...(failed > 0 ? [`${failed} set aside`] : []),
    ...(skipped > 0 ? [`${skipped} left out`] : []),
    ...(state === UpgradeState.FINISHED || total === 0 ? [] : [wave === 0 ? 'canary' : `wave ${wave} of ${waves}`]),
  ];
  return `upgrade ${id} is ${state}: ${counts.join(', ')}${reason ? `. ${reason}` : ''}`;
}

export const exitCodeOf = ({ state, failed }: UpgradeRunRow): number =>
  (state === UpgradeState.FINISHED && failed === 0) || state === UpgradeState.RUNNING ? 0 : 1;

/** Follows a run until it does not run any more, or until it is asked to stop. @returns the exit code. */
export async function follow(installed: Installed, id: string, signal: AbortSignal): Promise<number> {
  const session = new WorkerSession(installed.control.url, installed.log);
  await session.open();
  const worker = new UpgradeWorker(installed, session);
  worker.start();
  const line = new ProgressLine();
  try {
    let run = await getUpgradeRun(installed, id);
    while (run.state === UpgradeState.RUNNING && !signal.aborted) {
      line.show({ done: run.done + run.failed + run.skipped, total: run.total, text: describeRun(run) });
      await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
      run = await getUpgradeRun(installed, id);
    }
    line.end();
    if (signal.aborted && run.state === UpgradeState.RUNNING) {
      say(
        `${describeRun(run)}\nIt goes on without this command: in the gateways that run, or when one starts. To see it again:\n  npm run tenants -- upgrade --follow`,
      );
      return 130;
    }
    say(describeRun(run));
    await listSetAside(installed, id);
    return exitCodeOf(run);
  } finally {
    line.end();
    await worker.stop();
    await session.close();
  }
}

export async function listSetAside(installed: Installed, id: string): Promise<void> {
  for (const { slug, error } of await listTenantUpgrades(installed, id, TenantUpgradeState.FAILED, null)) {
    say(`  set aside: ${slug}: ${error}`);
  }
}
