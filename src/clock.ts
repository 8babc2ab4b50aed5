/**
 * What time it is wherever processes compare times: ends of tokens, boundaries of hours, when a thing happened, the time within an id.
 *
 * The control database's clock is the platform's. A process whose own is off by more than a second goes by the database's
 * (live/clock-watch.ts); below that its own is the steadier one.
 */
import { randomInt } from 'node:crypto';
import { v7 } from 'uuid';

let offset = 0;

/** Milliseconds since the epoch. For how long something takes, `performance.now()` is right. */
export const nowMs = (): number => Date.now() + offset;

export const nowDate = (): Date => new Date(nowMs());

/** How far this process's own clock is behind the platform's, in milliseconds, as it is made up for; 0 where it need not be. */
export const correction = (): number => offset;

export function correctBy(milliseconds: number): void {
  offset = milliseconds;
}

let last = { ms: 0, seq: 0 };
/** A clock that was set back further than this is believed, and ids begin anew from there. Milliseconds. */
const SET_BACK_MS = 1000;

/** A UUIDv7 (RFC 9562) of this moment; those of one process ascend, also within a millisecond. */
export function newId(): string {
  const ms = nowMs();
  const ascends = ms <= last.ms && ms > last.ms - SET_BACK_MS;
  last = ascends ? { ms: last.ms, seq: last.seq + 1 } : { ms, seq: randomInt(2 ** 31) };
  return v7({ msecs: last.ms, seq: last.seq });
}
