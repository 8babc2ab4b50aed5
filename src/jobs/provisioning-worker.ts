import { runProvisioning } from '../domain/provisioning.ts';
import { ProvisioningState } from '../entities/control/provisioning-run.ts';
import type { RunKind } from './run-worker.ts';

const UNFINISHED = Object.values(ProvisioningState).filter((state) => state !== ProvisioningState.SUCCEEDED);

export const PROVISIONINGS: RunKind = {
  queue: 'tenant.provision',
  table: 'provisioning_runs',
  unfinished: `run.state <> 'succeeded'`,
  // Whose job an earlier version has given up, or somebody has removed.
  needsJob: `run.state in (${UNFINISHED.map((state) => `'${state}'`).join(', ')})`,
  // Made at the same time by one process: more would only wait for the server's disk.
  concurrency: 4,
  noun: 'provisioning',
  work: runProvisioning,
};
