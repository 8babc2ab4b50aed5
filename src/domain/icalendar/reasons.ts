/** Why an event of a calendar gives no holiday: a code for programs, a sentence for people. */

/** By code. Each completes a sentence about the event, but the last two, which stand for several events. */
export const SKIP_REASONS = {
  CANCELLED: 'is cancelled',
  NOT_WHOLE_DAYS: 'has a time of day, so it is no whole day',
  DIFFERENT_CLOCKS: 'begins and ends by different clocks',
  ENDS_BEFORE_START: 'ends before it begins',
  TOO_LONG: 'is longer than a year',
  TOO_LONG_TO_RECUR: 'comes back every year and is longer than {count} days',
  NO_START: 'has no DTSTART',
  NO_SUCH_DATE: 'has a date that does not exist',
  NO_DURATION: 'has a DURATION that is none',
  LONG_LINE: 'has a line that is too long to be read',
  MALFORMED_LINE: 'has a line that is not written as RFC 5545 says',
  TOO_MANY_DATES: 'lists too many dates',
  TOO_MANY_RULES: 'has too many rules of recurrence',
  EXCLUDING_RULE: 'has an EXRULE, which RFC 5545 does without',
  REPLACES_ALL_AFTER: 'stands in for all that follow it, which is not read here',
  UNKNOWN_FREQUENCY: 'recurs neither by days, weeks, months nor years',
  UNKNOWN_RULE_PART: 'recurs by {part}, which is not read here',
  NUMBER_OUT_OF_RANGE: 'recurs by a number out of range',
  MISPLACED_WEEKDAY: 'recurs on weekdays counted in neither a month nor a year',
  TOO_LONG_TO_FOLLOW: 'recurs in a way that takes too long to follow',
  CLOSED_ALREADY: 'falls on {date}, on which "{by}" closes every year',
  MORE: '{count} more were skipped',
  OUTSIDE: '{count} outside {from} to {to}',
} as const;

export type SkipCode = keyof typeof SKIP_REASONS;

/** What a reason is about, by the names in its sentence. */
export interface SkipValues {
  /** Of days, or of events. */
  count?: number;
  /** Of a rule of recurrence, such as BYHOUR. */
  part?: string;
  /** `YYYY-MM-DD`, as are `from` and `to`. */
  date?: string;
  /** The name of another event. */
  by?: string;
  from?: string;
  to?: string;
}

export interface SkipReason extends SkipValues {
  code: SkipCode;
  reason: string;
}

export const skipReason = (code: SkipCode, values: SkipValues = {}): SkipReason => ({
  code,
  ...values,
  reason: SKIP_REASONS[code].replace(/\{(\w+)\}/g, (_, name: keyof SkipValues) => String(values[name])),
});
