/**
 * Work on a tenant as a whole that is not over (domain/offboarding): it would go on with what a restore has put in the place of what it
 * was about, and drop it.
 */
import type pg from 'pg';
import { ConfigError } from '../../config.ts';
import { OffboardingKind } from '../../entities/control/offboarding.ts';
import { FencedOff } from '../durable-run.ts';

const WAIT = 'wait until that has ended, and restore it then';

const UNDER_WAY: Record<OffboardingKind, string> = {
  [OffboardingKind.ARCHIVE]: `is being archived: ${WAIT}`,
  [OffboardingKind.RESTORE]: `is being restored from its archive: ${WAIT}`,
  [OffboardingKind.PURGE]: `is being removed for good, which cannot be called off any more (cancelPurge is for before it begins): ${WAIT}`,
};

/** @returns what is under way with the tenant; undefined for nothing. */
export async function unfinishedRun(client: pg.ClientBase, orgId: string): Promise<OffboardingKind | undefined> {
  const { rows } = await client.query<{ kind: OffboardingKind }>(
    `select kind from offboarding_runs where org_id = $1 and state not in ('succeeded', 'failed')`,
    [orgId],
  );
  return rows[0]?.kind;
}

export const whyUnfit = (slug: string, kind: OffboardingKind): ConfigError =>
  new ConfigError(
    `Tenant ${slug} ${UNDER_WAY[kind]}. Where it cannot end because the tenant's server is gone for good, restore the tenant on another ` +
      'one (--server), which ends it. Nothing has been changed.',
  );

/** Of a restore from an archive, which is such work itself. @throws {FencedOff} where the attempt is not the newest. */
export async function refuseOlderAttempt(client: pg.ClientBase, orgId: string, attempt: number): Promise<void> {
  const { rowCount } = await client.query('select from offboarding_runs where org_id = $1 and attempt = $2', [
    orgId,
    attempt,
  ]);
  if (!rowCount) throw new FencedOff();
}

/** Ends the work for good: whoever is at it finds a newer attempt, and changes nothing more. */
export const endUnfinished = (client: pg.ClientBase, orgId: string) =>
  client.query(
    `update offboarding_runs set state = 'failed', attempt = attempt + 1, error = 'the tenant was restored on another server'
      where org_id = $1`,
    [orgId],
  );
