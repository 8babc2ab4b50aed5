/**
 * The text of an iCalendar file (RFC 5545, section 3.1), taken apart so far that ical.js gets to see single lines of bounded
 * size, and only those that matter to whole days. It reads everything at once otherwise, without saying where it failed.
 */
import ICAL from 'ical.js';
import { dateOf, dayOf, type LocalDay } from '../working-hours/schedule.ts';
import { type SkipCode, type SkipReason, type SkipValues, skipReason } from './reasons.ts';

/** How large a calendar may be, in octets of UTF-8. */
export const MAX_CALENDAR_BYTES = 1_048_576;
export const MAX_EVENTS = 5000;
const MAX_DEPTH = 10;
/** Of a line after unfolding: over 7,000 dates, and far more than a name needs. */
const MAX_LINE = 65_536;
/** ical.js searches the rest of the line once for each parameter. */
const MAX_EQUALS_SIGNS = 200;

const READ = new Set([
  ...['UID', 'SUMMARY', 'STATUS', 'DTSTART', 'DTEND', 'DURATION'],
  ...['RRULE', 'EXRULE', 'RDATE', 'EXDATE', 'RECURRENCE-ID'],
]);

/** The text as a whole is no calendar that could be read. */
export class CalendarError extends Error {
  /** Where, counted from 1; undefined when it is about no single line. */
  readonly line: number | undefined;

  /** @param message completes a sentence about the calendar: "has no events". */
  constructor(message: string, line?: number) {
    super(message);
    this.name = 'CalendarError';
    this.line = line;
  }
}

/** One thing in a calendar that is passed over, while the rest of it is read. */
export class Unreadable extends Error {
  readonly why: SkipReason;
  readonly line: number | undefined;

  constructor(code: SkipCode, line?: number, values?: SkipValues) {
    const why = skipReason(code, values);
    super(why.reason);
    this.why = why;
    this.line = line;
  }
}

/** A content line, unfolded, and the number of its first line in the file. */
export interface Line {
  line: number;
  text: string;
}

/** A VEVENT: where it begins, and those of its lines that matter, by name. */
export interface EventText {
  line: number;
  lines: Map<string, Line[]>;
}

/** A date as written, and its time of day if it has one. */
export interface Moment {
  day: LocalDay;
  /** Since midnight; undefined for a date alone. */
  second: number | undefined;
  isUtc: boolean;
}

/**
 * The events of a calendar.
 *
 * @throws {CalendarError} when it is too large, not UTF-8, not iCalendar or without any event.
 */
export function eventsOf(text: string): EventText[] {
  const events: EventText[] = [];
  const open: string[] = [];
  let last = 1;
  for (const { line, text: content } of contentLines(checked(text))) {
    last = line;
    const name = /^[^:;\s]+(?=[:;])/.exec(content)?.[0].toUpperCase();
    if (open.length === 0 && !/^BEGIN:VCALENDAR\s*$/i.test(content)) {
      throw new CalendarError('does not begin with BEGIN:VCALENDAR', line);
    }
    if (!name) throw new CalendarError('has a line that is no property', line);
    if (name === 'BEGIN') {
      open.push(component(content));
      if (open.length > MAX_DEPTH) throw new CalendarError('is nested too deeply', line);
      if (isEvent(open)) events.push({ line, lines: new Map() });
      if (events.length > MAX_EVENTS) throw new CalendarError(`has more than ${MAX_EVENTS} events`, line);
    } else if (name === 'END') {
      const begun = open.pop();
      if (component(content) !== begun)
        throw new CalendarError(`ends something other than ${shown(begun!)} here`, line);
    } else if (isEvent(open) && READ.has(name)) {
      const { lines } = events.at(-1)!;
      const same = lines.get(name);
      if (same) same.push({ line, text: content });
      else lines.set(name, [{ line, text: content }]);
    }
  }
  if (open.length > 0) throw new CalendarError(`ends in the middle of ${shown(open.at(-1)!)}`, last);
  if (events.length === 0) throw new CalendarError('has no events');
  return events;
}

/** What follows BEGIN or END. */
const component = (content: string) =>
  content
    .slice(content.search(/[:;]/) + 1)
    .trim()
    .toUpperCase();
const isEvent = (open: readonly string[]) => open.length === 2 && open[1] === 'VEVENT';
const shown = (name: string) => name.slice(0, 40);

/** Without the mark that some editors begin a file with. */
function checked(text: string): string {
  if (text.length > MAX_CALENDAR_BYTES || Buffer.byteLength(text) > MAX_CALENDAR_BYTES) {
    throw new CalendarError(`is larger than ${MAX_CALENDAR_BYTES / 1024} KiB`);
  }
  // Bytes of another encoding become U+FFFD when they are read as UTF-8; UTF-16 leaves a NUL beside each letter.
  const foreign = text.search(/[\0\uFFFD]/);
  if (foreign !== -1) throw new CalendarError('is not UTF-8', text.slice(0, foreign).split('\n').length);
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** Unfolded: a line that begins with a blank goes on with the one before. Empty ones are let pass. */
function* contentLines(text: string): Generator<Line> {
  let current: Line | undefined;
  let number = 0;
  for (let from = 0; from < text.length; ) {
    const newline = text.indexOf('\n', from);
    const to = newline === -1 ? text.length : newline;
    const raw = text.slice(from, text[to - 1] === '\r' ? to - 1 : to);
    from = to + 1;
    number += 1;
    if (current && (raw.startsWith(' ') || raw.startsWith('\t'))) current.text += raw.slice(1);
    else if (raw.trim() !== '') {
      if (current) yield current;
      current = { line: number, text: raw };
    }
  }
  if (current) yield current;
}

/** A property as ical.js reads it: its parameters and values by their type. */
export interface Property {
  line: number;
  tzid: string | undefined;
  type: string;
  values: unknown[];
}

/** @throws {Unreadable} */
export function propertyOf({ line, text }: Line): Property {
  if (text.length > MAX_LINE || text.split('=', MAX_EQUALS_SIGNS + 1).length > MAX_EQUALS_SIGNS) {
    throw new Unreadable('LONG_LINE', line);
  }
  try {
    const [, { tzid }, type, ...values] = ICAL.parse.property(text);
    return { line, tzid: typeof tzid === 'string' ? tzid : undefined, type, values };
  } catch {
    throw new Unreadable('MALFORMED_LINE', line);
  }
}

/**
 * The date of a value of type DATE, DATE-TIME or, of which the beginning counts, PERIOD.
 *
 * @throws {Unreadable} when there is no such date: ical.js would go on counting into the next month.
 */
export function momentOf(value: unknown, line: number): Moment {
  const written = String(Array.isArray(value) ? value[0] : value);
  const [, date, hours, minutes, seconds, utc] =
    /^(\d{4}-\d\d-\d\d)(?:T([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(Z?))?$/.exec(written) ?? [];
  const day = date === undefined ? Number.NaN : dayOf(date);
  if (Number.isNaN(day) || dateOf(day) !== date) throw new Unreadable('NO_SUCH_DATE', line);
  const second = hours === undefined ? undefined : Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return { day, second, isUtc: utc === 'Z' };
}
