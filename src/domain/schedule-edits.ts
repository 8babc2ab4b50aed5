/** Changes to the hours of a tenant or of one of its divisions: one after the other, kept in the history, told to all. */
import type { EntityManager } from '@mikro-orm/postgresql';
import { type Context, tenantUser } from '../context.ts';
import { publish } from '../live/event-log.ts';

/** Of the advisory lock that edits hold, in the tenant's own database: overlaps are judged by what stands. */
export const EDIT_LOCK = 0x6f6d_1001;

const NEWEST_VERSION = 'select max(seq)::text as version from schedule_versions';

/** What a change is about: null for the whole organization, else a division's id. */
export type Scope = string | null;

/**
 * Runs a change in one transaction of the caller's tenant, with the versions of the scopes that it touches, and tells
 * every process. This one knows before the call returns; the others within seconds where the control plane is away just then
 * (jobs/usage-gatherer.ts).
 *
 * @param body returns its result; it calls `touch` for each scope whose hours it changed.
 */
export async function editSchedule<T>(
  ctx: Context,
  body: (em: EntityManager, touch: (scope: Scope) => void) => Promise<T>,
): Promise<T> {
  const { orgId } = tenantUser(ctx);
  const { tenants, schedules, log } = ctx.services;
  const touched = new Set<Scope>();
  let version = '0';
  const result = await tenants.work(orgId, (tenant) =>
    tenant.transactional(async (em) => {
      await em.execute('select pg_advisory_xact_lock(?)', [EDIT_LOCK]);
      const made = await body(em, (scope) => touched.add(scope));
      await em.flush();
      for (const scope of touched) await em.execute('select record_schedule(?)', [scope]);
      if (touched.size > 0) [{ version }] = await em.execute(NEWEST_VERSION);
      return made;
    }),
  );
  if (touched.size > 0) {
    schedules.forget(orgId);
    // After the commit of the other database: a process that reads at once must find the change.
    await ctx.em
      .transactional((em) => publish(em, 'schedule', { tenantId: orgId, version }))
      .catch((error: unknown) => {
        // What stands is not answered as if it did not: asking again would change, and so tell, nothing.
        log.warn(
          { orgId, requestId: ctx.requestId, err: error },
          'hours were changed, and other processes could not be told: whoever gathers usage tells them in some seconds',
        );
      });
  }
  return result;
}
