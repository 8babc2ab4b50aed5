/** One event of a calendar (RFC 5545, section 3.6.1), as far as it is about whole days. */
import ICAL from 'ical.js';
import { IANAZone } from 'luxon';
import { LONGEST } from '../working-hours/occurrences.ts';
import { DAY, dateOf, type LocalDay } from '../working-hours/schedule.ts';
import { cut, type Holiday } from './days.ts';
import { type Rule, ruleOf } from './rules.ts';
import { type EventText, type Moment, momentOf, propertyOf, Unreadable } from './text.ts';

const MAX_RULES = 10;
const MAX_ZONES = 50;
const MAX_LISTED = 20_000;

/** An event as its lines say it: how many days, and when they come again. */
export interface Event extends Holiday {
  rules: { rule: Rule; line: number; until: LocalDay | undefined }[];
  added: LocalDay[];
  removed: Set<LocalDay>;
  isCancelled: boolean;
  /** The date that it stands in for, of an event of the same UID. */
  replaces: LocalDay | undefined;
}

/** What tells a reader which event it is, as far as that can be read. */
export function labelOf({ lines }: EventText): { uid?: string; name?: string } {
  const of = (name: string) => {
    const line = lines.get(name)?.[0];
    try {
      return (
        line &&
        String(propertyOf(line).values[0])
          .replace(/[\p{Cc}\s]+/gu, ' ')
          .trim()
      );
    } catch (error) {
      if (error instanceof Unreadable) return undefined;
      throw error;
    }
  };
  const [uid, name] = [of('UID'), of('SUMMARY')];
  return { ...(uid && { uid: uid.slice(0, 1000) }), ...(name && { name: cut(name) }) };
}

/** @throws {Unreadable} */
export function readEvent(
  { line, lines }: EventText,
  label: { uid?: string; name?: string },
  zones: EventZones,
): Event {
  const one = (name: string) => {
    const written = lines.get(name)?.[0];
    return written && propertyOf(written);
  };
  const begin = one('DTSTART');
  if (!begin) throw new Unreadable('NO_START', line);
  const start = momentOf(begin.values[0], begin.line);
  const end = one('DTEND');
  const length = lengthOf(start, {
    begin,
    end: end && { tzid: end.tzid, line: end.line, moment: momentOf(end.values[0], end.line) },
    duration: one('DURATION'),
  });
  const hasDates = ['RDATE', 'EXDATE', 'RECURRENCE-ID'].some((name) => lines.has(name));
  const offset = hasDates ? zones.offset(begin.tzid, start) : 0;
  const listed = (name: string) => {
    const days: LocalDay[] = [];
    for (const written of lines.get(name) ?? []) {
      const { values, line } = propertyOf(written);
      for (const value of values) days.push(listedDay(momentOf(value, line), offset));
      if (days.length > MAX_LISTED) throw new Unreadable('TOO_MANY_DATES', line);
    }
    return days;
  };
  const exrule = lines.get('EXRULE')?.[0];
  if (exrule) throw new Unreadable('EXCLUDING_RULE', exrule.line);
  const rules = lines.get('RRULE') ?? [];
  if (rules.length > MAX_RULES) throw new Unreadable('TOO_MANY_RULES', rules[MAX_RULES]!.line);
  const replaced = one('RECURRENCE-ID');
  if (replaced && /;RANGE=/i.test(lines.get('RECURRENCE-ID')![0]!.text)) {
    throw new Unreadable('REPLACES_ALL_AFTER', replaced.line);
  }
  const status = one('STATUS')?.values[0];
  return {
    uid: label.uid ?? `${dateOf(start.day)} ${label.name ?? 'Holiday'}`,
    name: label.name ?? 'Holiday',
    from: start.day,
    to: start.day + length - 1,
    yearly: false,
    line,
    rules: rules.map((written) => {
      const { values, line } = propertyOf(written);
      const rule = ruleOf(values[0], line);
      const until = rule.until === undefined ? undefined : lastDay(momentOf(rule.until, line), begin.tzid, zones);
      return { rule, line, until };
    }),
    added: listed('RDATE'),
    removed: new Set(listed('EXDATE')),
    isCancelled: String(status).trim().toUpperCase() === 'CANCELLED',
    replaces: replaced && listedDay(momentOf(replaced.values[0], replaced.line), offset),
  };
}

