/** All that a process does besides serving requests: the job queues and the periodic work. */
import type { Services } from '../context.ts';
import { followRestores } from './chain-sealer.ts';
import { startExportWorker } from './export-worker.ts';
import { Leader } from './leader.ts';
import { startLimitsWorker } from './limits-worker.ts';
import { startMigrationWorker } from './migration-worker.ts';
import { ProvisioningWorker } from './provisioning-worker.ts';

export interface Jobs {
  /** Begins nothing more, and asks what runs to hand back at its next step; the queue is to be stopped after this. */
  beginStop(): Promise<void>;
  /** Lets others see that this worker is gone. After the queue. */
  close(): Promise<void>;
}

export async function startJobs(services: Services): Promise<Jobs> {
  const worker = new ProvisioningWorker(services);
  const leader = new Leader(services);
  followRestores(services);
  await worker.start();
  await startLimitsWorker(services);
  const stopQueueing = await startMigrationWorker(services);
  const stopExporting = await startExportWorker(services);
  leader.start();
  return {
    async beginStop() {
      await Promise.all([worker.beginStop(), stopQueueing(), stopExporting(), leader.stop()]);
    },
    close: () => worker.close(),
  };
}
