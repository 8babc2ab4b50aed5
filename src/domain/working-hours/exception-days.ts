/** Which exception counts on which day, worked out year by year as years are asked for. */
import { occurrencesDuring, type Parts, partsOf } from './occurrences.ts';
import { dayFrom, type LocalDay, type ScheduleException, yearOf } from './schedule.ts';

/** So many years are kept: whoever goes through centuries comes by once. */
const KEPT_YEARS = 32;
const DAYS = 366;
const NONE = new Uint16Array(DAYS);

interface Year {
  from: LocalDay;
  to: LocalDay;
  /** By day, the place in the list and one; 0 where no exception counts. */
  places: Uint16Array;
}

/** By exception: those of an organization are in the hours of each of its divisions. */
const taken = new WeakMap<ScheduleException, Parts>();

function partsOnce(exception: ScheduleException): Parts {
  let parts = taken.get(exception);
  if (!parts) {
    parts = partsOf(exception);
    taken.set(exception, parts);
  }
  return parts;
}

interface Placed {
  place: number;
  parts: Parts;
}

export class ExceptionDays {
  readonly #yearly: Placed[] = [];
  /** Those that come once, by each year that they are in. */
  readonly #once = new Map<number, Placed[]>();
  readonly #years = new Map<number, Year>();
  /** The year asked for last is mostly the next one too. */
  #recent: Year = { from: 0, to: -1, places: NONE };
  readonly recurring: boolean;
  /** The latest of the last days that are written down; 0 without any. */
  readonly last: LocalDay;

  constructor(exceptions: readonly ScheduleException[]) {
    let last = 0;
    for (const [place, exception] of exceptions.entries()) {
      const parts = partsOnce(exception);
      last = Math.max(last, parts.first.to);
      if (parts.yearly) this.#yearly.push({ place, parts });
      for (let year = parts.firstYear; !parts.yearly && year <= parts.lastYear; year++) {
        const there = this.#once.get(year);
        if (there) there.push({ place, parts });
        else this.#once.set(year, [{ place, parts }]);
      }
    }
    this.last = last;
    this.recurring = this.#yearly.length > 0;
  }

  /** The place of the exception that counts on a day: the first one in the list that covers it. */
  placeOn(day: LocalDay): number | undefined {
    if (this.last === 0 && !this.recurring) return undefined;
    const { from, places } = this.#yearOf(day);
    const found = places[day - from]!;
    return found === 0 ? undefined : found - 1;
  }

  /** The first day from this one on, and before another one, on which an exception counts. */
  next(day: LocalDay, before: LocalDay): LocalDay | undefined {
    for (let at = day; at < before; ) {
      const { from, to, places } = this.#yearOf(at);
      if (places !== NONE) {
        for (; at <= to && at < before; at++) if (places[at - from] !== 0) return at;
      }
      at = to + 1;
    }
    return undefined;
  }

  #yearOf(day: LocalDay): Year {
    const { from, to } = this.#recent;
    if (day < from || day > to) this.#recent = this.#year(yearOf(day));
    return this.#recent;
  }

  #year(year: number): Year {
    const known = this.#years.get(year);
    if (known) return known;
    const [from, to] = [dayFrom(year, 1, 1), dayFrom(year, 12, 31)];
    let places = NONE;
    for (const { place, parts } of [...this.#yearly, ...(this.#once.get(year) ?? [])]) {
      for (const occurrence of occurrencesDuring(parts, year)) {
        if (places === NONE) places = new Uint16Array(DAYS);
        for (let day = occurrence.from - from; day <= occurrence.to - from; day++) {
          if (places[day] === 0 || places[day]! > place) places[day] = place + 1;
        }
      }
    }
    if (this.#years.size >= KEPT_YEARS) this.#years.clear();
    const made = { from, to, places };
    this.#years.set(year, made);
    return made;
  }
}
