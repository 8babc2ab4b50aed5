/**
 * Brings tenants' counters to the control plane within five seconds of a change, whoever made it, and the sealer to those
 * whose log has entries to be linked.
 *
 * The counting triggers move counters in the transaction of the change. Which databases were written to is asked of the
 * servers' own statistics, one query a server; only those are visited. What was last seen is kept with the usage,
 * so that a restart neither misses a change nor visits everybody.
 */
import { LRUCache } from 'lru-cache';
import pLimit, { type LimitFunction } from 'p-limit';
import { nowDate } from '../clock.ts';
import type { Services } from '../context.ts';
import { query } from '../db/control.ts';
import type { TenantCluster } from '../db/tenant-cluster.ts';
import { usageMonthAt } from '../domain/usage.ts';
import { type Written, writtenTo } from '../domain/written-to.ts';
import { publish } from '../live/event-log.ts';
import { sealTenant } from './chain-sealer.ts';
import { every } from './timers.ts';

export const GATHER_MS = 1500;
/** Visits to tenants of one server. */
const AT_ONCE = 4;
/** Tenants of which it is known what was told. */
const KNOWN = 20_000;

interface Known {
  /** By tenant: the newest version of its hours that this process has seen. */
  schedules: LRUCache<string, string>;
  /** By tenant: the newest change of agents and roles that this process has told of. */
  access: LRUCache<string, string>;
}

interface Counters {
  /** The newest version of its hours. */
  schedule: string | null;
  /** When an agent or a role was changed last. */
  access: string | null;
  /** Whether entries of its log wait to be linked, and how many links there are. */
  unlinked: boolean;
  linked: string | null;
  timezone: string | null;
  agents: number;
  contacts: number;
  integrations: number;
  channels: string[];
  /** By `YYYY-MM`. */
  messages: Record<string, number>;
}

const counters = query<Counters>(
  'usage_counters',
  `select (select value from settings where key = 'timezone') as timezone,
          (select max(seq)::text from schedule_versions) as schedule,
          greatest((select max(updated_at) from agents), (select max(updated_at) from roles))::text as access,
          exists (select from activity_unlinked) as unlinked,
          (select max(seq)::text from activity_chain) as linked,
          coalesce(sum(value) filter (where metric = 'agents'), 0)::int as agents,
          coalesce(sum(value) filter (where metric = 'contacts'), 0)::int as contacts,
          coalesce(sum(value) filter (where metric = 'integrations'), 0)::int as integrations,
          (select coalesce(json_agg(distinct channel), '[]') from integrations where is_active) as channels,
          coalesce(json_object_agg(month, value) filter (where metric = 'messages'), '{}') as messages
     from usage_counters`,
  // One that is busy, or whose tables are locked, does not take the place of others for long.
  2000,
);

/** Visits every tenant whose database was written to since it was last gathered. @returns what ends it, after the visits under way. */
export function gatherUsage(services: Services): () => Promise<void> {
  const gatherer = new Gatherer(services);
  const stop = every(GATHER_MS, () => gatherer.round(), services.log);
  return async () => {
    await stop();
    await gatherer.settled();
  };
}

class Gatherer {
  readonly #services: Services;
  /** By server: the tenants of one that hangs do not take the place of others'. */
  readonly #atOnce = new Map<string, LimitFunction>();
  #isStopped = false;
  /** Under way, by tenant: others do not wait for one that takes long. */
  readonly #visits = new Map<string, Promise<void>>();
  readonly #known: Known = { schedules: new LRUCache({ max: KNOWN }), access: new LRUCache({ max: KNOWN }) };

  constructor(services: Services) {
    this.#services = services;
  }

