/**
 * What work has in common that goes on in another worker wherever one died. Each time that it is taken up has another number,
 * which is the fence: a worker that was thought dead and comes back finds a newer number and changes nothing more.
 */
import type { JobAttempt } from '../db/queue.ts';

/** Thrown by a worker that found a newer one at its run; nothing of it is recorded. */
export class FencedOff extends Error {}
/** Thrown by a worker that is asked to stop, between two steps. */
export class HandedBack extends Error {}
/** A failure that was foreseen, told in a sentence for the operator. */
export class StepFailure extends Error {}

/** Who works on a run. */
export interface Worker {
  /** Number of the process's worker session. */
  session: number;
  /** The queue's job, as it was taken. */
  job: JobAttempt;
  /** Says that the process is stopping, or that the queue took the job away. */
  signal: AbortSignal;
}
