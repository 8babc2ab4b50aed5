/**
 * When a business is open, worked out a second time: with none of the code under test and by another way of thinking.
 * Instants are turned into what the wall clock shows by the runtime's own calendar (Intl) alone, dates and times are
 * compared as strings, and the next change is looked for by walking on through time. Being right by inspection comes
 * first; then that a million cases take minutes.
 */

import {
  DAY,
  dates,
  daysBefore,
  leap,
  MINUTE,
  placeIn,
  QUARTER,
  secondOf,
  times,
  WallClock,
  weekdayAt,
  weekdays,
} from './wall-clock.ts';

export interface OracleHours {
  startTime: string;
  endTime: string;
}

export interface OracleException {
  startDate: string;
  endDate: string;
  yearly: boolean;
  hours: readonly OracleHours[];
}

export interface OracleSchedule {
  timezone: string;
  weekly: readonly (OracleHours & { dayOfWeek: number; isActive: boolean })[];
  exceptions: readonly OracleException[];
}

export interface Flip {
  /** Milliseconds since the epoch. */
  at: number;
  isOpen: boolean;
}

/** Around each setting of the clock every second is judged. */
const CLOSELY = 2 * MINUTE;

/** Hours with their edges also as seconds of the day. */
interface Readied extends OracleHours {
  edges: readonly number[];
}

const inFull = (time: string) => (time.length === 5 ? `${time}:00` : time);
const readied = (hours: readonly OracleHours[]): Readied[] =>
  hours.map((each) => {
    const [startTime, endTime] = [inFull(each.startTime), inFull(each.endTime)];
    return { startTime, endTime, edges: [secondOf(startTime), secondOf(endTime)] };
  });

export class HoursOracle {
  readonly #week: readonly (readonly Readied[])[];
  readonly #exceptions: readonly (OracleException & { hours: readonly Readied[] })[];
  readonly #wall: WallClock;
  readonly #beginning: (readonly Readied[] | undefined)[] = [];
  readonly #allDay: ('open' | 'closed' | 'both' | undefined)[] = [];
  /** After this nothing new can come: the place of a date, and a number of days to add to wherever one asks. */
  readonly #lastException: number;
  readonly #enough: number;
  /** What does not change after an instant does not change after a later one. */
  #quietFrom = Number.POSITIVE_INFINITY;

