/** Which stretches of a calendar day are open, and by what. */
import { occurrencesDuring } from './occurrences.ts';
import {
  DAY,
  type LocalDay,
  type Schedule,
  type ScheduleException,
  type Span,
  spanOf,
  type WeeklyEntry,
  weekdayOf,
  yearOf,
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

interface SpecialDay {
  exception: ScheduleException;
  openings: Opening[];
}

/** A schedule worked out so that asking it costs no parsing. */
export class DayPlan {
  /** By weekday. */
  readonly #week: Opening[][] = [[], [], [], [], [], [], []];
  readonly #exceptions: SpecialDay[];
  /** Every day is open all day, or none opens at all. Hours that make up a day only with those of its neighbours are not seen. */
  readonly isConstant: boolean;
  /** By year, by day. */
  readonly #years = new Map<number, Map<LocalDay, SpecialDay>>();
  /** The day asked for last is mostly the next one too. */
  #recent: { day: LocalDay; stretches: readonly Stretch[] } = { day: Number.NaN, stretches: [] };

  constructor({ weekly, exceptions }: Schedule) {
    for (const entry of weekly) {
      if (entry.isActive) this.#week[entry.dayOfWeek]!.push({ hours: spanOf(entry), rule: entry });
    }
    this.#exceptions = exceptions.map((exception) => ({
      exception,
      openings: exception.hours.map((hours) => ({ hours: spanOf(hours), rule: exception })),
    }));
    const days = [...this.#week, ...this.#exceptions.map(({ openings }) => openings)];
    this.isConstant = days.every((openings) => openings.length === 0) || days.every(fillDay);
  }

  /** The exception that counts on a day. */
  exceptionOn(day: LocalDay): ScheduleException | undefined {
    return this.#year(yearOf(day)).get(day)?.exception;
  }

  /** The open stretches of a day, those that began the evening before included, by their starts. */
  stretches(day: LocalDay): readonly Stretch[] {
    if (day !== this.#recent.day) this.#recent = { day, stretches: this.#find(day) };
    return this.#recent.stretches;
  }

  #find(day: LocalDay): Stretch[] {
    const found: Stretch[] = [];
    for (const opening of this.#openings(day - 1)) {
      if (opening.hours.end > DAY) found.push({ ...opening, began: day - 1, start: 0, end: opening.hours.end - DAY });
    }
    for (const opening of this.#openings(day)) {
      const { start, end } = opening.hours;
      found.push({ ...opening, began: day, start, end: Math.min(end, DAY) });
    }
    return found.sort((a, b) => a.start - b.start);
  }

  /** The stretch that a time of day lies in: start included, end excluded. */
  at(day: LocalDay, second: number): Stretch | undefined {
    return this.stretches(day).find(({ start, end }) => start <= second && second < end);
  }

  #openings(day: LocalDay): Opening[] {
    const special = this.#exceptions.length > 0 ? this.#year(yearOf(day)).get(day) : undefined;
    return special?.openings ?? this.#week[weekdayOf(day)]!;
  }

  #year(year: number): Map<LocalDay, SpecialDay> {
    const known = this.#years.get(year);
    if (known) return known;
    const days = new Map<LocalDay, SpecialDay>();
    for (const exception of this.#exceptions) {
      for (const { from, to } of occurrencesDuring(exception.exception, year)) {
        for (let day = from; day <= to; day++) if (!days.has(day)) days.set(day, exception);
      }
    }
    this.#years.set(year, days);
    return days;
  }
}

function fillDay(openings: readonly Opening[]): boolean {
  let reached = 0;
  for (const { start, end } of openings.map(({ hours }) => hours).sort((a, b) => a.start - b.start)) {
    if (start <= reached) reached = Math.max(reached, end);
  }
  return reached >= DAY;
}
