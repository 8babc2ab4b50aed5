/**
 * Gauges of what takes minutes or days, and of the room for tenants: upgrades, moves, exports, archives and ends of tenants,
 * database servers. All of it is the control database's, and the same on every process.
 */
import { KEPT_DAYS } from '../domain/export/exports.ts';
import { OffboardingKind, OffboardingState } from '../entities/control/offboarding.ts';
import { ExportState } from '../entities/control/tenant-export.ts';
import { ENDED_MOVES, MoveState } from '../entities/control/tenant-move.ts';
import { UpgradeState } from '../entities/control/upgrade-run.ts';

/** What is read of it, as `longWork` of the facts (control-facts.ts). */
export interface LongWork {
  /** The latest one; null before the first. */
  upgrade: { state: UpgradeState; left: number; done: number; skipped: number; setAside: number } | null;
  /** Those that have not come to their end, by state. */
  moves: Partial<Record<MoveState, number>>;
  readOnlySeconds: number;
  lagBytes: number;
  /** By state. */
  exports: Partial<Record<ExportState, number>>;
  /** By kind and state, such as `archive running`. */
  offboardings: Record<string, number>;
  countdowns: number;
  overdueSeconds: number;
  servers: { name: string; state: string; capacity: number; tenants: number }[];
}

const list = (values: readonly string[]) => values.map((value) => `'${value}'`).join(', ');

const UPGRADES = [UpgradeState.RUNNING, UpgradeState.PAUSED, UpgradeState.STOPPED] as const;
const MOVES = Object.values(MoveState).filter((state) => !ENDED_MOVES.includes(state));
const EXPORTS = [ExportState.QUEUED, ExportState.RUNNING, ExportState.FAILED] as const;
const OFFBOARDINGS = Object.values(OffboardingState).filter((state) => state !== OffboardingState.SUCCEEDED);

/**
 * SQL of a value of that form. Nobody says that a failure is done with: an export's counts for a day or until there is a newer one,
 * an archiving's or a restore's while the tenant is suspended, a tenant's that an upgrade set aside while there is the tenant.
 */
export const LONG_WORK = `(select json_build_object(
  'upgrade', (select json_build_object('state', u.state, 'done', u.done, 'skipped', u.skipped,
                'left', case when u.finished_at is null then u.total - u.done - u.skipped - u.failed else 0 end, 'setAside',
                (select count(*) from upgrade_items i join organizations o on o.id = i.org_id where i.run_id = u.id and i.state = 'failed'))
                from upgrade_runs u order by u.id desc limit 1),
  'moves', (select coalesce(json_object_agg(state, count), '{}') from (
              select state, count(*) from tenant_moves where state in (${list(MOVES)}) group by state) _),
  'readOnlySeconds', (select greatest(0, extract(epoch from clock_timestamp() - min(read_only_since)))::float8 from tenant_moves
                       where state in (${list(MOVES)})),
  'lagBytes', (select coalesce(max((progress->>'lagBytes')::float8), 0) from tenant_moves where state in (${list(MOVES)})),
  'exports', (select coalesce(json_object_agg(state, count), '{}') from (
                select state, count(*) from tenant_exports where expires_at is null group by state
                union all
                select state, count(*) from tenant_exports e
                 where expires_at > now() + interval '${KEPT_DAYS - 1} days' and state = 'failed' and not exists (
                   select from tenant_exports later where later.org_id = e.org_id and later.is_own = e.is_own and later.id > e.id)
                 group by state) _),
  'offboardings', (select coalesce(json_object_agg(kind || ' ' || state, count), '{}') from (
                     select run.kind, run.state, count(*) from offboarding_runs run join organizations o on o.id = run.org_id
                      where run.state <> 'succeeded' and o.status = 'suspended' group by run.kind, run.state) _),
  'countdowns', (select count(*) from organizations where purge_at > now()),
  'overdueSeconds', (select greatest(0, extract(epoch from clock_timestamp() - min(purge_at)))::float8 from organizations
                      where purge_at <= now()),
  'servers', (select coalesce(json_agg(json_build_object('name', s.name, 'state', s.state, 'capacity', s.capacity, 'tenants',
                (select count(*) from tenant_databases d where d.server_id = s.id)) order by s.id), '[]') from database_servers s)))`;

