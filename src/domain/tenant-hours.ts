/** A tenant's hours as they are kept in its history, put together for the organization and for each of its divisions. */
import { LRUCache } from 'lru-cache';
import { notFound } from '../errors.ts';
import { WorkingHoursClock } from './working-hours/clock.ts';
import type { Schedule, ScheduleException, WeeklyEntry } from './working-hours/schedule.ts';

export interface KeptException extends ScheduleException {
  id: string;
  /** Divisions for which it does not hold. */
  optedOut: string[];
}

/** What `record_schedule` keeps of the organization (migrations/tenant/0002). */
interface OrganizationVersion {
  timezone: string;
  weekly: WeeklyEntry[];
  exceptions: KeptException[];
}

/** What it keeps of a division; null where the organization's counts. */
interface DivisionVersion {
  name: string;
  timezone: string | null;
  weekly: WeeklyEntry[] | null;
  exceptions: KeptException[];
}

/** A row of `schedule_versions`. */
export interface VersionRow {
  /** Ascending with each change of the tenant's hours. */
  seq: string;
  divisionId: string | null;
  /** Milliseconds since the epoch. */
  validFrom: number;
  /** Null once a division is removed. */
  schedule: OrganizationVersion | DivisionVersion | null;
}

/** The hours of the organization or of one division. */
export interface ScopeHours {
  clock: WorkingHoursClock;
  division?: { id: string; name: string };
}

/** They have names. */
export const PARTS_OF_DIVISION = 5;
export const PARTS_OF_EXCEPTION = 5;

/** What a clock comes to hold at worst, in kilobytes: days of 32 years, and what each of its exceptions opens. */
const kilobytesOf = ({ clock }: ScopeHours): number => {
  const { length } = clock.schedule.exceptions;
  return length === 0 ? 4 : 32 + Math.ceil(length / 3);
};

/**
 * Clocks that have been asked for, of all tenants, up to 200 MB at worst. A tenant may have ten thousand divisions, and anybody may
 * ask for each; one that is not there is made again in a millisecond or two.
 */
const scopes = new LRUCache<string, ScopeHours>({ maxSize: 200_000, sizeCalculation: kilobytesOf });
let made = 0;

export class TenantHours {
  /** In the keys of its clocks. */
  readonly #number = ++made;
  readonly #organization: OrganizationVersion;
  readonly #divisions = new Map<string, DivisionVersion>();
  /** When what is known of the organization, or of a division, began to hold. */
  readonly #since = new Map<string | null, number>();
  /** The newest change of the organization, or of a division. */
  readonly #versions = new Map<string | null, number>();

  /** @param rows one of the organization, at most one of each division. */
  constructor(rows: readonly VersionRow[]) {
    const organization = rows.find(({ divisionId }) => divisionId === null)?.schedule;
    if (!organization) throw new Error('a tenant has no hours');
    this.#organization = organization as OrganizationVersion;
    for (const { divisionId, schedule, validFrom, seq } of rows) {
      this.#since.set(divisionId, validFrom);
      this.#versions.set(divisionId, Number(seq));
      if (divisionId !== null && schedule) this.#divisions.set(divisionId, schedule as DivisionVersion);
    }
  }

  get divisionIds(): string[] {
    return [...this.#divisions.keys()];
  }

  /** How much there is of it, in parts of some hundred bytes: openings and opt-outs are one each, divisions and exceptions several. */
  get parts(): number {
    const { weekly, exceptions } = this.#organization;
    let parts = weekly.length + partsOf(exceptions);
    for (const { weekly, exceptions } of this.#divisions.values()) {
      parts += PARTS_OF_DIVISION + (weekly?.length ?? 0) + partsOf(exceptions);
    }
    return Math.max(1, parts);
  }

  /**
   * The newest change of the hours of a scope, in milliseconds since the epoch. Of a division that is not there, or no more: everything that
   * is known of it is history.
   */
  since(divisionId?: string | null): number {
    const organization = this.#since.get(null)!;
    if (!divisionId) return organization;
    return Math.max(organization, this.#since.get(divisionId) ?? Number.POSITIVE_INFINITY);
  }

  /** The number of that change. */
  version(divisionId?: string | null): number {
    return Math.max(this.#versions.get(null)!, this.#versions.get(divisionId ?? null) ?? 0);
  }

  /** @param divisionId absent for the organization. @throws {AppError} not_found */
  scope(divisionId?: string | null): ScopeHours {
    const key = `${this.#number} ${divisionId ?? ''}`;
    let scope = scopes.get(key);
    if (!scope) {
      scope = this.#make(divisionId ?? undefined);
      scopes.set(key, scope);
    }
    return scope;
  }

  #make(divisionId: string | undefined): ScopeHours {
    if (!divisionId) return { clock: new WorkingHoursClock(this.#organization) };
    const division = this.#divisions.get(divisionId);
    if (!division) throw notFound('division');
    const { timezone, weekly, exceptions } = this.#organization;
    const schedule: Schedule = {
      timezone: division.timezone ?? timezone,
      weekly: division.weekly ?? weekly,
      exceptions: [...division.exceptions, ...exceptions.filter(({ optedOut }) => !optedOut.includes(divisionId))],
    };
    return { clock: new WorkingHoursClock(schedule), division: { id: divisionId, name: division.name } };
  }
}

const partsOf = (exceptions: readonly KeptException[]): number =>
  exceptions.reduce((sum, { hours, optedOut }) => sum + PARTS_OF_EXCEPTION + hours.length + optedOut.length, 0);
