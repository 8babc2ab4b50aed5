/** All that a process does besides serving requests: the job queues and the periodic work. */
import type { Services } from '../context.ts';
import { LOOK_AGAIN_MS, startByItself } from '../domain/upgrades/automatic.ts';
import { followRestores } from './chain-sealer.ts';
import { startExportWorker } from './export-worker.ts';
import { startFileSweeper } from './file-sweeper.ts';
import { Leader } from './leader.ts';
import { startLimitsWorker } from './limits-worker.ts';
import { MOVES } from './move-worker.ts';
import { startOffboardingWorker } from './offboarding-worker.ts';
import { PROVISIONINGS } from './provisioning-worker.ts';
import { RunWorker } from './run-worker.ts';
import { every } from './timers.ts';
import { UpgradeWorker } from './upgrade-worker.ts';
import { WorkerSession } from './worker-session.ts';

export interface Jobs {
  /** Begins nothing more, and asks what runs to hand back at its next step; the queue is to be stopped after this. */
  beginStop(): Promise<void>;
  /** Lets others see that this worker is gone. After the queue. */
  close(): Promise<void>;
}

export async function startJobs(services: Services): Promise<Jobs> {
  const session = new WorkerSession(services.control.url, services.log);
  const workers = [PROVISIONINGS, MOVES].map((kind) => new RunWorker(services, session, kind));
  const upgrades = new UpgradeWorker(services, session);
  const leader = new Leader(services);
  followRestores(services);
  await session.open();
  await Promise.all(workers.map((worker) => worker.start()));
  await startLimitsWorker(services);
  upgrades.start();
  // A gateway of the version before may still run beside this one, and make tenants.
  const stopLooking = every(LOOK_AGAIN_MS, () => startByItself(services, false), services.log);
  const stopOffboarding = await startOffboardingWorker(services);
  const stopExporting = await startExportWorker(services);
  const stopSweeping = startFileSweeper(services);
  leader.start();
  return {
    async beginStop() {
      const stopping = workers.map((worker) => worker.beginStop());
      const ends = [stopLooking(), stopOffboarding(), stopExporting(), stopSweeping(), leader.stop()];
      await Promise.all([...stopping, upgrades.stop(), ...ends]);
    },
    close: () => session.close(),
  };
}
