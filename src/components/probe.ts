/** One thing the platform depends on, asked whether it is up. */
export interface Probe {
  /**
   * Resolves when the component answers, rejects with why not.
   * @param signal the only bound on how long it may take: the check gives up when it aborts.
   */
  check(signal: AbortSignal): Promise<void>;
  /** Lets go of every connection; nothing keeps the process alive afterwards. */
  close(): Promise<void>;
}

/** The other side said nothing in time. Its message is written for the operator. */
export class NoAnswerError extends Error {
  /** @param ms how long was waited, in milliseconds. */
  constructor(ms: number) {
    super(`no answer within ${ms / 1000} s`);
    this.name = 'NoAnswerError';
  }
}

/**
 * Runs `work` for at most `ms` milliseconds, then aborts its signal and stops waiting for it.
 * @throws {NoAnswerError} when the time is up.
 */
export async function withDeadline<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new NoAnswerError(ms)), ms);
  try {
    return await untilAborted(work(deadline.signal), deadline.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for `work` only until `signal` aborts, for clients whose calls cannot be interrupted. @throws the signal's reason. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
