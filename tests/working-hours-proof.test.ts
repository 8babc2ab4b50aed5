/** The working hours module against an oracle that shares no code with it, and against answers written by hand. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { IANAZone } from 'luxon';
import * as businessTime from '../src/domain/working-hours/business-time.ts';
import * as clock from '../src/domain/working-hours/clock.ts';
import * as occurrences from '../src/domain/working-hours/occurrences.ts';
import { Zone } from '../src/domain/working-hours/zone.ts';
import { exception, hardDates, scheduleOf, weekly } from './support/hard-dates.ts';
import { aboutExceptions, disagreement } from './support/hours-agreement.ts';
import { exceptionPairs, hoursCases, zones } from './support/hours-cases.ts';
import { HoursOracle } from './support/hours-oracle.ts';
import { WallClock } from './support/wall-clock.ts';

const modules = { ...clock, ...businessTime, ...occurrences };
const { WorkingHoursClock } = clock;
const ALWAYS = 'daily 00:00-00:00';

const hoursIn = (timezone: string, hours: string, ...exceptions: string[]) =>
  new WorkingHoursClock({ timezone, weekly: weekly(hours), exceptions: exceptions.map(exception) });
/** `+` opens, `-` closes. */
const changes = (of: clock.WorkingHoursClock, from: string, count: number) => {
  const found: string[] = [];
  for (const { at, isOpen } of of.changes(Date.parse(from))) {
    found.push(`${isOpen ? '+' : '-'} ${new Date(at).toISOString().replace(':00.000Z', 'Z')}`);
    if (found.length === count) break;
  }
  return found;
};

describe('the module and the oracle give the same answers', () => {
  test('in any zone, for any schedule, near the settings of clocks and far from them', () => {
    const walls = new Map(zones.map((zone) => [zone, new WallClock(zone)]));
    const cases = fc.constantFrom(...walls.values()).chain((wall) => fc.tuple(fc.constant(wall), hoursCases(wall)));
    fc.assert(
      fc.property(cases, ([wall, tried]) => expect(disagreement(modules, wall, tried)).toBeUndefined()),
      { numRuns: 300 },
    );
  });

  test('in years gone by, when clocks were set more often and further', () => {
    const names = [
      'Pacific/Apia',
      'Pacific/Kwajalein',
      'Africa/Cairo',
      'Africa/Monrovia',
      'Antarctica/Casey',
      'Europe/London',
    ];
    for (const name of names) {
      const wall = new WallClock(name);
      const property = fc.property(hoursCases(wall, [1971, 2019]), (tried) =>
        expect(disagreement(modules, wall, tried)).toBeUndefined(),
      );
      fc.assert(property, { numRuns: 10 });
    }
  });

  test('on whether two exceptions share a date', () => {
    const property = fc.property(exceptionPairs, ([one, other]) =>
      expect(aboutExceptions(modules, one!, other!)).toBeUndefined(),
    );
    fc.assert(property, { numRuns: 250 });
  });
});

describe('hard dates, by hand', () => {
  test.each(hardDates)('$timezone, $hours $exceptions, at $at', (row) => {
    const instant = Date.parse(row.at);
    const expected = { isOpen: row.isOpen, next: row.next && Date.parse(row.next) };
    const asked = new WorkingHoursClock(scheduleOf(row));
    expect({ isOpen: asked.isOpen(instant), next: asked.nextChange(instant)?.at }).toEqual(expected);
    const oracle = new HoursOracle(scheduleOf(row));
    expect({ isOpen: oracle.isOpenAt(instant), next: oracle.nextFlip(instant)?.at }).toEqual(expected);
  });
});

describe('the settings of clocks', () => {
  const DAY_MS = 86_400_000;
  /** How many in a year, each day's offset held against the runtime's: no clock was set forth and back within one. */
  const settings = (name: string, year: number) => {
    const [zone, source] = [new Zone(name), IANAZone.create(name)];
    let count = 0;
    for (let day = Date.UTC(year, 0); day < Date.UTC(year + 1, 0); day += DAY_MS) {
      const offset = Math.round(source.offset(day) * 60_000);
      if (zone.offset(day) !== offset) throw new Error(`${name} is not known on ${new Date(day).toISOString()}`);
      if (zone.nextSetting(day, day + DAY_MS) !== undefined) count += 1;
    }
    return count;
  };

  test.each([
    ['America/Recife', 2000, 3],
    ['America/Boa_Vista', 2000, 3],
    ['America/Argentina/Tucuman', 2004, 2],
    ['Africa/Cairo', 2010, 4],
    ['Africa/Casablanca', 2012, 4],
    ['Asia/Hebron', 2011, 4],
    ['Asia/Gaza', 2040, 2],
    ['Asia/Gaza', 2073, 2],
  ])('of %s in %i, set forth and back within weeks, are all found', (name, year, count) => {
    expect(settings(name, year)).toBe(count);
  });

  test('of all zones are found, in any year', () => {
    for (const [index, name] of zones.entries()) {
      // Others each day.
      const turn = Math.floor(Date.now() / DAY_MS) + index * 37;
      for (const year of [1970 + (turn % 68), 2038 + (turn % 162)]) settings(name, year);
    }
  });
});

