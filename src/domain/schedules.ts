/** Tenants' hours, now from memory and in the past from their history. */
import { query } from '../db/control.ts';
import type { TenantDatabases } from '../db/tenants.ts';
import type { EventBus } from '../live/event-bus.ts';
import { Remembered } from '../live/remembered.ts';
import {
  COLUMNS,
  type HistoryPiece,
  historyBetween,
  hoursAt,
  type PastHours,
  piecesOf,
  type Read,
} from './schedule-history.ts';
import { type ScopeHours, TenantHours, type VersionRow } from './tenant-hours.ts';

/** Parts of schedules (TenantHours.parts), of a hundred bytes or so: those of 5,000 tenants that have two hundred each. */
const REMEMBERED = 1_000_000;

/** Of each tenant; beside the present they are few who ask. */
const MOST_PAST = 4;

/** Not those of divisions that are removed, of which there may be any number. */
export const newestVersions = query<VersionRow>(
  'newest_schedules',
  `select * from (select distinct on (division_id) ${COLUMNS} from schedule_versions order by division_id, seq desc) newest
    where schedule is not null`,
);

interface Present {
  hours: TenantHours;
  /** States of the past that were asked for last. */
  past: PastHours[];
}

export class Schedules {
  readonly #tenants: TenantDatabases;
  readonly #present: Remembered<Present>;

  constructor(tenants: TenantDatabases, bus: EventBus) {
    this.#tenants = tenants;
    this.#present = new Remembered(bus, REMEMBERED, { weigh: ({ hours }) => hours.parts });
    bus.on('schedule', ({ payload }) => this.forget(payload.tenantId));
  }

  /** Another one whenever the hours of a tenant may have changed. */
  get edition(): number {
    return this.#present.edition;
  }

  forget(orgId: string): void {
    this.#present.forget(orgId);
  }

  /** The hours that hold now, and as far as anybody knows from now on. */
  async now(orgId: string): Promise<TenantHours> {
    return (await this.#load(orgId)).hours;
  }

  /** The hours that held at an instant; of those that are to come, the present ones. @throws {AppError} not_found */
  async at(orgId: string, divisionId: string | null | undefined, instant: number): Promise<ScopeHours> {
    const { hours, past } = await this.#load(orgId);
    if (instant >= hours.since(divisionId)) return hours.scope(divisionId);
    const scope = divisionId ?? null;
    let state = past.find((known) => known.scope === scope && known.from <= instant && instant < known.until);
    if (!state) {
      state = await hoursAt(this.#read(orgId), scope, instant);
      past.push(state);
      if (past.length > MOST_PAST) past.shift();
    }
    return state.hours.scope(divisionId);
  }

  /**
   * Which schedule of the organization or a division held when, from `from` to `to`, piece by piece.
   *
   * @throws {AppError} not_found on reaching a time at which there was no such division.
   */
  async *between(
    orgId: string,
    divisionId: string | null | undefined,
    from: number,
    to: number,
  ): AsyncGenerator<HistoryPiece> {
    const { hours } = await this.#load(orgId);
    const { clock } = from >= hours.since(divisionId) ? hours.scope(divisionId) : {};
    if (clock) yield* piecesOf({ from, to, reigns: [{ from, clock }] });
    else yield* historyBetween(this.#read(orgId), divisionId ?? null, from, to);
  }

  #read(orgId: string): Read {
    return (statement, values) => this.#tenants.rows(orgId, statement, values);
  }

  #load(orgId: string): Promise<Present> {
    return this.#present.get(orgId, async () => {
      const rows = await this.#tenants.rows(orgId, newestVersions);
      return { hours: new TenantHours(rows), past: [] };
    });
  }
}
