/** Periodic work that never overlaps itself and whose failures are logged, not thrown. */
import type { Logger } from 'pino';

/**
 * @param firstMs what the first round waits; as long as the others, unless it says otherwise.
 * @returns what ends it, after the round that is under way.
 */
export function every(ms: number, work: () => Promise<void>, log: Logger, firstMs = ms): () => Promise<void> {
  let stopped = false;
  let round = Promise.resolve();
  let timer: NodeJS.Timeout;
  const run = () => {
    round = work()
      .catch((error: unknown) => log.warn({ err: error }, 'periodic work failed; it goes on'))
      .then(() => {
        if (!stopped) timer = setTimeout(run, ms);
      });
  };
  timer = setTimeout(run, firstMs);
  return () => {
    stopped = true;
    clearTimeout(timer);
    return round;
  };
}
