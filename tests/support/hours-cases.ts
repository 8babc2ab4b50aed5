/** Schedules, zones and instants to try, and what it means for the code to agree with the oracle about one of them. */
import fc from 'fast-check';
import type { OracleException, OracleHours, OracleSchedule } from './hours-oracle.ts';
import type { WallClock } from './wall-clock.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
export type Years = readonly [first: number, last: number];
const YEARS: Years = [2020, 2037];

/** Names that `Intl.supportedValuesOf('timeZone')` leaves out although the runtime takes them. */
const LINKS =
  'Africa/Asmara Africa/Timbuktu America/Argentina/Buenos_Aires America/Argentina/Catamarca ' +
  'America/Argentina/ComodRivadavia America/Argentina/Cordoba America/Argentina/Jujuy America/Argentina/Mendoza ' +
  'America/Atikokan America/Atka America/Ensenada America/Fort_Wayne America/Indiana/Indianapolis ' +
  'America/Kentucky/Louisville America/Knox_IN America/Montreal America/Nipigon America/Nuuk America/Pangnirtung ' +
  'America/Porto_Acre America/Rainy_River America/Rosario America/Santa_Isabel America/Shiprock America/Thunder_Bay ' +
  'America/Virgin America/Yellowknife Antarctica/South_Pole Asia/Ashkhabad Asia/Calcutta Asia/Choibalsan ' +
  'Asia/Chongqing Asia/Chungking Asia/Dacca Asia/Harbin Asia/Ho_Chi_Minh Asia/Istanbul Asia/Kashgar Asia/Kathmandu ' +
  'Asia/Kolkata Asia/Macao Asia/Tel_Aviv Asia/Thimbu Asia/Ujung_Pandang Asia/Ulan_Bator Asia/Yangon Atlantic/Faroe ' +
  'Atlantic/Jan_Mayen Australia/ACT Australia/Canberra Australia/Currie Australia/LHI Australia/NSW Australia/North ' +
  'Australia/Queensland Australia/South Australia/Tasmania Australia/Victoria Australia/West Australia/Yancowinna ' +
  'Brazil/Acre Brazil/DeNoronha Brazil/East Brazil/West CET CST6CDT Canada/Atlantic Canada/Central Canada/Eastern ' +
  'Canada/Mountain Canada/Newfoundland Canada/Pacific Canada/Saskatchewan Canada/Yukon Chile/Continental ' +
  'Chile/EasterIsland Cuba EET EST EST5EDT Egypt Eire Etc/GMT Etc/GMT+0 Etc/GMT+1 Etc/GMT+10 Etc/GMT+11 Etc/GMT+12 ' +
  'Etc/GMT+2 Etc/GMT+3 Etc/GMT+4 Etc/GMT+5 Etc/GMT+6 Etc/GMT+7 Etc/GMT+8 Etc/GMT+9 Etc/GMT-0 Etc/GMT-1 Etc/GMT-10 ' +
  'Etc/GMT-11 Etc/GMT-12 Etc/GMT-13 Etc/GMT-14 Etc/GMT-2 Etc/GMT-3 Etc/GMT-4 Etc/GMT-5 Etc/GMT-6 Etc/GMT-7 Etc/GMT-8 ' +
  'Etc/GMT-9 Etc/GMT0 Etc/Greenwich Etc/UCT Etc/UTC Etc/Universal Etc/Zulu Europe/Belfast Europe/Kiev Europe/Kyiv ' +
  'Europe/Nicosia Europe/Tiraspol Europe/Uzhgorod Europe/Zaporozhye GB GB-Eire GMT GMT+0 GMT-0 GMT0 Greenwich HST ' +
  'Hongkong Iceland Iran Israel Jamaica Japan Kwajalein Libya MET MST MST7MDT Mexico/BajaNorte Mexico/BajaSur ' +
  'Mexico/General NZ NZ-CHAT Navajo PRC PST8PDT Pacific/Chuuk Pacific/Johnston Pacific/Kanton Pacific/Pohnpei ' +
  'Pacific/Samoa Pacific/Yap Poland Portugal ROC ROK Singapore Turkey UCT US/Alaska US/Aleutian US/Arizona US/Central ' +
  'US/East-Indiana US/Eastern US/Hawaii US/Indiana-Starke US/Michigan US/Mountain US/Pacific US/Samoa UTC Universal ' +
  'W-SU WET Zulu';

/** Every zone of the runtime, links included. */
export const zones = [...new Set([...Intl.supportedValuesOf('timeZone'), ...LINKS.split(' ')])].sort();

export interface HoursCase {
  schedule: OracleSchedule & { exceptions: readonly (OracleException & { name: string })[] };
  /** The one that comes after it at `instants[1]`, for counting open time. */
  later: HoursCase['schedule'];
  instants: readonly number[];
  /** Open time to let pass, in milliseconds. */
  duration: number;
}

