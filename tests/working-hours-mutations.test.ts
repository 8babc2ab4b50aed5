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
 * that is no edge, a setting of the clock by nothing at the turn of the year, an occurrence that ends before it begins.
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
    'of this.#openingsOf(this.#kind(day - 1))',
    'of this.exceptionOn(day) ? [] : this.#openingsOf(this.#kind(day - 1))',
  ],
  ['the last second of a day is closed', 'day-plan', 'Math.min(end, DAY)', 'Math.min(end, DAY - 1)'],
  ['inactive entries open', 'day-plan', 'if (entry.isActive)', 'if (entry)'],
  ['the last exception counts', 'exception-days', 'places[day]! > place', 'places[day]! <= place'],
  ['an exception that comes once goes first', 'exception-days', 'places[day] === 0 || places[day]! > place', 'true'],
  [
    'an exception that comes once ends with its year',
    'exception-days',
    'year <= parts.lastYear; year++',
    'year <= parts.firstYear; year++',
  ],
  ['the last day of a year is not looked at', 'exception-days', 'at <= to && at < before', 'at < to && at < before'],
  [
    'exceptions do not replace the week',
    'day-plan',
    'found.push({ ...opening, began: day, start',
    'found.push(...this.#openings[weekdayOf(day)]!.map((one) => ({ ...one, began: day, ...one.hours })), { ...opening, began: day, start',
  ],
  [
    'an exception without hours changes nothing',
    'day-plan',
    'return place === undefined ? weekdayOf',
    'return place === undefined || this.#exceptions[place]!.hours.length === 0 ? weekdayOf',
  ],
  ['the weekday is the next one', 'day-plan', 'undefined ? weekdayOf(day)', 'undefined ? weekdayOf(day + 1)'],
  ['any week is the same all through', 'day-plan', 'kind).length === 0', 'kind).length >= 0'],
  [
    'a week is looked at day by day, each by itself',
    'day-plan',
    'this.#flipsOf((kind + WEEK - 1) % WEEK, kind).length',
    'this.#flipsOf(kind, kind).length',
  ],
  ['the day after an exception is one like any other', 'day-plan', ' && this.#kind(day - 1) < WEEK', ''],
  ['the leap goes past the exception', 'day-plan', 'day = special;', 'day = special + 1;'],
  ['the leap goes past an exception of tomorrow', 'day-plan', 'this.#days.next(day + 1', 'this.#days.next(day + 2'],
  ['what was found quiet is so at any time', 'day-plan', 'from <= after && after < to', 'after < to'],
  ['what was found quiet is so for ever', 'day-plan', 'from <= after && after < to', 'from <= after'],
  [
    'a second between hours is not seen',
    'day-plan',
    'start > openTo) flips.push(openTo)',
    'start > openTo + 1) flips.push(openTo)',
  ],
  ['an opening goes unseen', 'day-plan', 'openTo === undefined || start > openTo', 'openTo === undefined'],
  ['shorter hours within longer ones end these', 'day-plan', 'Math.max(openTo ?? 0, end)', 'end'],
  ['midnight is a flip', 'day-plan', 'hours.end >= DAY) ? 0', 'hours.end > DAY) ? 0'],
  ['midnight is none', 'day-plan', 'hours.end >= DAY) ? 0 : undefined', 'hours.end >= 0) ? 0 : undefined'],
  ['00:00 as an end is the start of the day', 'schedule', 'end === 0 ? DAY', 'end === 0 ? 0'],
  ['an end before the start is not the next day', 'schedule', 'end < start ? end + DAY', 'end < start ? DAY'],
  ['the week begins on Monday', 'schedule', '(day + 4) % 7', '(day + 3) % 7'],
  ['seconds are not read', 'schedule', '+ Number(seconds)', '+ 0 * Number(seconds)'],
  ['yearly also before the first year', 'occurrences', 'if (!yearly || year < firstYear)', 'if (!yearly)'],
  ['no exception is yearly', 'occurrences', 'if (!yearly || year < firstYear)', 'if (true)'],
  ['29 February as an end is 1 March', 'occurrences', 'Math.min(end[1], daysIn(endYear, end[0]))', 'end[1]'],
  [
    '29 February as a start is 28 February',
    'occurrences',
    'dayFrom(year, ...start)',
    'dayFrom(year, start[0], Math.min(start[1], daysIn(year, start[0])))',
  ],
  [
    'an occurrence ends with the year',
    'occurrences',
    'began = year - (parts.lastYear - parts.firstYear)',
    'began = year',
  ],
  ['an occurrence ends in the year that it begins', 'occurrences', 'year + lastYear - firstYear', 'year'],
  ['eight years without a change are enough', 'occurrences', 'CYCLE_YEARS = 40', 'CYCLE_YEARS = 8'],
  [
    'an exception far ahead is not waited for',
    'clock',
    'Math.max(instant, this.#plan.lastException * DAY_MS)',
    'instant',
  ],
  ['a day without a change is enough', 'clock', 'QUIET_DAYS = 16', 'QUIET_DAYS = 1'],
  ['five days without a change are enough', 'clock', 'QUIET_DAYS = 16', 'QUIET_DAYS = 5'],
  ['changes do not make it wait anew', 'clock', 'end = Math.min(until, this.#quietEnd(at));', ''],
  ['a setting of the clock changes nothing by itself', 'clock', 'yield next;', ''],
  ['the clock runs on when it is set', 'clock', 'this.#zone.nextSetting(start, limit) ?? limit', 'limit'],
  ['the leap ends by another clock', 'clock', 'flip * 1000 - MOST_OFFSET', 'flip * 1000'],
  ['the leap begins by another clock', 'clock', '(from - MOST_OFFSET) / 1000', 'from / 1000'],
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
  ['clocks are set a second early', 'zone', 'runs.push({ ...run, to: at })', 'runs.push({ ...run, to: at - 1000 })'],
  ['clocks are looked at twice a year', 'zone', 'STEP = 5 * DAY_MS', 'STEP = 180 * DAY_MS'],
  ['clocks are set to the minute', 'zone', 'while (high - low > 1000)', 'while (high - low > 60_000)'],
  [
    'a year has one setting',
    'zone',
    'run = { from: at, to, offset: this.#ask(at) };',
    'run = { from: at, to, offset: this.#ask(at) }; break;',
  ],
  ['a later schedule does not end the earlier one', 'business-time', 'reigns[index + 1]?.from ?? to', 'to'],
  ['the first schedule did not hold before', 'business-time', 'index === 0 ? from :', ''],
  ['open time at the end is not counted', 'business-time', 'if (openSince !== undefined) yield', 'if (false) yield'],
  ['what is just enough is not', 'business-time', 'length >= left', 'length > left'],
  ['what is left is all of it', 'business-time', 'return { left };', 'return { left: duration };'],
  ['a setting of the clock is a change', 'clock', 'if (at === next && this.isOpen(at) === isOpen) continue;', ''],
  ['no duration waits for the opening', 'business-time', 'if (left === 0) return { at: from };', ''],
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
