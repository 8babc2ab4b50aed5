/** That the proof can fail: each of these small mistakes in the working hours module is found by it. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hardDates, scheduleOf, weekly } from './support/hard-dates.ts';
import { disagreement, type HoursModule } from './support/hours-agreement.ts';
import { hoursCases } from './support/hours-cases.ts';
import { WallClock } from './support/wall-clock.ts';

/**
 * What is wrong, in which file, what to replace and by what. Not here are changes that change no answer: asking about a second
 * edge that is none, a setting of the clock by nothing at the turn of the year, an occurrence that ends before it begins.
 */
const mutations: [name: string, file: string, from: string, to: string][] = [
  ['the start is excluded', 'day-plan', 'start <= second &&', 'start < second &&'],
  ['the end is included', 'day-plan', 'second < end)', 'second <= end)'],
  ['hours past midnight end there', 'day-plan', 'if (opening.hours.end > DAY)', 'if (opening.hours.end > 2 * DAY)'],
  [
    'hours past midnight end a second early',
    'day-plan',
    'end: opening.hours.end - DAY }',
    'end: opening.hours.end - DAY - 1 }',
  ],
  [
    'an exception cuts off the evening before',
    'day-plan',
    'of this.#openings(day - 1)',
    'of this.exceptionOn(day) ? [] : this.#openings(day - 1)',
  ],
  ['the last second of a day is closed', 'day-plan', 'Math.min(end, DAY)', 'Math.min(end, DAY - 1)'],
  ['inactive entries open', 'day-plan', 'if (entry.isActive)', 'if (entry)'],
  ['the last exception counts', 'day-plan', 'if (!days.has(day)) days.set', 'days.set'],
  [
    'exceptions do not replace the week',
    'day-plan',
    'special?.openings ?? this',
    'special?.openings.concat(this.#week[weekdayOf(day)]!) ?? this',
  ],
  [
    'an exception without hours changes nothing',
    'day-plan',
    'return special?.openings ??',
    'if (special?.openings.length) return special.openings; return',
  ],
  ['the weekday is the next one', 'day-plan', 'this.#week[weekdayOf(day)]', 'this.#week[weekdayOf(day + 1)]'],
  ['any hours fill a day', 'day-plan', 'return reached >= DAY', 'return reached > 0'],
  ['a gap of less than a minute is none', 'day-plan', 'if (start <= reached)', 'if (start < reached + 60)'],
  ['one closed day makes all closed', 'day-plan', 'days.every((openings) =>', 'days.some((openings) =>'],
  ['00:00 as an end is the start of the day', 'schedule', 'end === 0 ? DAY', 'end === 0 ? 0'],
  ['an end before the start is not the next day', 'schedule', 'end < start ? end + DAY', 'end < start ? DAY'],
  ['the week begins on Monday', 'schedule', '(day + 4) % 7', '(day + 3) % 7'],
  ['seconds are not read', 'schedule', '+ Number(seconds)', '+ 0 * Number(seconds)'],
  ['yearly also before the first year', 'occurrences', 'if (!yearly || year < firstYear)', 'if (!yearly)'],
  ['no exception is yearly', 'occurrences', 'if (!yearly || year < firstYear)', 'if (year !== firstYear)'],
  ['29 February as an end is 1 March', 'occurrences', 'Math.min(endDay, daysIn(endYear, endMonth))', 'endDay'],
  [
    '29 February as a start is 28 February',
    'occurrences',
    'dayFrom(year, startMonth, startDay)',
    'dayFrom(year, startMonth, Math.min(startDay, daysIn(year, startMonth)))',
  ],
  [
    'an occurrence ends with the year',
    'occurrences',
    'began = year - (endYear(dates) - startYear(dates))',
    'began = year',
  ],
  ['an occurrence ends in the year that it begins', 'occurrences', 'year + lastYear - firstYear', 'year'],
  ['eight years without a change are enough', 'occurrences', 'CYCLE_YEARS = 40', 'CYCLE_YEARS = 8'],
  ['an exception far ahead is not waited for', 'clock', '(last + days) * DAY_MS', 'days'],
  ['a day without a change is enough', 'clock', 'QUIET_DAYS = 16', 'QUIET_DAYS = 1'],
  ['five days without a change are enough', 'clock', 'QUIET_DAYS = 16', 'QUIET_DAYS = 5'],
  ['changes do not make it wait anew', 'clock', 'quietSince = candidate;', ''],
  ['a setting of the clock changes nothing by itself', 'clock', 'yield until;', 'if (until === limit) yield until;'],
  ['the clock runs on when it is set', 'clock', 'this.#zone.nextSetting(from, limit) ?? limit', 'limit'],
  [
    'milliseconds are rounded',
    'clock',
    'Math.floor((local - day * DAY_MS) / 1000)',
    'Math.round((local - day * DAY_MS) / 1000)',
  ],
  [
    'the instant itself is a later one',
    'clock',
    'let isOpen = this.isOpen(instant);',
    'let isOpen = this.isOpen(instant - 1);',
  ],
  [
    'offsets are whole hours',
    'zone',
    'Math.round(zone.offset(instant) * MINUTE)',
    'Math.round(zone.offset(instant) / 60) * 60 * MINUTE',
  ],
  ['clocks are set a second late', 'zone', 'return high;', 'return high + 1000;'],
  ['clocks are set a second early', 'zone', 'return high;', 'return low;'],
  ['clocks are set to the minute', 'zone', 'while (high - low > 1000)', 'while (high - low > 60_000)'],
  ['a year has one setting', 'zone', 'run = { from: set, to, offset };', 'run = { from: set, to, offset }; break;'],
  ['a later schedule does not end the earlier one', 'business-time', 'reigns[index + 1]?.from ?? to', 'to'],
  ['the first schedule did not hold before', 'business-time', 'index === 0 ? from :', ''],
  ['open time at the end is not counted', 'business-time', 'if (openSince !== undefined) yield', 'if (false) yield'],
  ['what is just enough is not', 'business-time', 'length >= left', 'length > left'],
  ['no duration waits for the opening', 'business-time', 'if (left === 0) return from;', ''],
];

