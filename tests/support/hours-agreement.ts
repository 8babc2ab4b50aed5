/** What it means for the working hours module to agree with the oracle. The module is handed in: mutants are tried too. */
import type { afterOpenTime, openTimeBetween } from '../../src/domain/working-hours/business-time.ts';
import type { WorkingHoursClock } from '../../src/domain/working-hours/clock.ts';
import type { commonDate } from '../../src/domain/working-hours/occurrences.ts';
import type { HoursCase } from './hours-cases.ts';
import { type Flip, HoursOracle, type OracleException } from './hours-oracle.ts';
import type { WallClock } from './wall-clock.ts';

export interface HoursModule {
  WorkingHoursClock: typeof WorkingHoursClock;
  openTimeBetween: typeof openTimeBetween;
  afterOpenTime: typeof afterOpenTime;
  commonDate: typeof commonDate;
}

export interface Disagreement {
  question: string;
  module: string;
  oracle: string;
}

const FLIPS = 2;
const DAY_MS = 86_400_000;
const stamp = (instant: number | undefined) => (instant === undefined ? 'never' : new Date(instant).toISOString());
const told = (flips: readonly Flip[]) =>
  flips.map(({ at, isOpen }) => `${isOpen ? 'opens' : 'closes'} ${stamp(at)}`).join(', ') || 'never changes';

/** The question and the answers are written down only where they are needed. */
function compare<A>(question: () => string, module: A, oracle: A, write: (answer: A) => string = String) {
  return module === oracle ? undefined : { question: question(), module: write(module), oracle: write(oracle) };
}

/** @returns the first question to which the two give different answers, if there is one. */
export function disagreement(modules: HoursModule, wall: WallClock, tried: HoursCase): Disagreement | undefined {
  const clock = new modules.WorkingHoursClock(tried.schedule);
  const oracle = new HoursOracle(tried.schedule, wall);
  for (const instant of tried.instants) {
    const found = aboutInstant(clock, oracle, instant);
    if (found) return found;
  }
  return aboutOpenTime(modules, clock, oracle, wall, tried);
}

function aboutInstant(clock: WorkingHoursClock, oracle: HoursOracle, instant: number): Disagreement | undefined {
  const mine: Flip[] = [];
  for (const change of clock.changes(instant)) if (mine.push(change) === FLIPS) break;
  const theirs = oracle.flips(instant, FLIPS);
  const same = mine.length === theirs.length && mine.every((flip, i) => isSame(flip, theirs[i]!));
  const next = mine[0];
  return (
    compare(() => `open at ${stamp(instant)}`, clock.isOpen(instant), oracle.isOpenAt(instant)) ??
    (same ? undefined : compare(() => `changes after ${stamp(instant)}`, mine, theirs, told)) ??
    compare(() => `next change after ${stamp(instant)}`, clock.nextChange(instant)?.at, theirs[0]?.at, stamp) ??
    // On both sides of the change, read straight from Intl: the oracle's walk through time has to be right as well.
    (next && around(clock, oracle, next))
  );
}

const isSame = (one: Flip, other: Flip) => one.at === other.at && one.isOpen === other.isOpen;

function around(clock: WorkingHoursClock, oracle: HoursOracle, { at, isOpen }: Flip): Disagreement | undefined {
  return (
    compare(() => `open at ${stamp(at)}`, isOpen, oracle.isOpenAt(at)) ??
    compare(() => `open at ${stamp(at - 1)}`, !isOpen, oracle.isOpenAt(at - 1)) ??
    compare(() => `open at ${stamp(at - 1)}`, clock.isOpen(at - 1), !isOpen) ??
    compare(() => `next change after ${stamp(at - 1)}`, clock.nextChange(at - 1)?.at, at, stamp)
  );
}

/** One schedule until the second instant, the other one from there on. */
function aboutOpenTime(
  { WorkingHoursClock, openTimeBetween, afterOpenTime }: HoursModule,
  clock: WorkingHoursClock,
  oracle: HoursOracle,
  wall: WallClock,
  { later, instants, duration }: HoursCase,
): Disagreement | undefined {
  const [from, turn, to] = [...instants].sort((a, b) => a - b) as [number, number, number];
  const reigns = [
    { from: from + 1, clock },
    { from: turn, clock: new WorkingHoursClock(later) },
  ];
  const oracleLater = new HoursOracle(later, wall);
  const until = to + 8 * DAY_MS;
  const sum = (to: number) => oracle.openTime(from, Math.min(turn, to)) + oracleLater.openTime(turn, to);
  const range = () => `from ${stamp(from)} to ${stamp(until)}, by the later schedule from ${stamp(turn)}`;
  const all = sum(until);
  const about = (time: number) => {
    const passed = afterOpenTime(reigns, from, time, until);
    const end = passed.at;
    const question = () => `${time} ms of open time ${range()}`;
    return (
      compare(() => `${question()}: whether they pass`, end !== undefined, time <= all) ??
      (end === undefined
        ? compare(() => `${question()}: what is left`, passed.at ?? passed.left, time - all)
        : (compare(() => `${question()}: passed by ${stamp(end)}`, time, sum(end)) ??
          compare(() => `${question()}: counted up to ${stamp(end)}`, openTimeBetween(reigns, from, end), time) ??
          compare(() => `${question()}: passed a millisecond before ${stamp(end)}`, time === 0, sum(end - 1) === time)))
    );
  };
  return (
    compare(() => `open time ${range()}`, openTimeBetween(reigns, from, until), all) ??
    about(duration) ??
    // All that is open up to the change of schedules, so that it mostly ends where a stretch does.
    about(sum(turn))
  );
}

/** Whether two exceptions share a day, told off day by day: within nine years from the later start, or never. */
export function aboutExceptions({ commonDate }: HoursModule, one: OracleException, other: OracleException) {
  const start = Math.max(Date.parse(one.startDate), Date.parse(other.startDate));
  const ends = [one, other].map(({ endDate, yearly }) => (yearly ? start + 9 * 366 * DAY_MS : Date.parse(endDate)));
  const shared: string[] = [];
  for (let at = start; at <= Math.min(...ends); at += DAY_MS) {
    const date = stamp(at).slice(0, 10);
    if (HoursOracle.covers(one, date) && HoursOracle.covers(other, date)) shared.push(date);
  }
  const found = commonDate(one, other);
  const names = [one, other].map(
    ({ startDate, endDate, yearly }) => `${startDate}–${endDate}${yearly ? ' yearly' : ''}`,
  );
  const question = () => `a day of ${names.join(' and of ')}`;
  return (
    compare(question, found !== undefined, shared.length > 0) ??
    (found === undefined
      ? undefined
      : compare(
          () => `${question()}: ${found}`,
          shared.some((date) => date.endsWith(found)),
          true,
        ))
  );
}
