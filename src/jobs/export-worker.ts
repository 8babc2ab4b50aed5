/** Makes exports, one at a time in each process, and removes them when their time has come. */
import type { Services } from '../context.ts';
import { FencedOff } from '../domain/durable-run.ts';
import { sweepExports } from '../domain/export/expire.ts';
import { runExport } from '../domain/export/run-export.ts';
import { every } from './timers.ts';

const SWEEP_MS = 10 * 60_000;

/** @returns what asks it to stop: an export that is under way is left to the next worker. */
export async function startExportWorker(services: Services): Promise<() => Promise<void>> {
  const stopping = new AbortController();
  if (services.config.role === 'worker' && !services.components.objects) {
    services.log.warn(
      'exports and archives are kept in DATA_DIR of this worker: gateways have to share its folders exports and archives, or be given MINIO_URL as well',
    );
  }
  await services.queue.work('tenant.export', 1, async ({ data, signal }) => {
    try {
      await runExport(services, data.exportId, { stopping: stopping.signal, taken: signal });
    } catch (error) {
      if (!(error instanceof FencedOff)) throw error;
    }
  });
  // Also files: what is in a folder is seen by this process alone.
  const sweep = async () => {
    try {
      await sweepExports(services, AbortSignal.any([stopping.signal, AbortSignal.timeout(SWEEP_MS)]));
    } catch (error) {
      if (!stopping.signal.aborted) throw error;
    }
  };
  const stopSweeping = every(SWEEP_MS, sweep, services.log, 0);
  return () => {
    stopping.abort(new Error('the gateway is stopping'));
    return stopSweeping();
  };
}
