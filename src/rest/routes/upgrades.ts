import { z } from 'zod';
import * as rules from '../../domain/rules.ts';
import { MAX_PAGE } from '../../schema/paging.ts';
import { ResumeUpgradeArgs, tenantUpgradeState, UpgradeInput } from '../../schema/upgrade-inputs.ts';
import * as documents from '../operations.gen.ts';
import { wholeNumber } from '../query.ts';
import type { Route } from '../route.ts';

/** Of the tenants that stand in the answer. */
const pageOfTenants = {
  limit: wholeNumber(1, MAX_PAGE).meta({ description: 'At most so many tenants; without it, all.' }).optional(),
  after: rules.uuid.meta({ description: 'The id of the last tenant that you have.' }).optional(),
};

const rows: Omit<Route, 'tag'>[] = [
  {
    method: 'GET',
    path: '/api/super-admin/upgrades/plan',
    document: documents.PlanUpgradeDocument,
    summary: 'Plan an upgrade of tenants',
    description: 'What an upgrade would do: which tenants, which statements, how long. Nothing is changed.',
    success: 'The plan',
    query: z.object({
      version: wholeNumber(1, 1_000_000).optional(),
      canary: wholeNumber(0, 1_000_000).optional(),
      waveSize: wholeNumber(1, 100_000).optional(),
      concurrency: wholeNumber(1, 64).optional(),
      ...pageOfTenants,
    }),
  },
  {
    method: 'GET',
    path: '/api/super-admin/upgrades',
    document: documents.ListUpgradeRunsDocument,
    summary: 'List upgrades of tenants',
    description: 'Newest first, 50 a page unless `limit` says otherwise.',
    success: 'Array of upgrades',
    answer: 'connection',
    pageSize: 50,
  },
  {
    method: 'POST',
    path: '/api/super-admin/upgrades',
    document: documents.StartUpgradeDocument,
    summary: 'Start an upgrade of tenants',
    description:
      'Brings all tenants that are behind to a schema version, in the background. One is unfinished at a time.',
    success: 'The upgrade, under way',
    status: 201,
    body: UpgradeInput.rules.optional(),
    location: '/api/super-admin/upgrades/{id}',
    errors: ['conflict'],
  },
  {
    method: 'GET',
    path: '/api/super-admin/upgrades/{id}',
    document: documents.GetUpgradeRunDocument,
    summary: 'Get an upgrade of tenants',
    description: 'With its tenants in the order in which it comes to them.',
    success: 'The upgrade',
    query: z.object({ state: tenantUpgradeState.optional(), ...pageOfTenants }),
  },
  {
    method: 'POST',
    path: '/api/super-admin/upgrades/{id}/pause',
    document: documents.PauseUpgradeDocument,
    summary: 'Pause an upgrade of tenants',
    description: 'What is under way comes to its end, nothing else begins.',
    success: 'The upgrade',
    errors: ['conflict'],
  },
  {
    method: 'POST',
    path: '/api/super-admin/upgrades/{id}/resume',
    document: documents.ResumeUpgradeDocument,
    summary: 'Resume an upgrade of tenants',
    description: 'Lets one go on that was paused, or has stopped.',
    success: 'The upgrade',
    body: ResumeUpgradeArgs.rules.optional(),
    errors: ['conflict'],
  },
  {
    method: 'POST',
    path: '/api/super-admin/upgrades/{id}/cancel',
    document: documents.CancelUpgradeDocument,
    summary: 'Cancel an upgrade of tenants',
    description: 'What was upgraded stays so, what is under way comes to its end.',
    success: 'The upgrade',
    errors: ['conflict'],
  },
  {
    method: 'POST',
    path: '/api/super-admin/upgrades/tenants/{tenant_id}/retry',
    document: documents.RetryTenantUpgradeDocument,
    summary: "Retry a tenant's upgrade",
    description: 'Has a tenant tried again that was set aside, by the latest upgrade that has it.',
    success: "The tenant's upgrade",
    errors: ['conflict'],
  },
];

export const upgradeRoutes: Route[] = rows.map((row) => ({ ...row, tag: 'Super Admin' }));
