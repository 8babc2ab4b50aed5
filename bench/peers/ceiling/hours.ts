/**
 * The ceiling's working hours: schedules in memory, and of each tenant the ready answer with its ETag for as long as it holds.
 * What a schedule means is asked of the product's own functions, some times a minute.
 */
import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import pg from 'pg';
import { TenantHours, type VersionRow } from '../../../src/domain/tenant-hours.ts';
import type { WorkingHoursClock } from '../../../src/domain/working-hours/clock.ts';
import { explain } from '../../../src/domain/working-hours/explanation.ts';
import { dateOf } from '../../../src/domain/working-hours/schedule.ts';
import { timeText } from '../../../src/domain/working-hours/words.ts';
import { rows } from './database.ts';

const MINUTE = 60_000;
/** How late a cache may show a change of the hours, in seconds. */
const LONGEST_KEPT = 5;

interface Ready {
  text: string;
  etag: string;
  /** Milliseconds since the epoch. */
  until: number;
}

async function clocks(): Promise<Map<string, WorkingHoursClock>> {
  const tenants = await rows<{ slug: string; database: string }>(
    'databases',
    'select o.slug, d.database_name as database from organizations o join tenant_databases d on d.org_id = o.id',
    [],
  );
  const found = new Map<string, WorkingHoursClock>();
  for (const { slug, database } of tenants) {
    const url = new URL(process.env.DATABASE_URL!);
    url.pathname = `/${database}`;
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    const versions = await client.query<VersionRow>(
      `select distinct on (division_id) seq, division_id as "divisionId", 0 as "validFrom", schedule
         from schedule_versions order by division_id, seq desc`,
    );
    await client.end();
    found.set(slug, new TenantHours(versions.rows).scope().clock);
  }
  return found;
}

function answer(clock: WorkingHoursClock, now: number): Ready {
  const minute = now - (now % MINUTE);
  const next = clock.nextChange(now);
  const { isOpen, text: explanation } = explain(clock, now);
  const local = clock.localTime(minute);
  const offset = Math.round(Math.abs(local.offset) / MINUTE);
  const digits = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const text = JSON.stringify({
    is_working_hours: isOpen,
    timezone: clock.schedule.timezone,
    current_time: timeText(local.second),
    next_change_at: next && new Date(next.at).toISOString(),
    local_time: `${dateOf(local.day)}T${timeText(local.second).padEnd(8, ':00')}${local.offset < 0 ? '-' : '+'}${digits(offset / 60)}:${digits(offset % 60)}`,
    explanation,
  });
  return {
    text,
    etag: `"${createHash('sha1').update(text).digest('base64')}"`,
    until: Math.min(minute + MINUTE, next?.at ?? Number.POSITIVE_INFINITY),
  };
}

export async function serveHours(app: FastifyInstance): Promise<void> {
  const known = await clocks();
  const ready = new Map<string, Ready>();
  app.get<{ Querystring: { tenant?: string } }>('/api/working-hours/status', (request, reply) => {
    const slug = request.query.tenant ?? '';
    const clock = known.get(slug);
    if (!clock) return reply.code(404).send({ error: 'not found' });
    const now = Date.now();
    let answered = ready.get(slug);
    if (!answered || now >= answered.until) {
      answered = answer(clock, now);
      ready.set(slug, answered);
    }
    const seconds = Math.min(LONGEST_KEPT, Math.floor((answered.until - now) / 1000));
    reply
      .header('access-control-allow-origin', '*')
      .header('access-control-expose-headers', 'ETag, X-Request-Id, Retry-After')
      .header('vary', 'Authorization, Cookie, X-API-Key, X-Tenant-Slug')
      .header('cache-control', `public, max-age=${seconds}`)
      .header('etag', answered.etag);
    if (request.headers['if-none-match'] === answered.etag) return reply.code(304).send();
    return reply.type('application/json; charset=utf-8').send(answered.text);
  });
}
