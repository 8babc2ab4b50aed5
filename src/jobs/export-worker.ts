/** Makes exports, one at a time in each process. */
import type { Services } from '../context.ts';
import { FencedOff } from '../domain/durable-run.ts';
import { runExport } from '../domain/export/run-export.ts';

/** @returns what asks it to stop: an export that is under way is left to the next worker. */
export async function startExportWorker(services: Services): Promise<() => Promise<void>> {
  const stopping = new AbortController();
  const { config, components } = services;
  if (config.role === 'worker' && !components.objects && !config.dataDirShared) {
    services.log.warn(
      'exports are kept in DATA_DIR of this worker, and no tenant can be archived: share that folder with gateways and set DATA_DIR_SHARED=true, or give all of them MINIO_URL',
    );
  }
  await services.queue.work('tenant.export', 1, async ({ data, signal }) => {
    try {
      await runExport(services, data.exportId, { stopping: stopping.signal, taken: signal });
    } catch (error) {
      if (!(error instanceof FencedOff)) throw error;
    }
  });
  return async () => stopping.abort(new Error('the gateway is stopping'));
}
