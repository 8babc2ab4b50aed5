/** Exceptions in words. */
import type { ExceptionFieldsFragment } from '../../documents.gen.ts';
import { dateRangeText, spanText } from './clock-text.ts';
import { endAfter, secondsOf } from './draft.ts';

type Hours = ExceptionFieldsFragment['hours'][number];

export const datesText = ([from, to]: readonly [string, string], language: string): string =>
  dateRangeText(from, to, language, { weekday: 'short', day: 'numeric', month: 'long', year: 'numeric' });

export const hoursText = (hours: readonly Hours[], language: string): string =>
  hours
    .map(({ startTime, endTime }) => {
      const start = secondsOf(startTime);
      return spanText(start, endAfter(start, secondsOf(endTime)), language);
    })
    .join(', ');
