/**
 * When a business is open: exactly while the wall clock of its zone lies in the hours of its schedule. The clock decides,
 * also when it is set: an hour that is skipped opens nothing, one that comes twice opens twice.
 */
import { DayPlan, type Stretch } from './day-plan.ts';
import { CYCLE_YEARS } from './occurrences.ts';
import { DAY, type LocalDay, type Schedule, type ScheduleException } from './schedule.ts';
import { type WallClock, Zone } from './zone.ts';

const DAY_MS = DAY * 1000;
/** A week with any change in it changes within nine days, however the clock is set meanwhile. */
const QUIET_DAYS = 16;
/** No clock is further from UTC than this, in milliseconds. */
const MOST_OFFSET = DAY_MS;

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
  /**
   * @param zone the wall clock of the schedule's zone by other zone data than the runtime's.
   * @throws {RangeError} when the time zone is unknown.
   */
  constructor(schedule: Schedule, zone: WallClock = new Zone(schedule.timezone)) {
    this.schedule = schedule;
    this.#plan = new DayPlan(schedule);
    this.#zone = zone;
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
    let isOpen = this.isOpen(instant);
    let end = Math.min(until, this.#quietEnd(instant));
    for (let from = instant; from < end; ) {
      const start = this.#eventful(from, end);
      if (start === undefined) return;
      const limit = start + QUIET_DAYS * DAY_MS;
      const next = this.#zone.nextSetting(start, limit) ?? limit;
      for (const at of this.#candidates(start, next)) {
        if (at >= until) return;
        // The edges of hours are flips while the clock runs on; only what it is set to need be looked at.
        if (at === next && this.isOpen(at) === isOpen) continue;
        isOpen = !isOpen;
        end = Math.min(until, this.#quietEnd(at));
        yield { at, isOpen };
      }
      from = next;
    }
  }

  /** When nothing has changed from an instant to this one, nothing ever will. */
  #quietEnd(instant: number): number {
    const days = QUIET_DAYS + (this.#plan.recurring ? CYCLE_YEARS * 366 : 0);
    return Math.max(instant, this.#plan.lastException * DAY_MS) + days * DAY_MS;
  }

  /**
   * An instant up to which nothing changes. Wherever the clock is set, what it shows stays within a day of UTC: while that
   * is all open, or all closed, no setting matters either, and no zone need be asked about years that are leapt over.
   */
  #eventful(from: number, end: number): number | undefined {
    const flip = this.#plan.nextFlip((from - MOST_OFFSET) / 1000, (end + MOST_OFFSET) / 1000);
    return flip === undefined ? undefined : Math.max(from, flip * 1000 - MOST_OFFSET);
  }

  /** Every later instant at which the answer could flip, up to the next setting of the clock. */
  *#candidates(from: number, next: number): Generator<number, void, undefined> {
    const { day: firstDay, offset } = this.localTime(from);
    for (let day = firstDay; day * DAY_MS - offset < next; day++) {
      for (const second of this.#plan.flips(day)) {
        const at = day * DAY_MS - offset + second * 1000;
        if (at > from && at < next) yield at;
      }
    }
    yield next;
  }
}

function localTime(instant: number, offset: number): LocalTime {
  const local = instant + offset;
  const day = Math.floor(local / DAY_MS);
  return { day, second: Math.floor((local - day * DAY_MS) / 1000), offset };
}
