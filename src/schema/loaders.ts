/** Batches the reads of one request, so that a list of tenants asks once for all their usage. */
import DataLoader from 'dataloader';
import type { Context } from '../context.ts';
import { query } from '../db/control.ts';
import { areActive } from '../domain/agents.ts';
import { agentsOf, divisionsOf } from '../domain/divisions.ts';
import type { TenantUserRow } from '../domain/tenant-users.ts';
import { takeUsage, USAGE_COLUMNS, type UsageRow } from '../domain/usage.ts';
import type { Provisioning, ProvisioningRun, ProvisioningStep } from '../entities/control/provisioning-run.ts';

const usageOf = query<Record<string, unknown>>(
  'usage_of',
  `select ${USAGE_COLUMNS} from usage u where u.org_id = any($1)`,
);

type StepRow = ProvisioningStep &
  Pick<ProvisioningRun, 'orgId'> & { runState: Provisioning['state']; runAttempt: number };

const provisioningOf = query<StepRow>(
  'provisioning_of',
  `select s.org_id as "orgId", s.name, s.state, s.attempt, s.started_at as "startedAt", s.finished_at as "finishedAt",
          s.error, r.state as "runState", r.attempt as "runAttempt"
     from provisioning_runs r join provisioning_steps s on s.org_id = r.org_id
    where r.org_id = any($1) order by s.position`,
);

export interface Loaders {
  usage: DataLoader<string, UsageRow | undefined>;
  provisioning: DataLoader<string, Provisioning | undefined>;
  divisionAgents: DataLoader<string, TenantUserRow[]>;
  agentDivisions: DataLoader<string, { id: string; name: string }[]>;
  agentIsActive: DataLoader<string, boolean>;
}

export function createLoaders(ctx: Context): Loaders {
  return {
    usage: new DataLoader(async (ids) => {
      const rows = (await ctx.rows(usageOf, [ids])).map(takeUsage);
      const byId = new Map(rows.map((row) => [row?.orgId, row]));
      return ids.map((id) => byId.get(id));
    }),
    provisioning: new DataLoader(async (ids) => {
      const byId = Map.groupBy(await ctx.rows(provisioningOf, [ids]), ({ orgId }) => orgId);
      return ids.map((id) => {
        const steps = byId.get(id);
        const [first] = steps ?? [];
        return first && { state: first.runState, attempt: first.runAttempt, steps: steps! };
      });
    }),
    // Not kept: one document may change them and ask again.
    divisionAgents: new DataLoader((ids) => agentsOf(ctx, ids), { cache: false }),
    agentDivisions: new DataLoader((ids) => divisionsOf(ctx, ids), { cache: false }),
    agentIsActive: new DataLoader((ids) => areActive(ctx, ids), { cache: false }),
  };
}