/** The zones that the events of one file name; asking the runtime for one is slow, and calendars that name many are odd. */
export class EventZones {
  readonly #known = new Map<string, IANAZone | undefined>();

  /** How far a zone is ahead of UTC, in seconds; 0 where the name is none of IANA's, such as Windows has others. */
  offset(tzid: string | undefined, { day, second }: Moment): number {
    if (tzid === undefined) return 0;
    if (!this.#known.has(tzid) && this.#known.size < MAX_ZONES) this.#known.set(tzid, find(tzid));
    return (this.#known.get(tzid)?.offset((day * DAY + (second ?? 0)) * 1000) ?? 0) * 60;
  }
}

function find(tzid: string): IANAZone | undefined {
  try {
    // Luxon keeps each name it is asked for, so it is asked for the runtime's own few hundred only.
    return IANAZone.create(new Intl.DateTimeFormat('en', { timeZone: tzid }).resolvedOptions().timeZone);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The last day of a rule, in the zone of its event. */
function lastDay(until: Moment, tzid: string | undefined, zones: EventZones): LocalDay {
  if (!until.isUtc || until.second === undefined) return until.day;
  return Math.floor((until.day * DAY + until.second + zones.offset(tzid, until)) / DAY);
}

/** A listed date of an event whose days begin at midnight: the one next to it, so that an hour of summer does not matter. */
const listedDay = ({ day, second, isUtc }: Moment, offset: number): LocalDay =>
  isUtc && second !== undefined ? Math.round((day * DAY + second + offset) / DAY) : day;

interface Ends {
  begin: { tzid: string | undefined; line: number };
  end: { tzid: string | undefined; line: number; moment: Moment } | undefined;
  duration: { line: number; values: unknown[] } | undefined;
}

/**
 * How many days. An end is the first moment after (RFC 5545, section 3.6.1), so a date is not part of it. A time of day is
 * no holiday, unless it is midnight at both ends, as some programs write whole days.
 *
 * @throws {Unreadable}
 */
function lengthOf(start: Moment, { begin, end, duration }: Ends): number {
  const isTimed = start.second !== undefined;
  const partly = 'NOT_WHOLE_DAYS';
  if (isTimed && (start.second !== 0 || (!end && !duration))) throw new Unreadable(partly, begin.line);
  let days = 1;
  if (end) {
    const { moment, tzid, line } = end;
    if ((moment.second !== undefined) !== isTimed) throw new Unreadable('DIFFERENT_CLOCKS', line);
    if (isTimed && (tzid !== begin.tzid || moment.isUtc !== start.isUtc || moment.second !== 0)) {
      throw new Unreadable(partly, line);
    }
    if (moment.day < start.day) throw new Unreadable('ENDS_BEFORE_START', line);
    // Some programs mean the day itself by an end that is the start.
    days = Math.max(1, moment.day - start.day);
  } else if (duration) {
    const seconds = secondsIn(String(duration.values[0]), duration.line);
    if (seconds % DAY !== 0) throw new Unreadable(partly, duration.line);
    days = Math.max(1, seconds / DAY);
  }
  if (days > LONGEST) throw new Unreadable('TOO_LONG', end?.line ?? duration?.line ?? begin.line);
  return days;
}

function secondsIn(duration: string, line: number): number {
  let seconds = Number.NaN;
  try {
    seconds = ICAL.Duration.fromString(duration).toSeconds();
  } catch {
    // Said below.
  }
  if (!(seconds >= 0)) throw new Unreadable('NO_DURATION', line);
  return seconds;
}