  constructor(schedule: OracleSchedule, wall = new WallClock(schedule.timezone)) {
    this.#week = weekdays.map((_, dayOfWeek) =>
      readied(schedule.weekly.filter((each) => each.isActive && each.dayOfWeek === dayOfWeek)),
    );
    this.#exceptions = schedule.exceptions.map((each) => ({ ...each, hours: readied(each.hours) }));
    this.#wall = wall;
    this.#lastException = Math.max(0, ...schedule.exceptions.map(({ endDate }) => placeIn(endDate)));
    // 29 February falls on a given weekday every 28 years, around 2100 after 40; a week shows all its changes in days.
    this.#enough = schedule.exceptions.some(({ yearly }) => yearly) ? 41 * 366 : 60;
  }

  /** Straight from Intl. */
  isOpenAt(instant: number): boolean {
    const { place, time } = this.#wall.read(instant);
    return this.#judge(place, time);
  }

  /** The earliest later instant at which the answer is another one; undefined when that does not come before `until`. */
  nextFlip(instant: number, until = Number.POSITIVE_INFINITY): Flip | undefined {
    if (instant >= this.#quietFrom) return undefined;
    const end = Math.min(until, this.#horizon(instant));
    const isOpen = this.isOpenAt(instant);
    for (let quarter = Math.floor(instant / 1000 / QUARTER); quarter * QUARTER * 1000 < end; ) {
      for (const second of this.#candidates(quarter)) {
        const at = second * 1000;
        if (at <= instant) continue;
        if (at >= end) break;
        if (this.#judgeSecond(quarter, second) !== isOpen) return { at, isOpen: !isOpen };
      }
      quarter += 1 + 4 * this.#uneventfulDays(quarter, end, isOpen);
    }
    if (end < until) this.#quietFrom = instant;
    return undefined;
  }

  /** The next few. */
  flips(instant: number, count: number): Flip[] {
    const flips: Flip[] = [];
    while (flips.length < count) {
      const next = this.nextFlip(flips.at(-1)?.at ?? instant);
      if (!next) break;
      flips.push(next);
    }
    return flips;
  }

  /** How many milliseconds of `[from, to)` are open. */
  openTime(from: number, to: number): number {
    let sum = 0;
    for (let at = from; at < to; ) {
      const next = this.nextFlip(at, to)?.at ?? to;
      if (this.isOpenAt(at)) sum += next - at;
      at = next;
    }
    return sum;
  }

  /** Whether an exception holds on a date, told from the strings. */
  static covers({ startDate, endDate, yearly }: OracleException, date: string): boolean {
    if (!yearly) return startDate <= date && date <= endDate;
    const firstYear = Number(startDate.slice(0, 4));
    const span = Number(endDate.slice(0, 4)) - firstYear;
    const thisYear = Number(date.slice(0, 4));
    for (let year = Math.max(firstYear, thisYear - span); year <= thisYear; year++) {
      const start = startDate.slice(5) === '02-29' && !leap(year) ? '03-01' : startDate.slice(5);
      const end = endDate.slice(5) === '02-29' && !leap(year + span) ? '02-28' : endDate.slice(5);
      if (`${year}-${start}` <= date && date <= `${year + span}-${end}`) return true;
    }
    return false;
  }

  /** The hours that begin on a date. */
  #hoursOf(place: number): readonly Readied[] {
    let hours = this.#beginning[place];
    if (!hours) {
      const exception = this.#exceptions.find((each) => HoursOracle.covers(each, dates[place]!));
      hours = exception ? exception.hours : this.#week[weekdayAt(place)]!;
      this.#beginning[place] = hours;
    }
    return hours;
  }

  #judge(place: number, time: string): boolean {
    return (
      // An end that is not after the start lies past this date's last second.
      this.#hoursOf(place).some((h) => h.startTime <= time && (time < h.endTime || h.endTime <= h.startTime)) ||
      this.#hoursOf(place - 1).some((h) => h.endTime < h.startTime && time < h.endTime)
    );
  }

  #judgeSecond(quarter: number, second: number): boolean {
    const run = this.#wall.runs(quarter).findLast(({ from }) => from <= second)!;
    const wall = run.wall + second - run.from;
    return this.#judge(Math.floor(wall / DAY), times[wall % DAY]!);
  }

  /** Times of a date at which something begins or ends, as seconds; midnight in any case. */
  #edges(place: number): number[] {
    return [0, ...[...this.#hoursOf(place - 1), ...this.#hoursOf(place)].flatMap(({ edges }) => edges)];
  }

  /** The seconds of a quarter of a day at which the answer could change, ascending. */
  #candidates(quarter: number): number[] {
    const runs = this.#wall.runs(quarter);
    const found: number[] = [];
    for (const [index, run] of runs.entries()) {
      const to = runs[index + 1]?.from ?? (quarter + 1) * QUARTER;
      const wallTo = run.wall + to - run.from;
      found.push(run.from);
      for (let place = Math.floor(run.wall / DAY); place * DAY < wallTo; place++) {
        for (const edge of this.#edges(place)) {
          const second = run.from + place * DAY + edge - run.wall;
          if (second >= run.from && second < to) found.push(second);
        }
      }
      if (runs.length === 1) continue;
      for (let second = run.from; second < Math.min(to, run.from + CLOSELY); second++) found.push(second);
      for (let second = Math.max(run.from, to - CLOSELY); second < to; second++) found.push(second);
    }
    return found.sort((a, b) => a - b);
  }

  #dayIs(place: number): 'open' | 'closed' | 'both' {
    let answer = this.#allDay[place];
    if (!answer) {
      const answers = this.#edges(place).map((edge) => this.#judge(place, times[edge]!));
      answer = answers.every((each) => each === answers[0]) ? (answers[0] ? 'open' : 'closed') : 'both';
      this.#allDay[place] = answer;
    }
    return answer;
  }

  /** For how many days to come no date that a wall clock could show, set by a day at most, has another answer. */
  #uneventfulDays(quarter: number, until: number, isOpen: boolean): number {
    const today = Math.floor(this.#wall.runs(quarter)[0]!.wall / DAY);
    const last = Math.ceil(until / 1000 / DAY) - daysBefore + 4;
    let place = today - 1;
    while (place < last && this.#dayIs(place) === (isOpen ? 'open' : 'closed')) place++;
    return Math.max(0, place - today - 3);
  }

  #horizon(instant: number): number {
    const lastException = (daysBefore + this.#lastException) * DAY * 1000;
    return Math.max(instant, lastException) + this.#enough * DAY * 1000;
  }
}
