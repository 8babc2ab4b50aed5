/** Batches the reads of one request, so that a list of tenants asks once for all their usage. */
import DataLoader from 'dataloader';
import type { Context } from '../context.ts';
import { query } from '../db/control.ts';
import { areActive } from '../domain/agents.ts';
import { type DatabaseServer, databaseServersOf } from '../domain/database-servers.ts';
import { agentsOf, divisionsOf } from '../domain/divisions.ts';
import { movesOf, type ToldMove } from '../domain/move/told.ts';
import { type OffboardingRow, offboardingsOf } from '../domain/offboarding/runs.ts';
import { provisioningsOf } from '../domain/provisioning-state.ts';
import type { TenantUserRow } from '../domain/tenant-users.ts';
import { takeUsage, USAGE_COLUMNS, USAGE_ID, type UsageRow } from '../domain/usage.ts';
import type { Provisioning } from '../entities/control/provisioning-run.ts';

const usageOf = query<Record<string, unknown>>(
  'usage_of',
  `select u.org_id as id, ${USAGE_ID}, ${USAGE_COLUMNS} from usage u where u.org_id = any($1)`,
);

export interface Loaders {
  usage: DataLoader<string, UsageRow | undefined>;
  databaseServer: DataLoader<string, DatabaseServer | undefined>;
  provisioning: DataLoader<string, Provisioning | undefined>;
  moves: DataLoader<string, ToldMove | undefined>;
  offboarding: DataLoader<string, OffboardingRow | undefined>;
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
      const byId = await provisioningsOf(ctx.em, ids, ctx.services.control);
      return ids.map((id) => byId.get(id));
    }),
    // Not kept, as those below: one document may start a move and ask for it.
    moves: new DataLoader(
      async (ids) => {
        const byId = await movesOf(ctx, ids);
        return ids.map((id) => byId.get(id));
      },
      { cache: false },
    ),
    offboarding: new DataLoader(
      async (ids) => {
        const byId = new Map((await ctx.rows(offboardingsOf, [ids])).map((row) => [row.tenantId, row]));
        return ids.map((id) => byId.get(id));
      },
      { cache: false },
    ),
    databaseServer: new DataLoader((ids) => databaseServersOf(ctx, ids), { cache: false }),
    // Not kept: one document may change them and ask again.
    divisionAgents: new DataLoader((ids) => agentsOf(ctx, ids), { cache: false }),
    agentDivisions: new DataLoader((ids) => divisionsOf(ctx, ids), { cache: false }),
    agentIsActive: new DataLoader((ids) => areActive(ctx, ids), { cache: false }),
  };
}
