/** A time zone as iCalendar describes it (RFC 5545, section 3.6.5), for programs that do not know it by its name. */
import { DAY, dateOf, dayFrom, dayOf, weekdayOf, yearOf } from '../working-hours/schedule.ts';
import type { WallClock } from '../working-hours/zone.ts';

/** A property or component in jCal (RFC 7265), which is what ical.js writes out. */
export type Property = [name: string, parameters: Record<string, string>, type: string, ...values: unknown[]];
export type Component = [name: string, properties: Property[], components: Component[]];

/** A wall clock by the name that events refer to it by. */
export type NamedClock = WallClock & { name: string };

const WEEKDAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];
const EPOCH = '1970-01-01T00:00:00';

/** The clock of a zone being set. */
interface Setting {
  /** What the clock showed then by its old setting, `YYYY-MM-DDTHH:MM:SS`. */
  local: string;
  before: number;
  after: number;
  /** What it is called from then on. */
  name: string;
}

/**
 * The VTIMEZONE of a zone, with its real settings from one instant to another. Where these follow a rule of the kind "last
 * Sunday of March", the rule is given, since it is what most programs read and what goes on to hold; dates otherwise, as
 * in Casablanca. Forward is called DAYLIGHT and back STANDARD, whatever a country itself says is its standard time.
 *
 * @param from milliseconds since the epoch.
 * @param to likewise.
 */
export function vtimezone(zone: NamedClock, from: number, to: number): Component {
  const settings: Setting[] = [];
  for (let at = zone.nextSetting(from, to); at !== undefined; at = zone.nextSetting(at, to)) {
    const [before, after] = [zone.offset(at - 1), zone.offset(at)];
    settings.push({ local: localTime(at + before), before, after, name: nameOf(zone, at) });
  }
  const first = zone.offset(from);
  const kinds = Map.groupBy(settings, ({ before, after, name, local }) =>
    // By the time of day too: dates of one rule have that in common, and there is no harm in one observance more.
    [before, after, name, local.slice(11)].join(),
  );
  return [
    'vtimezone',
    [['tzid', {}, 'text', zone.name]],
    [
      observance(
        [{ local: EPOCH, before: first, after: first, name: nameOf(zone, from) }],
        (settings[0]?.after ?? first) < first,
      ),
      ...[...kinds.values()].map((kind) => observance(kind, kind[0]!.after > kind[0]!.before)),
    ],
  ];
}

function observance(settings: readonly Setting[], isDaylight: boolean): Component {
  const { local, before, after, name } = settings[0]!;
  // The start is the first of them by itself, but programs made with ical.js forget it where there are dates.
  const dates = settings.length > 1 ? settings.map((one): Property => ['rdate', {}, 'date-time', one.local]) : [];
  const recurrence = ruleOf(settings);
  return [
    isDaylight ? 'daylight' : 'standard',
    [
      ['dtstart', {}, 'date-time', local],
      ['tzoffsetfrom', {}, 'utc-offset', offsetText(before)],
      ['tzoffsetto', {}, 'utc-offset', offsetText(after)],
      ['tzname', {}, 'text', name],
      ...(recurrence ? [recurrence] : dates),
    ],
    [],
  ];
}

/** Every year on the same weekday of the same month, as far as that is so for all. */
function ruleOf(settings: readonly Setting[]): Property | undefined {
  const days = settings.map(({ local }) => dayOf(local.slice(0, 10)));
  const months = new Set(settings.map(({ local }) => Number(local.slice(5, 7))));
  const weekdays = new Set(days.map(weekdayOf));
  const isEachYear = days.every((day, index) => yearOf(day) === yearOf(days[0]!) + index);
  if (days.length < 2 || months.size > 1 || weekdays.size > 1 || !isEachYear) return undefined;
  const [month] = months;
  const nths = new Set(days.map((day) => Math.ceil(Number(dateOf(day).slice(8)) / 7)));
  const areLast = days.every((day) => day + 7 >= dayFrom(yearOf(day), month! + 1, 1));
  if (!areLast && nths.size > 1) return undefined;
  const byday = `${areLast ? -1 : [...nths][0]}${WEEKDAYS[[...weekdays][0]!]}`;
  return ['rrule', {}, 'recur', { freq: 'YEARLY', bymonth: month, byday }];
}

/** @param local milliseconds of the wall clock, as if it were UTC. */
const localTime = (local: number) => {
  const day = Math.floor(local / (DAY * 1000));
  return dateTime(day, Math.floor(local / 1000) - day * DAY);
};

/** @param second since the midnight that the day begins with; beyond the day's end it is on a later one. */
export function dateTime(day: number, second: number): string {
  return new Date((day * DAY + second) * 1000).toISOString().slice(0, 19);
}

function offsetText(offset: number): string {
  const time = dateTime(0, Math.abs(offset) / 1000).slice(11);
  return (offset < 0 ? '-' : '+') + time.replace(/:00$/, '');
}

/** Such as `EST`, or `GMT+7` where English has no letters for it; the offset where the runtime does not know the zone. */
function nameOf(zone: NamedClock, at: number): string {
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: zone.name, timeZoneName: 'short' });
    return format.formatToParts(at).find(({ type }) => type === 'timeZoneName')!.value;
  } catch (error) {
    if (error instanceof RangeError) return offsetText(zone.offset(at));
    throw error;
  }
}
