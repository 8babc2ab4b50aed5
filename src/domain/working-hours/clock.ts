/**
 * When a business is open: exactly while the wall clock of its zone lies in the hours of its schedule. The clock decides,
 * also when it is set: an hour that is skipped opens nothing, one that comes twice opens twice.
 */
import { DayPlan, type Stretch } from './day-plan.ts';
import { CYCLE_YEARS } from './occurrences.ts';
import { DAY, dayOf, type LocalDay, type Schedule, type ScheduleException } from './schedule.ts';
import { type WallClock, Zone } from './zone.ts';

const DAY_MS = DAY * 1000;
/** A week with any change in it changes within nine days, however the clock is set meanwhile. */
const QUIET_DAYS = 16;

/** An instant at which the answer flips. */
export interface Change {
  /** Milliseconds since the epoch. */
  at: number;
  /** What holds from then on. */
  isOpen: boolean;
}

/** What the wall clock shows. */
export interface LocalTime {
  day: LocalDay;
  /** Since midnight. */
  second: number;
  /** How far it is ahead of UTC, in milliseconds. */
  offset: number;
}

export class WorkingHoursClock {
  readonly schedule: Schedule;
  readonly #plan: DayPlan;
  readonly #zone: WallClock;
  /** Once this many milliseconds have passed without a change, none will come; or, absolutely, not before this instant. */
  readonly #quiet: { for: number; until: number };

  /**
   * @param zone the wall clock of the schedule's zone by other zone data than the runtime's.
   * @throws {RangeError} when the time zone is unknown.
   */
  constructor(schedule: Schedule, zone: WallClock = new Zone(schedule.timezone)) {
    this.schedule = schedule;
    this.#plan = new DayPlan(schedule);
    this.#zone = zone;
    const recurring = schedule.exceptions.some(({ yearly }) => yearly);
    const days = QUIET_DAYS + (recurring ? CYCLE_YEARS * 366 : 0);
    const last = Math.max(0, ...schedule.exceptions.map(({ endDate }) => dayOf(endDate)));
    this.#quiet = { for: days * DAY_MS, until: (last + days) * DAY_MS };
  }

  localTime(instant: number): LocalTime {
    return localTime(instant, this.#zone.offset(instant));
  }

  /** The stretch that makes the business open at an instant; undefined while it is closed. */
  at(instant: number): Stretch | undefined {
    const { day, second } = this.localTime(instant);
    return this.#plan.at(day, second);
  }

  isOpen(instant: number): boolean {
    return this.at(instant) !== undefined;
  }

  /** The open stretches of a local day. */
  hoursOn(day: LocalDay): readonly Stretch[] {
    return this.#plan.stretches(day);
  }

  /** The exception that counts on a local day. */
  exceptionOn(day: LocalDay): ScheduleException | undefined {
    return this.#plan.exceptionOn(day);
  }

  /** The earliest later instant at which the answer flips; undefined when it never does. */
  nextChange(instant: number): Change | undefined {
    for (const change of this.changes(instant)) return change;
    return undefined;
  }

  /** The coming changes, so many at most. */
  nextChanges(instant: number, count: number): Change[] {
    const found: Change[] = [];
    if (count === 0) return found;
    for (const change of this.changes(instant)) if (found.push(change) >= count) break;
    return found;
  }

  /** The coming changes before `until`, ascending, else without end; none when the answer never changes. */
  *changes(instant: number, until = Infinity): Generator<Change, void, undefined> {
    if (this.#plan.isConstant) return;
    let isOpen = this.isOpen(instant);
    let quietSince = instant;
    for (const candidate of this.#candidates(instant)) {
      if (candidate >= until) return;
      const then = this.isOpen(candidate);
      if (then !== isOpen) {
        isOpen = then;
        quietSince = candidate;
        yield { at: candidate, isOpen };
      } else if (candidate > Math.max(quietSince + this.#quiet.for, this.#quiet.until)) return;
    }
  }

  /** Every later instant at which the answer could flip: the edges of stretches, and the settings of the clock. */
  *#candidates(instant: number): Generator<number, void, undefined> {
    for (let from = instant; ; ) {
      const limit = from + QUIET_DAYS * DAY_MS;
      const until = this.#zone.nextSetting(from, limit) ?? limit;
      const { day: firstDay, offset } = this.localTime(from);
      for (let day = firstDay; day * DAY_MS - offset < until; day++) {
        for (const second of this.#edges(day)) {
          const at = day * DAY_MS - offset + second * 1000;
          if (at > from && at < until) yield at;
        }
      }
      yield until;
      from = until;
    }
  }

  #edges(day: LocalDay): number[] {
    const edges: number[] = [];
    for (const { start, end } of this.#plan.stretches(day)) edges.push(start, end);
    return edges.length > 2 ? edges.sort((a, b) => a - b) : edges;
  }
}

function localTime(instant: number, offset: number): LocalTime {
  const local = instant + offset;
  const day = Math.floor(local / DAY_MS);
  return { day, second: Math.floor((local - day * DAY_MS) / 1000), offset };
}
