/** What the wall clocks of the world show, read by the runtime's own calendar (Intl): the ground the oracle stands on. */
export const MINUTE = 60;
const HOUR = 3600;
export const DAY = 86_400;
export const QUARTER = 6 * HOUR;
const two = (n: number) => String(n).padStart(2, '0');
export const leap = (year: number) => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

/** Every date from Friday, 1 January 1960, told off one by one; a date is known by its place in the row. */
export const dates: string[] = [];
for (let year = 1960; year < 2250; year++) {
  const months = [31, leap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  for (const [month, days] of months.entries()) {
    for (let day = 1; day <= days; day++) dates.push(`${year}-${two(month + 1)}-${two(day)}`);
  }
}
/** Days from 1970 to the first date of the row. */
export const daysBefore = Date.UTC(1960, 0, 1) / 1000 / DAY;
const placeOf = new Map(dates.map((date, place) => [date, place]));
export function placeIn(date: string): number {
  const place = placeOf.get(date);
  if (place === undefined) throw new RangeError(`${date} is not a date that the oracle knows`);
  return place;
}
export const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
export const weekdayAt = (place: number) => (place + 5) % 7;

/** Every time of day, by its second. */
export const times: string[] = [];
for (let second = 0; second < DAY; second++) {
  times.push(`${two(Math.floor(second / HOUR))}:${two(Math.floor(second / MINUTE) % 60)}:${two(second % 60)}`);
}
export const secondOf = (time: string) => {
  const [hours, minutes, seconds] = time.split(':').map(Number);
  return hours! * HOUR + minutes! * MINUTE + seconds!;
};
/** A stretch through which the wall clock runs on, second by second; seconds since the epoch and what it shows then. */
export interface Run {
  from: number;
  /** Place of the date times 86,400 plus the second of the day. */
  wall: number;
}

/** The wall clock of a zone, read by Intl. */
export class WallClock {
  readonly timezone: string;
  readonly #format: Intl.DateTimeFormat;
  readonly #runs = new Map<number, Run[]>();
  /** Where one quarter of a day ends the next one begins. */
  #last = { second: Number.NaN, wall: 0 };

  constructor(timezone: string) {
    this.timezone = timezone;
    this.#format = new Intl.DateTimeFormat('en-CA', {
      timeZone: timezone,
      hourCycle: 'h23',
      weekday: 'short',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
  }

  /** What the clock shows at an instant. */
  read(instant: number): { place: number; time: string } {
    const [, weekday, date, time] = /^(\w{3}), ([\d-]{10}), ([\d:]{8})$/.exec(this.#format.format(instant)) ?? [];
    const place = placeIn(date ?? '');
    if (!time || weekdays[weekdayAt(place)] !== weekday) {
      throw new Error(`${this.timezone} at ${instant}: cannot read ${this.#format.format(instant)}`);
    }
    return { place, time };
  }

  /** How the clock runs through a quarter of a day (UTC): mostly in one go. No zone is set forth and back within one. */
  runs(quarter: number): Run[] {
    let runs = this.#runs.get(quarter);
    if (!runs) {
      const from = quarter * QUARTER;
      runs = this.#walk(from, from + QUARTER, [HOUR, MINUTE, 1]);
      this.#runs.set(quarter, runs);
    }
    return runs;
  }

  /** Where the clock does not show just as much later as time has passed, every smaller step is looked at. */
  #walk(from: number, to: number, [step, ...finer]: number[]): Run[] {
    const wall = this.#wall(from);
    if (step === undefined || this.#wall(to) - wall === to - from) return [{ from, wall }];
    const runs: Run[] = [];
    for (let at = from; at < to; at += step) {
      for (const run of this.#walk(at, at + step, finer)) {
        const before = runs.at(-1);
        if (!before || run.wall - before.wall !== run.from - before.from) runs.push(run);
      }
    }
    return runs;
  }

  #wall(second: number): number {
    if (second !== this.#last.second) {
      const { place, time } = this.read(second * 1000);
      this.#last = { second, wall: place * DAY + secondOf(time) };
    }
    return this.#last.wall;
  }
}
