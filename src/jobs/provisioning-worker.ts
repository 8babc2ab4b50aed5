import { runProvisioning } from '../domain/provisioning.ts';
import type { RunKind } from './run-worker.ts';

export const PROVISIONINGS: RunKind = {
  queue: 'tenant.provision',
  table: 'provisioning_runs',
  unfinished: `run.state <> 'succeeded'`,
  // Made at the same time by one process: more would only wait for the server's disk.
  concurrency: 4,
  noun: 'provisioning',
  work: runProvisioning,
};
