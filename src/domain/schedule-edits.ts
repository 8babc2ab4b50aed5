/** Changes to the hours of a tenant or of one of its divisions: one after the other, kept in the history, told to all. */
import type { EntityManager } from '@mikro-orm/postgresql';
import { type Context, tenantUser } from '../context.ts';
import { AppError } from '../errors.ts';
import { publish } from '../live/event-log.ts';
import { PARTS_OF_DIVISION, PARTS_OF_EXCEPTION } from './tenant-hours.ts';

/** Of the advisory lock that edits hold, in the tenant's own database: overlaps are judged by what stands. */
export const EDIT_LOCK = 0x6f6d_1001;

const NEWEST_VERSION = 'select max(seq)::text as version from schedule_versions';

/**
 * How much there may be of all of a tenant's hours, its divisions' included: they are in memory wherever somebody asks for some of them, and
 * read in one go. In parts of some hundred bytes, as `TenantHours.parts` counts them: five megabytes.
 */
const MOST_PARTS = 50_000;

const PARTS = `
  select ((select count(*) from working_hours) + (select count(*) from exception_opt_outs)
          + ${PARTS_OF_DIVISION} * (select count(*) from divisions)
          + (select coalesce(sum(${PARTS_OF_EXCEPTION} + jsonb_array_length(hours)), 0) from working_hours_exceptions))::int as parts`;

async function partsOf(em: EntityManager): Promise<number> {
  const [{ parts }] = await em.execute<[{ parts: number }]>(PARTS);
  return parts;
}

/** What a change is about: null for the whole organization, else a division's id. */
export type Scope = string | null;

const TOO_MUCH =
  `The working hours of an organization and its divisions may have at most ${MOST_PARTS} entries in all: an opening, or an opt-out, is one; ` +
  `a division, or an exception besides its hours, counts as ${PARTS_OF_DIVISION}.`;

/**
 * Runs a change in one transaction of the caller's tenant, with the versions of the scopes that it touches, and tells
 * every process. This one knows before the call returns; the others within seconds where the control plane is away just then
 * (jobs/usage-gatherer.ts).
 *
 * @param body returns its result; it calls `touch` for each scope whose hours it changed.
 * @throws {AppError} limit_reached where there would be too much of them.
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
      const before = await partsOf(em);
      const made = await body(em, (scope) => touched.add(scope));
      await em.flush();
      const after = await partsOf(em);
      if (after > MOST_PARTS && after > before) throw new AppError('limit_reached', { message: TOO_MUCH });
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