describe('what nothing happens in is leapt over', () => {
  const two = (hour: number) => String(hour % 24).padStart(2, '0');
  const shifts = Array.from({ length: 24 }, (_, hour) => `${two(hour)}:30-${two(hour + 1)}:30`);
  const always = shifts.map((each) => `daily ${each}`).join(', ');
  /** Milliseconds. Any answer that walked through the years day by day would take far longer, also on a busy machine. */
  const AT_ONCE = 2000;
  const quickly = <Answer>(ask: () => Answer): Answer => {
    const began = performance.now();
    const answer = ask();
    expect(performance.now() - began).toBeLessThan(AT_ONCE);
    return answer;
  };

  test('by a business that is always open only with its neighbouring days, up to its one holiday', () => {
    const far = quickly(() => hoursIn('America/Boise', always, '2199-05-01 yearly'));
    expect(quickly(() => changes(far, '2026-11-24T00:00:00Z', 2))).toEqual([
      '- 2199-05-01T06:30Z',
      '+ 2199-05-02T06:30Z',
    ]);
    expect(quickly(() => changes(hoursIn('Europe/Oslo', always), '2026-11-24T00:00:00Z', 1))).toEqual([]);
  });

  test('also when every day of the year is an exception', () => {
    const each = Array.from({ length: 364 }, (_, index) => {
      const date = new Date(Date.UTC(2027, 0, 1 + index)).toISOString().slice(0, 10);
      return `${date} yearly ${shifts.join(' ')}`;
    });
    const never = hoursIn('Europe/Vilnius', always, ...each, '2199-12-31 yearly');
    expect(quickly(() => changes(never, '2026-11-24T00:00:00Z', 1))).toEqual(['- 2199-12-30T22:30Z']);
  });

  test('five hundred changes take centuries, and no time', () => {
    const rare = hoursIn('America/Chicago', always, '1990-07-04 yearly');
    expect(quickly(() => rare.nextChanges(Date.UTC(2000, 0), 500))).toHaveLength(500);
  });
});

