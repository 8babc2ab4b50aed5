/** What a schedule is made of, and how its times are read (contract section 3). It knows no instant. */

/** Seconds in a day of the wall clock. */
export const DAY = 86_400;

/** Times of the wall clock, each `HH:MM` or `HH:MM:SS`. */
export interface Hours {
  startTime: string;
  /** Before the start it is on the next day; `00:00` is the end of this one. */
  endTime: string;
}

/** One entry of the week. */
export interface WeeklyEntry extends Hours {
  /** 0 is Sunday. */
  dayOfWeek: number;
  isActive: boolean;
}

/**
 * Days that differ from the week. Their hours stand in for the entries that begin on these dates; what began the evening
 * before runs on to its end.
 */
export interface ScheduleException {
  name: string;
  /** `YYYY-MM-DD`, of the schedule's own calendar whatever its zone. */
  startDate: string;
  /** The last day, `YYYY-MM-DD`. */
  endDate: string;
  /** Comes back every year from the first one on. A 29 February counts as 1 March, or as an end 28 February, in other years. */
  yearly: boolean;
  /** Empty: closed. */
  hours: readonly Hours[];
}

/** All that decides whether a business is open. */
export interface Schedule {
  /** IANA name. */
  timezone: string;
  weekly: readonly WeeklyEntry[];
  /** The first one that covers a date is the one that counts: a division's before those of the whole organization. */
  exceptions: readonly ScheduleException[];
}

/** A calendar day without a zone: days since 1970-01-01. */
export type LocalDay = number;

/** Where hours begin and end, in seconds since the midnight they begin after; past midnight the end is over 86,400. */
export interface Span {
  start: number;
  end: number;
}

/** Seconds since midnight. */
export function secondsOf(time: string): number {
  const [hours, minutes, seconds = '0'] = time.split(':');
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

export function spanOf({ startTime, endTime }: Hours): Span {
  const start = secondsOf(startTime);
  const end = secondsOf(endTime);
  return { start, end: end === 0 ? DAY : end < start ? end + DAY : end };
}

/** 0 is Sunday; 1970-01-01 was a Thursday. */
export const weekdayOf = (day: LocalDay): number => (((day + 4) % 7) + 7) % 7;

/** @param month 1 to 12. */
export const dayFrom = (year: number, month: number, date: number): LocalDay =>
  Date.UTC(year, month - 1, date) / (DAY * 1000);

/** @param date `YYYY-MM-DD` */
export function dayOf(date: string): LocalDay {
  const [year, month, day] = date.split('-').map(Number);
  return dayFrom(year!, month!, day!);
}

/** `YYYY-MM-DD` */
export const dateOf = (day: LocalDay): string => new Date(day * DAY * 1000).toISOString().slice(0, 10);

export const yearOf = (day: LocalDay): number => new Date(day * DAY * 1000).getUTCFullYear();
