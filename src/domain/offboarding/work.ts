/** One attempt at a run, whatever it is of. */
import { OffboardingKind } from '../../entities/control/offboarding.ts';
import { FencedOff } from '../durable-run.ts';
import { whyItFailed } from '../work-failures.ts';
import { archiveTenantNow, reopen, restoreArchived } from './archive.ts';
import { purgeTenantNow } from './purge.ts';
import { type Claimed, claimRun, type OffboardingServices, recordFailure } from './runs.ts';

type Work = (services: OffboardingServices, run: Claimed, signal: AbortSignal) => Promise<void>;

const WORK: Record<OffboardingKind, Work> = {
  [OffboardingKind.ARCHIVE]: archiveTenantNow,
  [OffboardingKind.RESTORE]: restoreArchived,
  [OffboardingKind.PURGE]: purgeTenantNow,
};

/**
 * @param tries of the job, this one included.
 * @throws where it is to be tried again, after recording why.
 */
export async function workOff(
  services: OffboardingServices,
  orgId: string,
  tries: number,
  signal: AbortSignal,
): Promise<void> {
  const run = await claimRun(services.control, orgId);
  if (!run) return;
  const { kind } = run;
  try {
    await WORK[kind](services, run, signal);
    services.log.info({ orgId, slug: run.slug, kind }, 'offboarding done');
  } catch (error) {
    if (error instanceof FencedOff) return;
    if (signal.aborted) throw error;
    const isGivenUp = await recordFailure(services.control, run, whyItFailed(error), tries);
    services.log.warn(
      { orgId, kind, attempt: run.attempt, err: error },
      `offboarding failed${isGivenUp ? ' and is given up' : ''}`,
    );
    if (!isGivenUp) throw error;
    if (kind === OffboardingKind.ARCHIVE) await reopen(services, run);
  }
}