const source = new URL('../src/domain/working-hours/', import.meta.url);
const texts = new Map<string, string>();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(import.meta.dirname, '..', '.tmp-hours-mutants-'));
  for (const name of await readdir(source)) texts.set(name, await readFile(new URL(name, source), 'utf8'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The module with a change in one of its files, loaded from a copy of its own. */
async function load(name: string, changed?: { file: string; text: string }): Promise<HoursModule> {
  const copy = join(folder, name);
  await mkdir(copy);
  for (const [file, original] of texts) {
    const text = file === changed?.file ? changed.text : original;
    // What lies outside of the folder is imported from where it is.
    await writeFile(join(copy, file), text.replaceAll("from '../", `from '${new URL('..', source).pathname}`));
  }
  const [clock, businessTime, occurrences] = await Promise.all(
    ['clock', 'business-time', 'occurrences'].map((file) => import(join(copy, `${file}.ts`))),
  );
  return { ...clock, ...businessTime, ...occurrences };
}

const walls = ['Australia/Lord_Howe', 'America/Santiago', 'Asia/Kathmandu', 'Europe/Berlin'].map(
  (name) => new WallClock(name),
);

/** What tells that a module is wrong. */
function whatIsWrong(modules: HoursModule): string | undefined {
  for (const row of hardDates) {
    const clock = new modules.WorkingHoursClock(scheduleOf(row));
    const instant = Date.parse(row.at);
    if (clock.isOpen(instant) !== row.isOpen) return `${row.timezone} at ${row.at}`;
    if (clock.nextChange(instant)?.at !== (row.next && Date.parse(row.next))) return `${row.timezone} after ${row.at}`;
  }
  const everyDay = new modules.WorkingHoursClock({
    timezone: 'UTC',
    weekly: weekly('daily 08:00-17:00'),
    exceptions: [],
  });
  const year = [Date.UTC(2027, 0), Date.UTC(2028, 0)] as const;
  if (modules.openTimeBetween([{ from: 0, clock: everyDay }], ...year) !== 365 * 9 * 3_600_000) return 'a whole year';
  for (const wall of walls) {
    const property = fc.property(hoursCases(wall), (tried) => disagreement(modules, wall, tried) === undefined);
    const run = fc.check(property, { seed: 20270905, numRuns: 40, endOnFailure: true });
    if (run.failed) return `a case in ${wall.timezone}`;
  }
  return undefined;
}

test('the copy without a mistake passes', async () => {
  expect(whatIsWrong(await load('as-it-is'))).toBeUndefined();
});

test.each(mutations)('found: %s', async (name, stem, from, to) => {
  const file = `${stem}.ts`;
  const original = texts.get(file)!;
  // Once and no more: a text that the source has no longer would prove nothing.
  expect(original.split(from)).toHaveLength(2);
  const mutant = await load(name.replaceAll(/\W+/g, '-'), { file, text: original.replace(from, () => to) });
  expect(whatIsWrong(mutant)).toBeDefined();
});
