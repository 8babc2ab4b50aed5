/** One attempt at a run, whatever it is of. */
import { ServerAway } from '../../db/server-liveness.ts';
import { OffboardingKind, OffboardingState } from '../../entities/control/offboarding.ts';
import { FencedOff } from '../durable-run.ts';
import { whyItFailed } from '../work-failures.ts';
import { archiveTenantNow, reopen, restoreArchived } from './archive.ts';
import { purgeTenantNow } from './purge.ts';
import { type Claimed, claimRun, isKept, type OffboardingServices, recordFailure, whileHeld } from './runs.ts';

/** A failed archive or restore is given up after so many attempts, unless an archive is kept and waits for the drop; a purge never is. */
const MOST_ATTEMPTS = 5;

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
    const isGivenUp = await fail(services, run, error, tries);
    if (isGivenUp === undefined) return;
    services.log.warn(
      { orgId, kind, attempt: run.attempt, err: error },
      `offboarding failed${isGivenUp ? ' and is given up' : ''}`,
    );
    if (!isGivenUp) throw error;
  }
}

/** Records why, and gives the run up where that leaves the tenant as it was. @returns whether it did; undefined where it is another's. */
async function fail(services: OffboardingServices, run: Claimed, error: unknown, tries: number) {
  const { control, log } = services;
  const record = (mayGiveUp: boolean) =>
    whileHeld(control, run, async (em) => {
      const isGivenUp = mayGiveUp && !(await isKept(em, run));
      // Before it is given up: whoever makes the tenant active then finds its role open.
      if (isGivenUp && run.kind === OffboardingKind.ARCHIVE) await reopen(services, run);
      const state = isGivenUp ? OffboardingState.FAILED : OffboardingState.RETRYING;
      await recordFailure(em, run, whyItFailed(error), state);
      return isGivenUp;
    });
  // Without its server nobody can leave the tenant as it was: that is waited for.
  const waits = run.kind === OffboardingKind.ARCHIVE && error instanceof ServerAway;
  const mayGiveUp = run.kind !== OffboardingKind.PURGE && !waits && tries >= MOST_ATTEMPTS;
  try {
    return await record(mayGiveUp).catch((err: unknown) => {
      if (err instanceof FencedOff || !mayGiveUp) throw err;
      log.warn({ orgId: run.orgId, err }, 'an archiving that failed cannot be given up yet');
      return record(false);
    });
  } catch (err) {
    if (err instanceof FencedOff) return undefined;
    throw err;
  }
}
