/** What a follower of a business's hours is told: how it stands now, or what happened since they were last here. */
import { nowMs } from '../clock.ts';
import type { Context } from '../context.ts';
import { query } from '../db/control.ts';
import { invalid } from '../errors.ts';
import { EventKind, Feed } from '../live/feed.ts';
import { statusOf } from './hours-questions.ts';
import { type HoursEvent, partsOf, placeOf } from './hours-watch.ts';
import { publicTenant } from './public-tenant.ts';

/** As far back as the event log; in milliseconds. */
const LONGEST_AWAY = 48 * 3_600_000;
/** Edits; whoever missed more is told how it stands now. */
const MOST_EDITS = 200;
/** By how much the clocks of two machines may differ, in milliseconds. */
const SKEW = 5000;

/** When each version of a scope came into force, in milliseconds since the epoch. */
interface Version {
  seq: number;
  from: number;
}

const versionsFrom = query<Version>(
  'schedule_versions_from',
  `select seq::float8 as seq, (extract(epoch from valid_from) * 1000)::float8 as "from" from schedule_versions
    where (division_id is null or division_id = $1) and seq >= $2 order by seq limit ${MOST_EDITS}`,
);

/** @throws {AppError} tenant_required, not_found; validation_failed for an `after` that is not of the past. */
export async function followHours(
  ctx: Context,
  { tenant, divisionId, after }: { tenant?: string | null; divisionId?: string | null; after?: number | null },
): Promise<Feed<HoursEvent>> {
  const orgId = await publicTenant(ctx, tenant);
  const { schedules, hoursWatch } = ctx.services;
  const scope = divisionId ?? null;
  // A division that is not there is said at once.
  (await schedules.now(orgId)).scope(scope);
  const missed = after == null ? undefined : await versionsSince(ctx, orgId, scope, after);

  async function* past(): AsyncGenerator<HoursEvent, void, undefined> {
    if (missed) return yield* changesSince(ctx, orgId, scope, missed);
    const hours = await schedules.now(orgId);
    const now = nowMs();
    yield {
      seq: placeOf(hours.version(scope), hours.since(scope), now),
      kind: after == null ? EventKind.SNAPSHOT : EventKind.RESET,
      status: statusOf(hours.scope(scope), now),
    };
  }
  return new Feed<HoursEvent>({
    listen: (tell, end) => hoursWatch.listen(orgId, scope, { tell, end }),
    past,
    overflow: ctx.tooSlow,
  });
}

interface Missed {
  /** The version that the follower knows of, and those after it. */
  versions: Version[];
  /** What they know up to. */
  from: number;
}

/** @returns undefined where it is too long ago to be told. */
async function versionsSince(
  { services }: Context,
  orgId: string,
  scope: string | null,
  after: number,
): Promise<Missed | undefined> {
  const { version, seconds } = partsOf(after);
  const versions = await services.tenants.rows(orgId, versionsFrom, [scope, version]);
  const [known] = versions;
  const from = known && (Math.floor(known.from / 1000) + seconds) * 1000;
  if (!from || from > nowMs() + SKEW) throw invalid('after', 'is of an event that has not happened');
  if (known.seq !== version || versions.length === MOST_EDITS || from < nowMs() - LONGEST_AWAY) return undefined;
  return { versions, from };
}

async function* changesSince(
  { services: { schedules } }: Context,
  orgId: string,
  scope: string | null,
  { versions, from }: Missed,
): AsyncGenerator<HoursEvent, void, undefined> {
  for (const [index, version] of versions.entries()) {
    const until = versions[index + 1]?.from ?? nowMs();
    // The second of what they know may have begun before the version did.
    const start = index === 0 ? Math.max(from, version.from) : version.from;
    const hours = await schedules.at(orgId, scope, start);
    const told = (at: number): HoursEvent => ({
      seq: placeOf(version.seq, version.from, at),
      kind: EventKind.CHANGE,
      status: statusOf(hours, at),
    });
    // Of several at the same time, as when one edit touches both levels, the last one counts.
    if (index > 0 && (until > start || index === versions.length - 1)) yield told(start);
    for (const { at } of hours.clock.changes(start, until)) yield told(at);
  }
}