  /** Begins what is due. */
  async round(): Promise<void> {
    await Promise.all(this.#services.servers.all().map((server) => this.#lookAt(server)));
  }

  /** Those that have not begun never do. */
  async settled(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#visits.values());
  }

  async #lookAt(server: TenantCluster): Promise<void> {
    if (server.isAway) return;
    const { tenants, log } = this.#services;
    const written = await writtenTo(this.#services, server).catch((error: unknown) => {
      if (server.isHome) throw error;
      log.warn({ server: server.name, err: error }, 'usage on a database server could not be gathered; trying again');
      return [];
    });
    for (const one of written) {
      // Nothing can be written to one that is being switched to another server; it is visited a moment later.
      if (!tenants.holds(one.orgId) && !this.#visits.has(one.orgId)) this.#visit(server, one);
    }
  }

  #visit({ id }: TenantCluster, one: Written): void {
    const { orgId } = one;
    const atOnce = this.#atOnce.get(id) ?? pLimit(AT_ONCE);
    this.#atOnce.set(id, atOnce);
    const visit = atOnce(async () => {
      if (!this.#isStopped) await gatherOne(this.#services, this.#known, one);
    })
      .catch((err: unknown) => this.#services.log.warn({ orgId, err }, 'usage could not be gathered; trying again'))
      .finally(() => this.#visits.delete(orgId));
    this.#visits.set(orgId, visit);
  }
}

async function gatherOne(services: Services, known: Known, { orgId, mark, linked }: Written): Promise<void> {
  const { tenants, control, config } = services;
  const [counted] = await tenants.rows(orgId, counters);
  if (!counted) return;
  await tellOfSchedule(services, known.schedules, orgId, counted.schedule);
  await tellOfAccess(services, known.access, orgId, counted.access);
  // The second also where a sealer died before it could tell how far it came.
  const toSeal = counted.unlinked || counted.linked !== linked;
  const [sealed] = await Promise.allSettled([toSeal && sealTenant(services, orgId)]);
  const timezone = counted.timezone ?? config.defaultTimezone;
  const month = usageMonthAt(nowDate(), timezone);
  await control.pool.query({
    name: 'write_usage',
    text: `update usage set agent_count = $2, contact_count = $3, messages_this_month = $4, active_integrations = $5,
             active_channels = $6, usage_month = $7, timezone = $8, gathered_mark = $9,
             updated_at = case when (agent_count, contact_count, messages_this_month, active_integrations, usage_month)
                                  = ($2, $3, $4, $5, $7::date) then updated_at else now() end
           where org_id = $1`,
    values: [
      orgId,
      counted.agents,
      counted.contacts,
      counted.messages[month.slice(0, 7)] ?? 0,
      counted.integrations,
      counted.channels,
      month,
      timezone,
      // A mark that no database has: it is visited again.
      sealed.status === 'fulfilled' ? mark : '',
    ],
  });
  if (sealed.status === 'rejected') throw sealed.reason;
}

/** Only of late, because the log is long: whoever tells does so right after the commit. */
const wasTold = query<object>(
  'schedule_was_told',
  `select from events where created_at > now() - interval '10 minutes' and topic = 'schedule'
      and payload->>'tenantId' = $1 and (payload->>'version')::bigint >= $2 limit 1`,
);

/** Whoever changes hours tells all processes; one that died between its commit and that is made up for here. */
async function tellOfSchedule(
  { control }: Services,
  seen: Known['schedules'],
  orgId: string,
  version: string | null,
): Promise<void> {
  if (version === null || seen.get(orgId) === version) return;
  const { rowCount } = await control.pool.query({ ...wasTold, values: [orgId, version] });
  if (!rowCount)
    await control.orm.em.fork().transactional((em) => publish(em, 'schedule', { tenantId: orgId, version }));
  seen.set(orgId, version);
}

/** Who may do what is told as well, once more than need be: rights that were taken away must not stay. */
async function tellOfAccess(
  { control }: Services,
  told: Known['access'],
  orgId: string,
  changed: string | null,
): Promise<void> {
  if (changed === null || told.get(orgId) === changed) return;
  await control.orm.em.fork().transactional((em) => publish(em, 'access', { tenantId: orgId }));
  told.set(orgId, changed);
}
