/** Times, days, lengths and zones as text in the user's language, and times as people type them. */
import { DAY, secondsOf } from './draft.ts';

const kept = new Map<string, Intl.DateTimeFormat>();

function format(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language} ${JSON.stringify(options)}`;
  const known = kept.get(key) ?? new Intl.DateTimeFormat(language, options);
  kept.set(key, known);
  return known;
}

/** A day of the calendar, `YYYY-MM-DD`, as an instant that no zone moves. */
export const dateAt = (date: string): Date => new Date(`${date}T00:00:00Z`);

/** A time of day by its seconds; the end of the day is 24:00 where it ends something. */
export function clockText(second: number, language: string): string {
  const options = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: 'UTC' } as const;
  const seconds = second % 60 === 0 ? {} : ({ second: '2-digit' } as const);
  const text = format(language, { ...options, ...seconds }).format(new Date((second % DAY) * 1000));
  return second === DAY ? text.replace(/^00/, '24') : text;
}

export const spanText = (start: number, end: number, language: string): string =>
  `${clockText(start, language)}–${clockText(end, language)}`;

/** @param time `HH:MM` or `HH:MM:SS`, also 24:00. */
export const timeText = (time: string, language: string): string => clockText(secondsOf(time), language);

/** 0 is Sunday. */
export const weekdayName = (day: number, language: string, weekday: 'long' | 'short' | 'narrow' = 'long'): string =>
  // 4 January 1970 was a Sunday.
  format(language, { weekday, timeZone: 'UTC' }).format(new Date((3 + day) * DAY * 1000));

export const dateText = (date: string, language: string, options: Intl.DateTimeFormatOptions): string =>
  format(language, { ...options, timeZone: 'UTC' }).format(dateAt(date));

export function dateRangeText(from: string, to: string, language: string, options: Intl.DateTimeFormatOptions): string {
  return format(language, { ...options, timeZone: 'UTC' }).formatRange(dateAt(from), dateAt(to));
}

export const instantText = (at: Date, zone: string, language: string, options: Intl.DateTimeFormatOptions): string =>
  format(language, { ...options, timeZone: zone }).format(at);

export const clockAt = (at: Date, zone: string, language: string): string =>
  instantText(at, zone, language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

export const numberText = (value: number, language: string): string =>
  new Intl.NumberFormat(language, { maximumFractionDigits: 2 }).format(value);

/** Such as `2 hours 10 minutes`, days from two of them on; rounded up to the minute, so that it never says 0. */
export function lengthText(milliseconds: number, language: string, unitDisplay: 'long' | 'narrow' = 'long'): string {
  const minutes = Math.max(1, Math.ceil(milliseconds / 60_000));
  const unit = (value: number, name: 'day' | 'hour' | 'minute') =>
    value === 0 ? [] : [new Intl.NumberFormat(language, { style: 'unit', unit: name, unitDisplay }).format(value)];
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  if (hours < 48) return [...unit(hours, 'hour'), ...unit(rest, 'minute')].join(' ');
  return [...unit(Math.floor(hours / 24), 'day'), ...unit(hours % 24, 'hour')].join(' ');
}

/** The seconds of what somebody typed: `9`, `930`, `9:30`, `9.30`, `24:00`; undefined where it is no time. */
export function typedTime(text: string): number | undefined {
  const plain = text.trim();
  const found = /^(\d{1,2})(?:[:.h ](\d{2})(?::(\d{2}))?)?$/i.exec(plain) ?? /^(\d{1,2})(\d{2})$/.exec(plain);
  if (!found) return undefined;
  const [hours, minutes, seconds] = found.slice(1).map((part) => Number(part ?? 0)) as [number, number, number?];
  const second = hours * 3600 + minutes * 60 + (seconds ?? 0);
  return minutes < 60 && (seconds ?? 0) < 60 && second <= DAY ? second % DAY : undefined;
}

/** Such as `UTC+07:00`. */
export function offsetText(zone: string, at: Date): string {
  const parts = format('en', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts(at);
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
  return name.replace('GMT', 'UTC');
}

const two = (value: number) => String(value).padStart(2, '0');

/** The date, `YYYY-MM-DD`, of what somebody typed: as numbers, day first, or with the month's name; undefined where it is none. */
export function typedDate(text: string, language: string): string | undefined {
  const plain = text.trim().toLowerCase();
  const iso = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(plain);
  const numbers = /^(\d{1,2})[./-](\d{1,2})[./-](\d{4})$/.exec(plain);
  const words = /^(?:(\d{1,2})\.? )?(\p{L}{3,})\.?(?: (\d{1,2}),?)? (\d{4})$/u.exec(plain);
  const [year, month, day] = iso
    ? [iso[1], iso[2], iso[3]]
    : numbers
      ? [numbers[3], numbers[2], numbers[1]]
      : words
        ? [words[4], monthNamed(words[2]!, language), words[1] ?? words[3]]
        : [];
  if (!year || !month || !day) return undefined;
  const date = `${year}-${two(Number(month))}-${two(Number(day))}`;
  const at = dateAt(date);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(date) ? date : undefined;
}

function monthNamed(name: string, language: string): number | undefined {
  const months = Array.from({ length: 12 }, (_, index) => index + 1);
  return months.find((month) =>
    dateText(`2026-${two(month)}-01`, language, { month: 'long' })
      .toLowerCase()
      .startsWith(name.slice(0, 3)),
  );
}
