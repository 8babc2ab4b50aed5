/** Tenants' hours, now from memory and in the past from their history. */
import { query } from '../db/control.ts';
import type { TenantDatabases } from '../db/tenants.ts';
import type { EventBus } from '../live/event-bus.ts';
import { Remembered } from '../live/remembered.ts';
import { TenantHours, type VersionRow } from './tenant-hours.ts';
import type { Reign } from './working-hours/business-time.ts';

/** Tenants; a usual schedule is a few kilobytes. */
const REMEMBERED = 5000;

const COLUMNS = `division_id as "divisionId", (extract(epoch from valid_from) * 1000)::float8 as "validFrom", schedule`;

export const newestVersions = query<VersionRow>(
  'newest_schedules',
  `select distinct on (division_id) ${COLUMNS} from schedule_versions order by division_id, seq desc`,
);
/** Before anything was kept, what was kept first. */
const versionsAt = query<VersionRow>(
  'schedules_at',
  `select distinct on (division_id) ${COLUMNS} from schedule_versions
    where valid_from <= $1 or seq in (select min(seq) from schedule_versions group by division_id)
    order by division_id, seq desc`,
);
const versionsBetween = query<VersionRow>(
  'schedules_between',
  `select ${COLUMNS} from schedule_versions
    where (division_id is null or division_id = $1) and valid_from > $2 and valid_from <= $3 order by seq`,
);

interface Present {
  hours: TenantHours;
  /** The instant of the newest change, in milliseconds since the epoch. */
  since: number;
}

export class Schedules {
  readonly #tenants: TenantDatabases;
  readonly #present: Remembered<Present>;

  constructor(tenants: TenantDatabases, bus: EventBus) {
    this.#tenants = tenants;
    this.#present = new Remembered(bus, REMEMBERED);
    bus.on('schedule', ({ payload }) => this.forget(payload.tenantId));
  }

  forget(orgId: string): void {
    this.#present.forget(orgId);
  }

  /** The hours that hold now, and as far as anybody knows from now on. */
  async now(orgId: string): Promise<TenantHours> {
    return (await this.#load(orgId)).hours;
  }

  /** The hours that held at an instant; of those that are to come, the present ones. */
  async at(orgId: string, instant: number): Promise<TenantHours> {
    const { hours, since } = await this.#load(orgId);
    if (instant >= since) return hours;
    return new TenantHours(await this.#tenants.rows(orgId, versionsAt, [new Date(instant)]));
  }

  /** Which schedule of the organization or a division held when, from `from` to `to`. @throws {AppError} not_found */
  async between(orgId: string, divisionId: string | undefined, from: number, to: number): Promise<Reign[]> {
    const { hours, since } = await this.#load(orgId);
    if (from >= since) return [{ from, clock: hours.scope(divisionId).clock }];
    const values = [divisionId ?? null, new Date(from), new Date(to)];
    const [first, changes] = await Promise.all([
      this.#tenants.rows(orgId, versionsAt, [new Date(from)]),
      this.#tenants.rows(orgId, versionsBetween, values),
    ]);
    const rows = new Map(first.map((row) => [row.divisionId, row]));
    const reigns: Reign[] = [{ from, clock: new TenantHours([...rows.values()]).scope(divisionId).clock }];
    for (const row of changes) {
      rows.set(row.divisionId, row);
      reigns.push({
        from: row.validFrom,
        clock: new TenantHours([...rows.values()]).scope(divisionId).clock,
      });
    }
    return reigns;
  }

  #load(orgId: string): Promise<Present> {
    return this.#present.get(orgId, async () => {
      const rows = await this.#tenants.rows(orgId, newestVersions);
      const since = Math.max(...rows.map(({ validFrom }) => validFrom));
      return { hours: new TenantHours(rows), since };
    });
  }
}
