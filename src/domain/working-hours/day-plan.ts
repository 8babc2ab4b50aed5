/** Which stretches of a calendar day are open, and by what. */
import { ExceptionDays } from './exception-days.ts';
import {
  DAY,
  type LocalDay,
  type Schedule,
  type ScheduleException,
  type Span,
  spanOf,
  type WeeklyEntry,
  weekdayOf,
} from './schedule.ts';

/** An open stretch of one local day, `[start, end)` in seconds since its midnight, and what opens it. */
export interface Stretch extends Span {
  /** The day that it began on: this one or, past midnight, the one before. */
  began: LocalDay;
  /** The hours as they are written down, from `began`'s midnight. */
  hours: Span;
  rule: WeeklyEntry | ScheduleException;
}

type Opening = Omit<Stretch, 'began' | 'start' | 'end'>;

const WEEK = 7;
/** How many days are kept that have been looked at for their flips: a year of days that are all different. */
const KEPT_FLIPS = 1000;

/** A schedule worked out so that asking it costs no parsing. */
export class DayPlan {
  /** What begins on a day, by its kind: the weekdays, and after them the exceptions as they are met. */
  readonly #openings: Opening[][] = Array.from({ length: WEEK }, () => []);
  readonly #exceptions: readonly ScheduleException[];
  readonly #days: ExceptionDays;
  /** By the kinds of the day before and of the day. */
  readonly #flips = new Map<number, readonly number[]>();
  /** Days without an exception, and with none the day before, never differ. */
  readonly #isSteadyWeek: boolean;
  /** Local time between whose ends there is no flip: what was found last. */
  #still = { from: 0, to: 0 };
  /** The day asked for last is mostly the next one too. */
  #recent: { day: LocalDay; stretches: readonly Stretch[] } = { day: Number.NaN, stretches: [] };

  constructor({ weekly, exceptions }: Schedule) {
    for (const entry of weekly) {
      if (entry.isActive) this.#openings[entry.dayOfWeek]!.push({ hours: spanOf(entry), rule: entry });
    }
    this.#exceptions = exceptions;
    this.#days = new ExceptionDays(exceptions);
    const weekdays = [...this.#openings.keys()];
    this.#isSteadyWeek = weekdays.every((kind) => this.#flipsOf((kind + WEEK - 1) % WEEK, kind).length === 0);
  }

  /** Whether there are exceptions that come back. */
  get recurring(): boolean {
    return this.#days.recurring;
  }

  /** The latest of the last days of exceptions as they are written down; 0 without any. */
  get lastException(): LocalDay {
    return this.#days.last;
  }

  /** The exception that counts on a day. */
  exceptionOn(day: LocalDay): ScheduleException | undefined {
    const place = this.#days.placeOn(day);
    return place === undefined ? undefined : this.#exceptions[place];
  }

  /** The open stretches of a day, those that began the evening before included, by their starts. */
  stretches(day: LocalDay): readonly Stretch[] {
    if (day !== this.#recent.day) this.#recent = { day, stretches: this.#find(day) };
    return this.#recent.stretches;
  }

  #find(day: LocalDay): Stretch[] {
    const found: Stretch[] = [];
    for (const opening of this.#openingsOf(this.#kind(day - 1))) {
      if (opening.hours.end > DAY) found.push({ ...opening, began: day - 1, start: 0, end: opening.hours.end - DAY });
    }
    for (const opening of this.#openingsOf(this.#kind(day))) {
      const { start, end } = opening.hours;
      found.push({ ...opening, began: day, start, end: Math.min(end, DAY) });
    }
    return found.sort((a, b) => a.start - b.start);
  }

  /** The stretch that a time of day lies in: start included, end excluded. */
  at(day: LocalDay, second: number): Stretch | undefined {
    return this.stretches(day).find(({ start, end }) => start <= second && second < end);
  }

  /** The seconds since a day's midnight at which the answer flips as long as nobody sets the clock, ascending. */
  flips(day: LocalDay): readonly number[] {
    return this.#flipsOf(this.#kind(day - 1), this.#kind(day));
  }

  /**
   * The first flip after one local time and before another, both in seconds since 1970-01-01 00:00. Whatever goes by without
   * one is leapt over, and not looked at again the next time.
   */
  nextFlip(after: number, before: number): number | undefined {
    const { from, to } = this.#still;
    const isKnown = from <= after && after < to;
    const flip = this.#findFlip(after, before, isKnown ? to : after);
    this.#still = { from: isKnown ? from : after, to: flip ?? before };
    return flip;
  }

  /** @param quietTo up to which there is none. */
  #findFlip(after: number, before: number, quietTo: number): number | undefined {
    for (let day = Math.floor(quietTo / DAY); day * DAY < before; day++) {
      if (this.#isSteadyWeek && this.#kind(day) < WEEK && this.#kind(day - 1) < WEEK) {
        const special = this.#days.next(day + 1, before / DAY);
        if (special === undefined) return undefined;
        day = special;
      }
      for (const second of this.flips(day)) if (day * DAY + second > after) return day * DAY + second;
    }
    return undefined;
  }

  /** The weekday, or a number of the exception. */
  #kind(day: LocalDay): number {
    const place = this.#days.placeOn(day);
    return place === undefined ? weekdayOf(day) : WEEK + place;
  }

  #openingsOf(kind: number): readonly Opening[] {
    let openings = this.#openings[kind];
    if (!openings) {
      const rule = this.#exceptions[kind - WEEK]!;
      openings = rule.hours.map((hours) => ({ hours: spanOf(hours), rule }));
      this.#openings[kind] = openings;
    }
    return openings;
  }

  #flipsOf(before: number, kind: number): readonly number[] {
    const key = before * (WEEK + this.#exceptions.length) + kind;
    let flips = this.#flips.get(key);
    if (!flips) {
      flips = flipsBetween(this.#openingsOf(before), this.#openingsOf(kind));
      if (this.#flips.size >= KEPT_FLIPS) this.#flips.clear();
      this.#flips.set(key, flips);
    }
    return flips;
  }
}

/** What is open from one day into the next ends in that: hours last less than two days, having an end before their start. */
function flipsBetween(yesterday: readonly Opening[], today: readonly Opening[]): number[] {
  const tails = yesterday.flatMap(({ hours }) => (hours.end > DAY ? [{ start: 0, end: hours.end - DAY }] : []));
  const spans = [...tails, ...today.map(({ hours }) => hours)].sort((a, b) => a.start - b.start);
  const flips: number[] = [];
  // Where what is open ends, so far; undefined while it is closed.
  let openTo = yesterday.some(({ hours }) => hours.end >= DAY) ? 0 : undefined;
  for (const { start, end } of spans) {
    if (openTo !== undefined && start > openTo) flips.push(openTo);
    if (openTo === undefined || start > openTo) flips.push(start);
    openTo = Math.max(openTo ?? 0, end);
  }
  if (openTo !== undefined && openTo < DAY) flips.push(openTo);
  return flips;
}
