/** Schedules in words, for explanations and warnings. */
import { DAY, type Hours, type LocalDay, type Span, spanOf, weekdayOf } from './schedule.ts';

export const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

const two = (value: number) => String(value).padStart(2, '0');

/** `HH:MM`, with seconds where there are some; the end of a day is 24:00, and past midnight it is the next day's time. */
export function timeText(second: number): string {
  const ofDay = second > DAY ? second - DAY : second;
  const seconds = ofDay % 60;
  const text = `${two(Math.floor(ofDay / 3600))}:${two(Math.floor(ofDay / 60) % 60)}`;
  return seconds === 0 ? text : `${text}:${two(seconds)}`;
}

export const spanText = ({ start, end }: Span): string => `${timeText(start)}–${timeText(end)}`;

/** Such as `Tuesday 13:00–17:30`. */
export const entryText = (entry: Hours & { dayOfWeek: number }): string =>
  `${WEEKDAYS[entry.dayOfWeek]} ${spanText(spanOf(entry))}`;

export const weekdayText = (day: LocalDay): string => WEEKDAYS[weekdayOf(day)]!;
