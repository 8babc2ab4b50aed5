/** What may be asked of an upgrade. */
import { ArgsType, Field, InputType, Int } from 'type-graphql';
import { z } from 'zod';
import { TenantUpgradeState } from '../entities/control/upgrade-run.ts';

const between = (least: number, most: number) =>
  z
    .int({ error: 'must be a whole number' })
    .min(least, { error: `must be at least ${least}` })
    .max(most, {
      error: `must be at most ${most}`,
    });

/** How a tenant of an upgrade stands. */
export const tenantUpgradeState = z.enum(TenantUpgradeState, {
  error: `must be one of ${Object.values(TenantUpgradeState).join(', ')}`,
});

const budget = between(0, 1_000_000);

@InputType({ description: 'How an upgrade is to go about its tenants; what is absent is as it says.' })
export class UpgradeInput {
  @Field(() => Int, {
    nullable: true,
    description: 'The schema version to bring them to: the newest, or the one before it. Absent: the newest.',
  })
  version?: number | null;

  @Field(() => Int, { nullable: true, description: 'So many tenants go first, the oldest. Absent: none.' })
  canary?: number | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether it pauses for somebody to look when the canary is through; it does so anyhow where one of it failed. ' +
      'Absent: it does.',
  })
  pauseAfterCanary?: boolean | null;

  @Field(() => Int, { nullable: true, description: 'Tenants a wave, 1 to 100000. Absent: 100.' })
  waveSize?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Tenants at the same time, by all processes together, 1 to 64; one process takes up 8. Absent: 4.',
  })
  concurrency?: number | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'It stops itself when more tenants than that have failed. Absent: 5, or 5 of a hundred where that is more.',
  })
  failureBudget?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Milliseconds that a statement waits for a lock, 10 to 60000. Absent: 2000.',
  })
  lockTimeoutMs?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How often a tenant is tried again after what may pass, 0 to 100. Absent: 7, in about two minutes.',
  })
  retries?: number | null;

  static readonly rules = z.strictObject({
    version: between(1, 1_000_000).optional(),
    canary: between(0, 1_000_000).optional(),
    pauseAfterCanary: z.boolean({ error: 'must be true or false' }).optional(),
    waveSize: between(1, 100_000).optional(),
    concurrency: between(1, 64).optional(),
    failureBudget: budget.optional(),
    lockTimeoutMs: between(10, 60_000).optional(),
    retries: between(0, 100).optional(),
  });
}

@ArgsType()
export class ResumeUpgradeArgs {
  @Field(() => Int, { nullable: true, description: 'Another failure budget from now on; absent, it stays.' })
  failureBudget?: number | null;

  static readonly rules = z.strictObject({ failureBudget: budget.optional() });
}
