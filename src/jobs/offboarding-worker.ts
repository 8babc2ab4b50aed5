/** Archives tenants, restores archived ones, and removes those whose time has come. */
import type { Services } from '../context.ts';
import { sendLostRuns } from '../domain/offboarding/runs.ts';
import { workOff } from '../domain/offboarding/work.ts';
import { every } from './timers.ts';

/** Each loads the disk, and some a whole database. */
const CONCURRENCY = 2;
const LOST_MS = 30_000;

/** @returns what asks running work to end; it goes on in the next worker. */
export async function startOffboardingWorker(services: Services): Promise<() => Promise<void>> {
  const stopping = new AbortController();
  await services.queue.work('tenant.offboard', CONCURRENCY, (job) =>
    workOff(services, job.data.orgId, job.retryCount + 1, AbortSignal.any([stopping.signal, job.signal])),
  );
  const stopSending = every(LOST_MS, () => sendLostRuns(services), services.log);
  return () => {
    stopping.abort(new Error('the gateway is stopping'));
    return stopSending();
  };
}