/** Label values in the order of the label names, and the number. */
export type Reading = [...labels: string[], value: number];

/** @param gauge makes a gauge of what `read` finds in the facts at each scrape. */
export function registerLongWork(
  gauge: (name: string, help: string, labelNames: string[], read: (work: LongWork) => Reading[]) => void,
): void {
  gauge(
    'omnistream_upgrades',
    'Upgrades of tenants’ schemas that have not ended, by state: `running`, `paused`, or `stopped` because more tenants failed than the budget allows.',
    ['state'],
    ({ upgrade }) => UPGRADES.map((state) => [state, Number(upgrade?.state === state)]),
  );
  gauge(
    'omnistream_upgrade_tenants',
    'Tenants of the latest upgrade by state: `left`, `done`, `skipped`, or `set_aside` because they failed; of those that are gone nothing is told.',
    ['state'],
    ({ upgrade }) => {
      const { left, done, skipped, setAside } = upgrade ?? { left: 0, done: 0, skipped: 0, setAside: 0 };
      return [
        ['left', left],
        ['done', done],
        ['skipped', skipped],
        ['set_aside', setAside],
      ];
    },
  );

  gauge(
    'omnistream_moves',
    'Moves of tenants to other database servers that have not come to their end, by state; `failed` waits for somebody, and so does `switched`, whose former database still follows.',
    ['state'],
    ({ moves }) => MOVES.map((state) => [state, moves[state] ?? 0]),
  );
  gauge(
    'omnistream_move_read_only_seconds',
    'For how long writes of a tenant have been waiting for its move, the longest of them; 0 while none does.',
    [],
    ({ readOnlySeconds }) => [[readOnlySeconds]],
  );
  gauge(
    'omnistream_move_lag_bytes',
    'Bytes of changes that the copy of a tenant which is being moved has not confirmed, the most of any, as it was found last; the server keeps them on its disk.',
    [],
    ({ lagBytes }) => [[lagBytes]],
  );

  gauge(
    'omnistream_exports',
    'Exports of tenants by state: `queued`, `running`, or `failed` within the last day with no newer one of the same tenant.',
    ['state'],
    ({ exports }) => EXPORTS.map((state) => [state, exports[state] ?? 0]),
  );
  gauge(
    'omnistream_offboardings',
    'Work on suspended tenants by kind (`archive`, `restore`, `purge`) and state: `queued`, `running`, `retrying` after it failed, `failed` where it was given up.',
    ['kind', 'state'],
    ({ offboardings }) =>
      Object.values(OffboardingKind).flatMap((kind) =>
        OFFBOARDINGS.map((state): Reading => [kind, state, offboardings[`${kind} ${state}`] ?? 0]),
      ),
  );
  gauge(
    'omnistream_purge_countdowns',
    'Tenants whose end is set and has not come: until then it can be called off.',
    [],
    ({ countdowns }) => [[countdowns]],
  );
  gauge(
    'omnistream_purge_overdue_seconds',
    'For how long a tenant whose countdown has ended has still been there, the longest of them; 0 where there is none.',
    [],
    ({ overdueSeconds }) => [[overdueSeconds]],
  );

  gauge(
    'omnistream_database_server_tenants',
    'Tenants on each database server, by its name and state: `open`, `draining`, `closed`. Whether it answers is `omnistream_component_up` of the component `databaseServer:` and its name (`postgres` for the home server).',
    ['server', 'state'],
    ({ servers }) => servers.map(({ name, state, tenants }) => [name, state, tenants]),
  );
  gauge(
    'omnistream_database_server_capacity',
    'Tenants that each database server is to have at most, by its name and state.',
    ['server', 'state'],
    ({ servers }) => servers.map(({ name, state, capacity }) => [name, state, capacity]),
  );
}
