/** How components stood over the last day, sampled by one process for all. */
import type { Services } from '../context.ts';
import { query, rowsWithin } from '../db/control.ts';
import { LOCKS } from '../db/locks.ts';
import { componentsOf } from './health.ts';

/** A sample every so many seconds, kept for so many hours. */
const SAMPLE_SECONDS = 15;
const KEPT_HOURS = 24;

export interface HealthSampleRow {
  component: string;
  status: string;
  latencyMs?: number | null;
  at: string;
}

export const healthSamples = query<HealthSampleRow>(
  'health_samples',
  `select component, status, latency_ms as "latencyMs", at from health_samples
    where component = $1 and at > now() - make_interval(mins => $2) order by at`,
);

/** What one component did in one stretch of time. */
export interface HealthBucketRow {
  component: string;
  from: string;
  status: string;
  latencyMs: number | null;
}

/**
 * Stretches begin at whole multiples of their length, so that asking again a moment later moves none of them; the last
 * one is still under way.
 */
export const healthBuckets = query<HealthBucketRow>(
  'health_buckets',
  `select component, bucket as "from", case when bool_or(status = 'down') then 'down' else 'up' end as status,
          round(avg(latency_ms))::int as "latencyMs"
     from (select s.component, s.status, s.latency_ms, date_bin(w.length, s.at, timestamptz '2000-01-01 00:00Z') as bucket
             from (select make_interval(secs => $1::int * 60.0 / $2::int) as length) w, health_samples s
            where s.at >= date_bin(w.length, now(), timestamptz '2000-01-01 00:00Z') - w.length * ($2::int - 1)) sample
    group by component, bucket order by component, bucket`,
);

/** The present stretch of fifteen seconds has one sample of each component, whoever takes it. */
const HAS_SAMPLE = `exists (select from health_samples
  where at >= date_bin(interval '${SAMPLE_SECONDS} seconds', now(), timestamptz '2000-01-01 00:00Z'))`;

/** Takes one sample of every configured component, where it is time for one, and forgets the ones that are too old. */
export async function sampleHealth({ health, control }: Services): Promise<void> {
  const { rows } = await control.pool.query<{ taken: boolean }>({
    name: 'health_sample_taken',
    text: `select ${HAS_SAMPLE} as taken`,
  });
  if (rows[0]!.taken) return;
  const seen = componentsOf(await health.report()).filter(([, { status }]) => status !== 'not_configured');
  await control.orm.em.fork().transactional(async (em) => {
    // A process that was thought dead may still be at it.
    await rowsWithin(em, takeTurns, [LOCKS.healthSample, 0]);
    await rowsWithin(em, insertSample, [
      seen.map(([name]) => name),
      seen.map(([, { status }]) => status),
      seen.map(([, { latencyMs }]) => latencyMs ?? null),
    ]);
  });
  await control.pool.query(`delete from health_samples where at < now() - interval '${KEPT_HOURS} hours'`);
}

const takeTurns = query<object>('health_sample_lock', 'select pg_advisory_xact_lock($1, $2)');
const insertSample = query<object>(
  'sample_health',
  `insert into health_samples (component, status, latency_ms, at)
     select component, status, latency_ms, now()
       from unnest($1::text[], $2::text[], $3::int[]) as sample (component, status, latency_ms)
      where not ${HAS_SAMPLE}`,
);
