/** Room on the disk that exports are written to, which may be the one of the embedded database server: it stops where there is none. */
import { statfs } from 'node:fs/promises';
import { StepFailure } from '../durable-run.ts';

const MIB = 2 ** 20;
/** What an export leaves free, and how many bytes it writes before it looks again. */
const RESERVE = 512 * MIB;
const LOOK_EVERY = 16 * MIB;

/** Hands on what is to be written to `folder`. @throws {StepFailure} where less than the reserve would be left. */
export async function* whileThereIsRoom<T extends string | Buffer>(
  folder: string,
  chunks: AsyncIterable<T>,
  reserve = RESERVE,
): AsyncGenerator<T> {
  let unseen = LOOK_EVERY;
  for await (const chunk of chunks) {
    unseen += chunk.length;
    if (unseen >= LOOK_EVERY) {
      const { bavail, bsize } = await statfs(folder);
      const free = bavail * bsize;
      if (free < reserve) throw new StepFailure(nearlyFull(free, reserve));
      unseen = 0;
    }
    yield chunk;
  }
}

const nearlyFull = (free: number, reserve: number) =>
  `The disk that exports are written to is nearly full: ${Math.floor(free / MIB)} MiB are free, and ${Math.floor(reserve / MIB)} MiB have to stay free.`;
