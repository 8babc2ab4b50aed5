/** Waits until what requests have begun in the background has come to its end, or to where it waits for something. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Databases } from './fingerprint.ts';

/** What is not at its end by then hangs; a move and an export take seconds each, and go one after the other. */
const SETTLED_MS = 120_000;
/** Whoever asks for something just as a job ends has none, until the workers' next sweep sends one (src/jobs/run-worker.ts). */
const withoutJob = (table: string, queue: string, states: string) => `
  select '${queue} of ' || org_id from ${table}
   where ${states} and not exists (select from pgboss.job where name = '${queue}' and singleton_key = org_id::text and state < 'completed')`;
const PENDING = `
  select name || ' of ' || coalesce(data->>'orgId', data->>'exportId') as what from pgboss.job
   where state = 'active' or (state in ('created', 'retry') and start_after <= now())
  union all ${withoutJob('tenant_moves', 'tenant.move', "state in ('copying', 'switching', 'finishing', 'undoing', 'cancelling')")}
  union all ${withoutJob('provisioning_runs', 'tenant.provision', "state <> 'succeeded'")}
  union all select 'upgrade ' || id from upgrade_runs where state = 'running'
  union all select 'upgrade of ' || org_id from upgrade_items where state = 'running'
  union all select 'end of ' || id from organizations where purge_at <= now() and status = 'suspended'`;

/** @returns what has not come to its end by then. */
export async function settled(databases: Databases, ms = SETTLED_MS): Promise<string[]> {
  for (const deadline = Date.now() + ms; ; await sleep(20)) {
    const pending = await databases.rows<{ what: string }>(PENDING);
    if (pending.length > 0 && Date.now() < deadline) continue;
    if (pending.length === 0) await park(databases);
    return pending.map(({ what }) => what);
  }
}

/** What failed is not tried again by itself, which would change the databases while requests are looked at. */
const park = (databases: Databases) =>
  databases.rows(
    `update pgboss.job set start_after = now() + interval '1 day'
      where state in ('created', 'retry') and start_after between now() and now() + interval '12 hours'`,
  );

/** Tries again what was parked. @param which SQL of rows of `pgboss.job`. */
export const unpark = (databases: Databases, which: string) =>
  databases.rows(
    `update pgboss.job set start_after = now() where state in ('created', 'retry')
        and start_after > now() + interval '12 hours' and ${which}`,
  );

/** Waits until the work of a tenant has failed, and leaves it there. */
export async function parkedAtFailure(databases: Databases, queue: string, tenantId: string): Promise<void> {
  for (const deadline = Date.now() + SETTLED_MS / 4; Date.now() < deadline; await sleep(20)) {
    const parked = await databases.rows(
      `update pgboss.job set start_after = now() + interval '1 day'
        where name = $1 and singleton_key = $2 and state = 'retry' returning 1`,
      [queue, tenantId],
    );
    if (parked.length > 0) return;
  }
}
