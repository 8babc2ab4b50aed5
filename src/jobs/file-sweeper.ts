/** Removes files of exports and archives that are nobody's any more. Each process does: what is in a folder is seen by it alone. */
import type { Services } from '../context.ts';
import { sweepExports } from '../domain/export/expire.ts';
import { sweepArchives } from '../domain/offboarding/sweep.ts';
import { every } from './timers.ts';

const SWEEP_MS = 10 * 60_000;

/** @returns what ends it, at once. */
export function startFileSweeper(services: Services): () => Promise<void> {
  const stopping = new AbortController();
  const stops = [sweepExports, sweepArchives].map((sweep) =>
    every(
      SWEEP_MS,
      async () => {
        try {
          await sweep(services, AbortSignal.any([stopping.signal, AbortSignal.timeout(SWEEP_MS)]));
        } catch (error) {
          if (!stopping.signal.aborted) throw error;
        }
      },
      services.log,
      0,
    ),
  );
  return async () => {
    stopping.abort(new Error('the gateway is stopping'));
    await Promise.all(stops.map((stop) => stop()));
  };
}