describe('what people complained about', () => {
  test('a lunch break closes, every day of the week anew', () => {
    const lunch = hoursIn('Europe/Madrid', 'Mon-Fri 09:00-13:30, Mon-Fri 15:00-18:00');
    // A Friday, and the Monday after it.
    expect(changes(lunch, '2027-07-02T00:00:00Z', 6)).toEqual([
      '+ 2027-07-02T07:00Z',
      '- 2027-07-02T11:30Z',
      '+ 2027-07-02T13:00Z',
      '- 2027-07-02T16:00Z',
      '+ 2027-07-05T07:00Z',
      '- 2027-07-05T11:30Z',
    ]);
  });

  test('hours past midnight belong to the evening that they began on', () => {
    const bar = hoursIn('UTC', 'Fri-Sat 22:00-03:00');
    expect(changes(bar, '2027-07-01T00:00:00Z', 4)).toEqual([
      '+ 2027-07-02T22:00Z',
      '- 2027-07-03T03:00Z',
      '+ 2027-07-03T22:00Z',
      '- 2027-07-04T03:00Z',
    ]);
    expect(bar.isOpen(Date.parse('2027-07-02T02:00:00Z'))).toBe(false);
  });

  test('a holiday closes its date, yet not what began the evening before', () => {
    const bar = hoursIn('UTC', 'daily 22:00-03:00', '2027-12-25');
    expect(changes(bar, '2027-12-24T12:00:00Z', 3)).toEqual([
      '+ 2027-12-24T22:00Z',
      '- 2027-12-25T03:00Z',
      '+ 2027-12-26T22:00Z',
    ]);
  });

  test('a holiday may have hours of its own, past midnight too, and comes back every year', () => {
    const shop = hoursIn('UTC', 'Mon-Fri 09:00-17:00', '2026-12-31 yearly 10:00-14:00 22:00-02:00');
    for (const year of [2026, 2027, 2036]) {
      expect(changes(shop, `${year}-12-31T00:00:00Z`, 4)).toEqual([
        `+ ${year}-12-31T10:00Z`,
        `- ${year}-12-31T14:00Z`,
        `+ ${year}-12-31T22:00Z`,
        `- ${year + 1}-01-01T02:00Z`,
      ]);
    }
    // A Wednesday, a year before the first one.
    expect(changes(shop, '2025-12-31T00:00:00Z', 1)).toEqual(['+ 2025-12-31T09:00Z']);
  });

  test('special hours of a division go before a holiday of the company', () => {
    const open = Date.parse('2027-07-05T11:00:00Z');
    const [division, company] = ['2027-07-05 10:00-12:00', '2027-07-01..2027-07-09'];
    expect(hoursIn('UTC', 'daily 08:00-17:00', division, company).isOpen(open)).toBe(true);
    expect(hoursIn('UTC', 'daily 08:00-17:00', company, division).isOpen(open)).toBe(false);
  });

  test('hours with the zone they are meant in, which another one shifts', () => {
    const at = Date.parse('2027-07-05T01:30:00Z');
    expect(hoursIn('Asia/Jakarta', 'Mon-Fri 08:00-17:00').isOpen(at)).toBe(true);
    expect(hoursIn('Asia/Makassar', 'Mon-Fri 08:00-17:00').isOpen(at)).toBe(true);
    expect(hoursIn('UTC', 'Mon-Fri 08:00-17:00').isOpen(at)).toBe(false);
    // Links are zones too.
    expect(changes(hoursIn('Asia/Calcutta', 'Mon-Fri 08:00-17:00'), '2027-07-05T00:00:00Z', 1)).toEqual([
      '+ 2027-07-05T02:30Z',
    ]);
  });

  test('hours stay where they are on the wall clock when it is set', () => {
    const office = hoursIn('Europe/Berlin', 'daily 08:00-17:00');
    // From Saturday to Sunday the clock goes from +01 to +02, in October back.
    expect(changes(office, '2027-03-27T00:00:00Z', 4)).toEqual([
      '+ 2027-03-27T07:00Z',
      '- 2027-03-27T16:00Z',
      '+ 2027-03-28T06:00Z',
      '- 2027-03-28T15:00Z',
    ]);
    expect(changes(office, '2027-10-30T12:00:00Z', 2)).toEqual(['- 2027-10-30T15:00Z', '+ 2027-10-31T07:00Z']);
  });

  test.each([ALWAYS, 'daily 00:00-12:00, daily 12:00-00:00', 'daily 08:00-20:00, daily 20:00-08:00'])(
    'a business that never closes (%s) has no closed minute at midnight and no next change',
    (hours) => {
      for (const timezone of ['Asia/Jakarta', 'America/Santiago', 'Africa/Cairo']) {
        const always = hoursIn(timezone, hours);
        const start = Date.parse('2027-03-27T00:00:00Z');
        const minutes = Array.from({ length: 2 * 1440 }, (_, minute) => start + minute * 60_000);
        expect(minutes.filter((instant) => !always.isOpen(instant) || !always.isOpen(instant + 59_999))).toEqual([]);
        expect(always.nextChange(start)).toBeUndefined();
      }
    },
  );

  test('the example of the documentation: Asia/Jakarta, Monday to Friday 08:00 to 17:00, every hour of a week', () => {
    const example = hoursIn('Asia/Jakarta', 'Mon-Fri 08:00-17:00');
    // Sunday 2027-07-04, 00:00 in Jakarta.
    const sunday = Date.parse('2027-07-03T17:00:00Z');
    for (let hour = 0; hour < 7 * 24; hour++) {
      const [weekday, time] = [Math.floor(hour / 24), hour % 24];
      const isOpen = weekday >= 1 && weekday <= 5 && time >= 8 && time < 17;
      const at = sunday + hour * 3_600_000;
      expect({ hour, isOpen: example.isOpen(at) }).toEqual({ hour, isOpen });
      expect({ hour, isOpen: example.isOpen(at + 3_599_999) }).toEqual({ hour, isOpen });
    }
  });

  test('open time counts only while open: two hours from Friday afternoon end on Monday', () => {
    const reigns = [{ from: 0, clock: hoursIn('UTC', 'Mon-Fri 08:00-17:00') }];
    const friday = Date.parse('2027-07-02T16:00:00Z');
    const { at: end } = businessTime.afterOpenTime(reigns, friday, 2 * 3_600_000, friday + 30 * 86_400_000);
    expect(end).toBe(Date.parse('2027-07-05T09:00:00Z'));
    expect(businessTime.openTimeBetween(reigns, friday, end!)).toBe(2 * 3_600_000);
  });
  test('open time of a whole year', () => {
    const reigns = [{ from: 0, clock: hoursIn('UTC', 'daily 08:00-17:00') }];
    const year = [Date.UTC(2027, 0), Date.UTC(2028, 0)] as const;
    expect(businessTime.openTimeBetween(reigns, ...year)).toBe(365 * 9 * 3_600_000);
  });
});
