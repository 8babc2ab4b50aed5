/** How the making of tenants stands, as plain rows. */
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Context } from '../context.ts';
import { type ControlDatabase, query, readRows } from '../db/control.ts';
import type { Provisioning, ProvisioningStep } from '../entities/control/provisioning-run.ts';
import { NEWEST_EVENT } from '../live/follow.ts';

interface StepRow extends ProvisioningStep {
  runState: Provisioning['state'];
  runAttempt: number;
}

const steps = <Row extends StepRow>(name: string, more: string) =>
  query<Row>(
    name,
    `select s.org_id as "orgId", s.name, s.state, s.attempt, s.started_at as "startedAt",
            s.finished_at as "finishedAt", s.error, r.state as "runState", r.attempt as "runAttempt" ${more}
       from provisioning_runs r join provisioning_steps s on s.org_id = r.org_id
      where r.org_id = any($1) order by s.position`,
  );
const provisioningOf = steps('provisioning_of', '');
const provisioningWithNewest = steps<StepRow & { seq: number }>('provisioning_now', `, ${NEWEST_EVENT} as seq`);

/** By tenant; in the manager's transaction if it is in one. */
export async function provisioningsOf(
  em: EntityManager,
  orgIds: readonly string[],
  { pool }: Pick<ControlDatabase, 'pool'>,
): Promise<Map<string, Provisioning>> {
  const rows = Map.groupBy(await readRows(em, pool, provisioningOf, [orgIds]), ({ orgId }) => orgId);
  return new Map([...rows].map(([orgId, steps]) => [orgId, runOf(steps)]));
}

/** With the newest event that it includes; undefined for a tenant that is not there. */
export async function provisioningNow(
  ctx: Context,
  orgId: string,
): Promise<{ seq: number; now: Provisioning } | undefined> {
  const steps = await ctx.rows(provisioningWithNewest, [[orgId]]);
  return steps[0] && { seq: steps[0].seq, now: runOf(steps) };
}

const runOf = (steps: StepRow[]): Provisioning =>
  asTold({ state: steps[0]!.runState, attempt: steps[0]!.runAttempt }, steps);

/** What is told of a run as it stands now. */
export function asTold({ state, attempt }: Omit<Provisioning, 'steps'>, steps: ProvisioningStep[]): Provisioning {
  return {
    state,
    attempt,
    steps: steps.map(({ name, state, attempt, startedAt, finishedAt, error }) => ({
      name,
      state,
      attempt,
      startedAt,
      finishedAt,
      error,
    })) as ProvisioningStep[],
  };
}
