/** Works a run off in this process, unless a gateway takes it first, and tells how it goes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from '../command-line.ts';
import { ConfigError } from '../config.ts';
import { workOff } from '../domain/offboarding/work.ts';
import { OffboardingState } from '../entities/control/offboarding.ts';
import { type AtWork, runOf } from './at-work.ts';

const LOOK_MS = 200;

/** @throws {ConfigError} where it was given up; the signal's reason. What is stopped goes on in the next gateway. */
export async function followRun(at: AtWork): Promise<void> {
  const { services, signal } = at;
  await services.queue.work('tenant.offboard', 1, (job) =>
    workOff(services, job.data.orgId, job.retryCount + 1, AbortSignal.any([signal, job.signal])),
  );
  let said = '';
  for (;;) {
    signal.throwIfAborted();
    const run = await runOf(at);
    if (!run || run.state === OffboardingState.SUCCEEDED) return;
    if (run.state === OffboardingState.FAILED) throw new ConfigError(`Given up: ${run.error} The tenant is as it was.`);
    const now =
      run.error && run.state === OffboardingState.RETRYING ? `failed, is tried again: ${run.error}` : (run.step ?? '');
    if (now && now !== said) say(now);
    said = now;
    await sleep(LOOK_MS);
  }
}