const two = (n: number) => String(n).padStart(2, '0');
const fullTime = (seconds: number) =>
  `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
const dateOf = (instant: number) => new Date(instant).toISOString().slice(0, 10);

const time = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 47 }).map((half) => fullTime(half * 1800).slice(0, 5)) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 86_399 }).map(fullTime) },
  // Where clocks are set, and the seconds beside full hours.
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...['00:00', '00:00:01', '00:30', '01:00', '01:59:59', '02:00', '02:30', '02:45', '03:00', '03:45', '08:00:01'],
      ...['17:00', '22:00', '22:59:59', '23:00', '23:15', '23:30', '23:59', '23:59:59'],
    ),
  },
);
const full = (each: string) => (each.length === 5 ? `${each}:00` : each);

/** Any pair that the API takes. */
const hours: fc.Arbitrary<OracleHours> = fc
  .tuple(time, time)
  .map(([startTime, endTime]) => ({ startTime, endTime: full(startTime) === full(endTime) ? '00:00' : endTime }));

/** Hours of one day one after the other, as a lunch break makes them; the last may run past midnight. */
const severalHours = (least: number, most: number): fc.Arbitrary<OracleHours[]> =>
  fc.uniqueArray(time, { minLength: least * 2, maxLength: most * 2, selector: full }).map((mixed) => {
    const marks = mixed.sort((a, b) => full(a).localeCompare(full(b)));
    const pairs: OracleHours[] = [];
    for (let i = 0; i + 1 < marks.length; i += 2) pairs.push({ startTime: marks[i]!, endTime: marks[i + 1]! });
    return pairs;
  });

type Entry = OracleSchedule['weekly'][number];
const everyDay = [0, 1, 2, 3, 4, 5, 6];
const on = (days: readonly number[], each: readonly OracleHours[]): Entry[] =>
  days.flatMap((dayOfWeek) => each.map((one) => ({ ...one, dayOfWeek, isActive: true })));
const someDays = fc.subarray(everyDay, { minLength: 1 });
const pair = (startTime: string, endTime: string) => ({ startTime, endTime });
const roundTheClock = fc.oneof(
  fc.constant([pair('00:00', '00:00')]),
  time.filter((t) => full(t) !== '00:00:00').map((t) => [pair('00:00', t), pair(t, '00:00:00')]),
  fc
    .tuple(time, time)
    .filter(([a, b]) => full(a) !== '00:00:00' && full(a) < full(b))
    .map(([a, b]) => [pair(b, a), pair(a, b)]),
);

const weekly: fc.Arbitrary<Entry[]> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(someDays, hours).map(([days, one]) => on(days, [one])) },
  { weight: 4, arbitrary: fc.tuple(someDays, severalHours(1, 4)).map(([days, some]) => on(days, some)) },
  // Overlaps, which the API refuses, and inactive entries included.
  {
    weight: 6,
    arbitrary: fc.array(
      fc
        .tuple(fc.integer({ min: 0, max: 6 }), hours, fc.integer({ min: 0, max: 5 }))
        .map(([dayOfWeek, one, active]) => ({ ...one, dayOfWeek, isActive: active > 0 })),
      { maxLength: 12 },
    ),
  },
  { weight: 2, arbitrary: roundTheClock.map((some) => on(everyDay, some)) },
  { weight: 1, arbitrary: fc.tuple(someDays, roundTheClock).map(([days, some]) => on(days, some)) },
  {
    weight: 1,
    arbitrary: fc.tuple(someDays, hours).map(([days, one]) => on(days, [one]).map((e) => ({ ...e, isActive: false }))),
  },
);

/** An exception told from a date near which it lies. */
const exception = fc.record({
  days: fc.integer({ min: -4, max: 12 }),
  length: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 0, max: 3 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 360 }) },
    { weight: 1, arbitrary: fc.constantFrom(800, 1500) },
  ),
  yearly: fc.boolean(),
  /** Before the year of the date; a yearly one may also begin only later. */
  yearsBefore: fc.integer({ min: -1, max: 4 }),
  leapDay: fc.constantFrom('', '', 'starts', 'ends', 'is'),
  hours: fc.oneof(
    { weight: 2, arbitrary: fc.constant<OracleHours[]>([]) },
    { weight: 2, arbitrary: hours.map((one) => [one]) },
    { weight: 1, arbitrary: roundTheClock },
    { weight: 1, arbitrary: severalHours(1, 3) },
  ),
});
type Made<A> = A extends fc.Arbitrary<infer Value> ? Value : never;
type Told = Made<typeof exception>;

type TestException = HoursCase['schedule']['exceptions'][number];

function exceptionNear(instant: number, told: Told, index: number): TestException {
  const { days, yearly, yearsBefore, leapDay, hours } = told;
  const length = yearly ? told.length % 361 : told.length;
  const near = new Date(instant + days * DAY_MS);
  if (yearly) near.setUTCFullYear(near.getUTCFullYear() - yearsBefore);
  const leapYear = near.getUTCFullYear() - (((near.getUTCFullYear() % 4) + 4) % 4);
  const the29th = Date.UTC(leapYear, 1, 29);
  const start = leapDay === 'ends' ? the29th - length * DAY_MS : leapDay ? the29th : near.getTime();
  const end = leapDay === 'ends' || leapDay === 'is' ? the29th : start + length * DAY_MS;
  return { name: `exception ${index + 1}`, startDate: dateOf(start), endDate: dateOf(end), yearly, hours };
}

/** Closed on all days of every year but the one of a date: the next weekday that opens may be decades away. */
function onlyOnce(instant: number): TestException {
  const start = new Date(instant + DAY_MS);
  start.setUTCFullYear(start.getUTCFullYear() - 2);
  const year = start.getUTCFullYear() + 1;
  const startDate = dateOf(start.getTime());
  const endDate = dateOf(Date.UTC(year, start.getUTCMonth(), start.getUTCDate() - 2));
  return { name: 'all but one day', startDate, endDate, yearly: true, hours: [] };
}

/** Where to look: a time at which things happen, and how far from it. */
const place = ([first, last]: Years) =>
  fc.record({
    kind: fc.constantFrom('setting', 'setting', 'setting', 'uniform', 'leap day', 'new year'),
    year: fc.integer({ min: first, max: last }),
    which: fc.nat({ max: 3 }),
    uniform: fc.integer({ min: Date.UTC(first, 0), max: Date.UTC(last + 1, 0) - 1 }),
  });
const nudge = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      gaps: fc.integer({ min: -2, max: 2 }),
      days: fc.constantFrom(0, 0, 0, -1, 1),
      ms: fc.constantFrom(0, 0, -1, 1, -1000, 1000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      gaps: fc.constant(0),
      days: fc.integer({ min: -8, max: 4 }),
      ms: fc.integer({ min: -DAY_MS / 2, max: DAY_MS / 2 }),
    }),
  },
);

/** The instants of a year at which a zone's clock is set, and by how much. */
function settingsIn(wall: WallClock, ofYear: number): { at: number; by: number }[] {
  const key = `${wall.timezone} ${ofYear}`;
  let settings = knownSettings.get(key);
  if (!settings) {
    settings = [];
    let shown = wall.read(Date.UTC(ofYear, 0)).time;
    for (let day = Date.UTC(ofYear, 0); day < Date.UTC(ofYear + 1, 0); day += DAY_MS) {
      const before = shown;
      shown = wall.read(day + DAY_MS).time;
      if (shown === before) continue;
      const runs = [0, 1, 2, 3, 4].flatMap((i) => wall.runs((day / DAY_MS) * 4 + i));
      for (const [index, run] of runs.entries()) {
        const last = runs[index - 1] ?? run;
        const by = run.wall - last.wall - (run.from - last.from);
        if (by !== 0) settings.push({ at: run.from * 1000, by: by * 1000 });
      }
    }
    knownSettings.set(key, settings);
  }
  return settings;
}
const knownSettings = new Map<string, { at: number; by: number }[]>();

function find(wall: WallClock, told: Made<ReturnType<typeof place>>): { at: number; by: number } {
  if (told.kind === 'leap day') return { at: Date.UTC(told.year, 1, 28 + (told.which % 3)), by: HOUR_MS };
  if (told.kind === 'new year') return { at: Date.UTC(told.year, 0), by: HOUR_MS };
  const settings = told.kind === 'setting' ? settingsIn(wall, told.year) : [];
  return settings[told.which % settings.length] ?? { at: told.uniform, by: HOUR_MS };
}

/** @param wall the clock of a zone: reading zones is what costs, so cases come zone by zone where there are many. */
export function hoursCases(wall: WallClock, years = YEARS): fc.Arbitrary<HoursCase> {
  const toldSchedule = fc.record({
    weekly,
    exceptions: fc.oneof(
      { weight: 2, arbitrary: fc.constant<Told[]>([]) },
      { weight: 3, arbitrary: fc.array(exception, { maxLength: 4 }) },
    ),
    rare: fc.integer({ min: 0, max: 99 }),
  });
  return fc
    .record({
      place: place(years),
      now: toldSchedule,
      later: toldSchedule,
      nudges: fc.array(nudge, { minLength: INSTANTS, maxLength: INSTANTS }),
      duration: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 7 * DAY_MS }), fc.constantFrom(60_000, 28_800_000)),
    })
    .map(({ place, now, later, nudges, duration }) => {
      const { at, by } = find(wall, place);
      const schedule = (told: typeof now): HoursCase['schedule'] => ({
        timezone: wall.timezone,
        weekly: told.weekly,
        exceptions: [
          ...told.exceptions.map((each, index) => exceptionNear(at, each, index)),
          ...(told.rare === 99 ? [onlyOnce(at)] : []),
        ],
      });
      const instants = nudges.map(({ gaps, days, ms }) => at + gaps * by + days * DAY_MS + ms);
      return { schedule: schedule(now), later: schedule(later), instants, duration };
    });
}
/** A schedule is tried at so many instants. */
export const INSTANTS = 8;

/** Two exceptions, neither longer than the API takes. */
export const exceptionPairs = fc
  .tuple(...[0, 1].map(() => fc.tuple(fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2037, 0) }), exception)))
  .map((pair) =>
    pair.map(([at, told], index) => exceptionNear(at, { ...told, length: Math.min(told.length, 360) }, index)),
  );
