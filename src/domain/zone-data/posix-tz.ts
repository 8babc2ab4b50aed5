/**
 * The rule at the end of a TZif file: a POSIX TZ string with the extensions of RFC 9636, section 3.3. It says how the clock
 * is set in every year after the last setting that the file lists.
 */

/** How far the wall clock is ahead of UTC, in seconds, at an instant in seconds since the epoch. */
export type SecondsAhead = (instant: number) => number;

const DAY = 86_400;
const HOUR = 3600;
/** POSIX leaves it open when the clock is set; the rule of files is always complete. */
const TZ =
  /^(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)(?<std>[+-]?[\d:]+)(?:(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)(?<dst>[+-]?[\d:]+)?,(?<start>[^,]+),(?<end>[^,]+))?$/;
const CLOCK = /^(?<sign>[+-]?)(?<hours>\d{1,3})(?::(?<minutes>[0-5]\d)(?::(?<seconds>[0-5]\d))?)?$/;
const RULE =
  /^(?:M(?<month>\d{1,2})\.(?<week>[1-5])\.(?<weekday>[0-6])|J(?<julian>\d{1,3})|(?<zeroBased>\d{1,3}))(?:\/(?<time>.+))?$/;

/** Seconds from the first midnight of a year, by the clock that is still running, to when it is set. */
type Setting = (year: number) => number;

/** @throws {RangeError} when the text is no such rule. */
export function posixRule(text: string): SecondsAhead {
  const { std, dst, start, end } = TZ.exec(text)?.groups ?? {};
  if (std === undefined) throw new RangeError(`"${text.slice(0, 60)}" is no rule of a time zone`);
  // POSIX counts to the west.
  const standard = -seconds(std, 24);
  if (start === undefined || end === undefined) return () => standard;
  const summer = dst === undefined ? standard + HOUR : -seconds(dst, 24);
  const [begins, ends] = [setting(start), setting(end)];
  return (instant) => {
    const year = new Date((instant + standard) * 1000).getUTCFullYear();
    let [ahead, since] = [standard, Number.NEGATIVE_INFINITY];
    // A setting may lie a week outside of its year. Where summer time ends as the next begins, it goes on.
    for (const near of [year - 1, year, year + 1]) {
      const midnight = Date.UTC(near, 0) / 1000;
      const [begin, close] = [midnight + begins(near) - standard, midnight + ends(near) - summer];
      if (close <= instant && close > since) [ahead, since] = [standard, close];
      if (begin <= instant && begin >= since) [ahead, since] = [summer, begin];
    }
    return ahead;
  };
}

function seconds(text: string, mostHours: number): number {
  const { sign, hours, minutes = '0', seconds: rest = '0' } = CLOCK.exec(text)?.groups ?? {};
  if (hours === undefined || Number(hours) > mostHours)
    throw new RangeError(`"${text.slice(0, 60)}" is no time of a rule`);
  return (sign === '-' ? -1 : 1) * (Number(hours) * HOUR + Number(minutes) * 60 + Number(rest));
}

function setting(text: string): Setting {
  const { month, week, weekday, julian, zeroBased, time } = RULE.exec(text)?.groups ?? {};
  const at = time === undefined ? 2 * HOUR : seconds(time, 167);
  const inRange = (value: number, from: number, to: number) => {
    if (!(from <= value && value <= to)) throw new RangeError(`"${text.slice(0, 60)}" is no day of a rule`);
    return value;
  };
  if (julian !== undefined) {
    // Counts from 1 and never counts 29 February.
    const day = inRange(Number(julian), 1, 365) - 1;
    return (year) => (day + (day >= 59 && isLeap(year) ? 1 : 0)) * DAY + at;
  }
  if (zeroBased !== undefined) {
    const day = inRange(Number(zeroBased), 0, 365);
    return () => day * DAY + at;
  }
  const wanted = inRange(Number(month), 1, 12) - 1;
  return (year) => dayOfWeekIn(year, wanted, Number(week), Number(weekday)) * DAY + at;
}

const isLeap = (year: number) => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

/** Days since the beginning of the year. The fifth week stands for the last one in which the month has this weekday. */
function dayOfWeekIn(year: number, month: number, week: number, weekday: number): number {
  const first = new Date(Date.UTC(year, month, 1));
  const length = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  let date = 1 + ((weekday - first.getUTCDay() + 7) % 7) + (week - 1) * 7;
  if (date > length) date -= 7;
  return (first.getTime() - Date.UTC(year, 0)) / (DAY * 1000) + date - 1;
}
