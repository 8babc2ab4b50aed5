/** What other zone data would change: the coming changes of schedules that then come at another instant. */
import { type Change, WorkingHoursClock } from '../working-hours/clock.ts';
import type { Schedule } from '../working-hours/schedule.ts';
import { type WallClock, Zone } from '../working-hours/zone.ts';

const DAY_MS = 86_400_000;
const DAYS_AHEAD = 400;
/** The clock is set by an hour, or once in a century by a day: what lies further apart is another change. */
const MARGIN_MS = 2 * DAY_MS;
/** A schedule with more changes is compared as far as these go. */
const MOST_CHANGES = 5000;

/** Hours that are somebody's. */
export interface Dependent {
  /** Its slug. */
  tenant: string;
  /** Absent for the hours of the whole organization. */
  division?: string;
  schedule: Schedule;
}

/** A change under both; absent where there is none under one of them. */
export interface Move {
  isOpen: boolean;
  from?: number;
  to?: number;
}

export interface Impact {
  dependent: Dependent;
  /** How many changes move. */
  moved: number;
  first: Move;
}

/** A zone under both. */
export interface Pair {
  present: WallClock;
  other: WallClock;
}

/**
 * @param pairs the zones in question by their names; schedules of others are left alone.
 * @param now milliseconds since the epoch.
 * @returns the schedules of which changes within the next 400 days move.
 */
export function impacts(dependents: readonly Dependent[], pairs: ReadonlyMap<string, Pair>, now: number): Impact[] {
  // A schedule costs some milliseconds, a zone is asked once for all of its schedules.
  const differing = new Map([...pairs].filter(([, pair]) => differ(pair, now)));
  return dependents.flatMap((dependent) => {
    const pair = differing.get(dependent.schedule.timezone);
    const moves = pair ? movesOf(dependent.schedule, pair, now) : [];
    return moves.length > 0 ? [{ dependent, moved: moves.length, first: moves[0]! }] : [];
  });
}

/** The zone by the runtime's own data. @throws {RangeError} when it is unknown there. */
export const runtimeClock = (name: string): WallClock => new Zone(name);

function differ({ present, other }: Pair, now: number): boolean {
  const until = now + DAYS_AHEAD * DAY_MS + MARGIN_MS;
  for (let at: number | undefined = now - MARGIN_MS; at !== undefined; at = present.nextSetting(at, until)) {
    if (present.offset(at) !== other.offset(at)) return true;
    if (present.nextSetting(at, until) !== other.nextSetting(at, until)) return true;
  }
  return false;
}

/** Those that move, by the earlier of their two instants. Looks a little beyond both ends, where partners may lie. */
export function movesOf(schedule: Schedule, { present, other }: Pair, now: number): Move[] {
  const begin = now - MARGIN_MS;
  const horizon = now + DAYS_AHEAD * DAY_MS;
  const before = changes(schedule, present, begin, horizon + MARGIN_MS);
  const after = changes(schedule, other, begin, horizon + MARGIN_MS);
  const end = Math.min(horizon, before.until - MARGIN_MS, after.until - MARGIN_MS);
  const gone = without(before.list, after.list);
  const come = without(after.list, before.list);
  return [true, false]
    .flatMap((isOpen) => partners(isOpen, gone, come))
    .filter((move) => latest(move) > now && earliest(move) < end)
    .sort((a, b) => earliest(a) - earliest(b));
}

function changes(schedule: Schedule, zone: WallClock, from: number, to: number) {
  const list: Change[] = [];
  for (const change of new WorkingHoursClock(schedule, zone).changes(from)) {
    if (change.at >= to) break;
    list.push(change);
    if (list.length === MOST_CHANGES) return { list, until: change.at };
  }
  return { list, until: to };
}

function without(list: readonly Change[], others: readonly Change[]): Change[] {
  const known = new Set(others.map(({ at, isOpen }) => `${at} ${isOpen}`));
  return list.filter(({ at, isOpen }) => !known.has(`${at} ${isOpen}`));
}

/** Puts what opens, or what closes, together with what it becomes: in their order, and not far from each other. */
function partners(isOpen: boolean, gone: readonly Change[], come: readonly Change[]): Move[] {
  const [from, to] = [gone, come].map((list) => list.filter((change) => change.isOpen === isOpen).map(({ at }) => at));
  const moves: Move[] = [];
  for (let i = 0, j = 0; i < from!.length || j < to!.length; ) {
    const [one, another] = [from![i] ?? Number.POSITIVE_INFINITY, to![j] ?? Number.POSITIVE_INFINITY];
    const belong = Math.abs(one - another) < MARGIN_MS / 2;
    const takesOne = belong || one < another;
    const takesAnother = belong || !takesOne;
    moves.push({ isOpen, ...(takesOne && { from: one }), ...(takesAnother && { to: another }) });
    i += takesOne ? 1 : 0;
    j += takesAnother ? 1 : 0;
  }
  return moves;
}

const earliest = ({ from, to }: Move) => Math.min(from ?? Number.POSITIVE_INFINITY, to ?? Number.POSITIVE_INFINITY);
const latest = ({ from, to }: Move) => Math.max(from ?? Number.NEGATIVE_INFINITY, to ?? Number.NEGATIVE_INFINITY);
