/** Watches whether components come and go: one process for all, which tells everybody. */
import type { Context, Services } from '../context.ts';
import { query } from '../db/control.ts';
import { publishOn } from '../live/event-log.ts';
import type { Feed } from '../live/feed.ts';
import { type Followed, follow, NEWEST_EVENT } from '../live/follow.ts';
import { componentsOf, type SystemHealth } from './health.ts';

/** A component that goes away is told of so soon, beside what its probe takes. Milliseconds. */
export const WATCH_MS = 2000;

/** What a change is: how long a probe took is none. Sorted, because the log does not keep the order of keys. */
function standing(health: SystemHealth): string {
  const { platforms, tenants } = health;
  return JSON.stringify([
    componentsOf(health)
      .map(([name, { status, error }]) => [name, status, error ?? null])
      .sort(),
    Object.entries(platforms)
      .map(([name, { status }]) => [name, status])
      .sort(),
    [tenants.total, tenants.active, tenants.suspended],
  ]);
}

/** Looks once; where anything differs from what was told last, tells how everything stands. */
export async function watchHealth(services: Services): Promise<void> {
  const { health, control } = services;
  const seen = await health.report();
  const { rows } = await control.pool.query<{ health: SystemHealth }>(
    `select payload->'health' as health from events where topic = 'health' order by seq desc limit 1`,
  );
  if (rows[0] && standing(rows[0].health) === standing(seen)) return;
  const client = await control.pool.connect();
  let failed = true;
  try {
    await client.query('begin');
    await client.query(
      `insert into component_states as known (component, status, error, since)
         select component, status, error, now() from unnest($1::text[], $2::text[], $3::text[]) _ (component, status, error)
       on conflict (component) do update set error = excluded.error, status = excluded.status,
         since = case when known.status = excluded.status then known.since else excluded.since end`,
      [
        componentsOf(seen).map(([name]) => name),
        componentsOf(seen).map(([, { status }]) => status),
        componentsOf(seen).map(([, { error }]) => error ?? null),
      ],
    );
    const states = await client.query<{ component: string; since: string }>(
      'select component, since from component_states',
    );
    const since = new Map(states.rows.map((row) => [row.component, row.since]));
    for (const [name, component] of componentsOf(seen)) component.since = since.get(name);
    await publishOn(client, 'health', { health: seen });
    await client.query('commit');
    failed = false;
  } finally {
    client.release(failed);
  }
}

const newest = query<{ seq: number }>('newest_event', `select ${NEWEST_EVENT} as seq`);

export type HealthFeed = Feed<Followed<'health', SystemHealth>>;

/** How everything stands, then every change. @throws {AppError} validation_failed */
export function followHealth(ctx: Context, after?: number | null): Promise<HealthFeed> {
  return follow(ctx.services, {
    topic: 'health',
    after,
    overflow: ctx.tooSlow,
    async snapshot() {
      const [{ seq }] = (await ctx.rows(newest, [])) as [{ seq: number }];
      return { seq, now: await ctx.services.health.report() };
    },
  });
}
