/** Numbers, dates and names as the user's language writes them. */
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { localeOf } from '../i18n.ts';

const UNITS: [Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
];

export function formats(language: Intl.LocalesArgument) {
  const number = new Intl.NumberFormat(language);
  const compact = new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 });
  const percent = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  const date = new Intl.DateTimeFormat(language, { dateStyle: 'medium' });
  const day = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short', timeZone: 'UTC' });
  const dateTime = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' });
  const time = new Intl.DateTimeFormat(language, { timeStyle: 'short' });
  const clock = new Intl.DateTimeFormat(language, { timeStyle: 'medium' });
  const fullDate = new Intl.DateTimeFormat(language, { dateStyle: 'full' });
  const regions = new Intl.DisplayNames(language, { type: 'region' });
  const list = new Intl.ListFormat(language);
  const second = new Intl.NumberFormat(language, { style: 'unit', unit: 'second', maximumFractionDigits: 1 });
  const millisecond = new Intl.NumberFormat(language, { style: 'unit', unit: 'millisecond', maximumFractionDigits: 0 });
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'].map(
    (unit) => new Intl.NumberFormat(language, { style: 'unit', unit, maximumFractionDigits: 1 }),
  );
  const minute = new Intl.NumberFormat(language, { style: 'unit', unit: 'minute', maximumFractionDigits: 0 });
  const at = (value: string | number | Date) => new Date(value);
  return {
    number: (value: number) => number.format(value),
    /** 12.4K */
    compact: (value: number) => compact.format(value),
    /** 1.2 MB */
    bytes(value: number) {
      const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
      return units[step]!.format(value / 1000 ** step);
    },
    /** Whole milliseconds; what took less than one took some time as well. */
    latency: (ms: number) => (ms < 1 ? `< ${number.format(1)}` : number.format(ms)),
    /** @param ratio 1 is a hundred percent. */
    percent: (ratio: number) => percent.format(ratio),
    /** In the user's own zone. */
    date: (value: string | number | Date) => date.format(at(value)),
    dateTime: (value: string | number | Date) => dateTime.format(at(value)),
    /** 12:03 */
    time: (value: string | number | Date) => time.format(at(value)),
    /** 12:03:21 */
    clock: (value: string | number | Date) => clock.format(at(value)),
    /** With the day of the week. */
    fullDate: (value: string | number | Date) => fullDate.format(at(value)),
    /** A calendar day such as 2026-11-24, briefly. */
    day: (value: string) => day.format(at(`${value}T00:00:00Z`)),
    /** 3 minutes ago */
    relative(value: string | number | Date, now: number) {
      const seconds = (at(value).getTime() - now) / 1000;
      // What happened a moment ago may lie ahead of a clock that goes by steps.
      if (seconds > -5 && seconds < 16) return relative.format(0, 'second');
      const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1)!;
      return relative.format(Math.trunc(seconds / size), unit);
    },
    /** How long something took. */
    duration(ms: number) {
      if (ms < 1) return `< ${millisecond.format(1)}`;
      if (ms < 1000) return millisecond.format(ms);
      return ms < 120_000 ? second.format(ms / 1000) : minute.format(ms / 60_000);
    },
    /** @param code ISO 3166-1 alpha-2. */
    country: (code: string) => regions.of(code) ?? code,
    list: (items: string[]) => list.format(items),
  };
}

export function useFormats() {
  const { i18n } = useTranslation();
  return useMemo(() => formats(localeOf(i18n.language)), [i18n.language]);
}
