/**
 * Compiled time zone files (TZif, RFC 9636), as `zic` writes them: for asking other zone data than the runtime's own.
 * Nothing in a file is trusted.
 */

import type { OffsetSource } from '../working-hours/zone.ts';
import { posixRule, type SecondsAhead } from './posix-tz.ts';

/** A file that is cut off, or no TZif. */
export class TzifError extends Error {}

interface Counts {
  utIndicators: number;
  standardIndicators: number;
  leapSeconds: number;
  settings: number;
  types: number;
  names: number;
}

const HEADER_BYTES = 44;
const TYPE_BYTES = 6;
/** Of RFC 9636, section 3.2: more than 25 hours behind, or 26 ahead, is nobody's clock. */
const AHEAD = { least: -89_999, most: 93_599 };

const fail = (why: string): never => {
  throw new TzifError(why);
};

/**
 * @returns the wall clock of the file's zone.
 * @throws {TzifError} for a file that is cut off, contradicts itself, or is of version 1, whose times end in 2038.
 */
export function readTzif(file: Uint8Array): OffsetSource {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const old = readHeader(view, 0);
  if (old.version === 0) fail('it is of version 1, which ends in 2038');
  // What older readers are given comes first, with times of four bytes.
  const start = HEADER_BYTES + blockBytes(old.counts, 4);
  const { counts } = readHeader(view, start);
  const block = start + HEADER_BYTES;
  const end = block + blockBytes(counts, 8);
  if (end > view.byteLength) fail('it is cut off');
  const { settings, types } = counts;
  if (types === 0) fail('it has no local time');
  // Such as those below `right/`: their instants are not those of anybody else.
  if (counts.leapSeconds > 0) fail('it counts leap seconds');

  const times = Array.from({ length: settings }, (_, n) => Number(view.getBigInt64(block + n * 8)));
  if (times.some((time, n) => n > 0 && time <= times[n - 1]!)) fail('its settings are not in their order');
  const typesAt = block + settings * 9;
  const offsets = Array.from({ length: types }, (_, n) => view.getInt32(typesAt + n * TYPE_BYTES));
  if (offsets.some((offset) => offset < AHEAD.least || offset > AHEAD.most)) fail('it has an impossible local time');
  const kinds = Array.from(file.subarray(block + settings * 8, typesAt));
  if (kinds.some((kind) => kind >= types)) fail('a setting leads to no local time');

  const ahead = kinds.map((kind) => offsets[kind]!);
  const later = readFooter(file, end) ?? (() => ahead.at(-1) ?? offsets[0]!);
  return (instant) => secondsAhead({ times, ahead, first: offsets[0]!, later }, Math.floor(instant / 1000)) * 1000;
}

function readHeader(view: DataView, at: number): { version: number; counts: Counts } {
  if (at + HEADER_BYTES > view.byteLength) fail('it is cut off');
  // "TZif"
  if (view.getUint32(at) !== 0x545a_6966) fail('it is no compiled time zone');
  const [utIndicators, standardIndicators, leapSeconds, settings, types, names] = Array.from({ length: 6 }, (_, n) =>
    view.getUint32(at + 20 + n * 4),
  ) as [number, number, number, number, number, number];
  const counts = { utIndicators, standardIndicators, leapSeconds, settings, types, names };
  return { version: view.getUint8(at + 4), counts };
}

function blockBytes(counts: Counts, timeBytes: 4 | 8): number {
  const { utIndicators, standardIndicators, leapSeconds, settings, types, names } = counts;
  const leapBytes = timeBytes + 4;
  return (
    settings * (timeBytes + 1) +
    types * TYPE_BYTES +
    names +
    leapSeconds * leapBytes +
    standardIndicators +
    utIndicators
  );
}

/** @returns nothing where the file says nothing of what comes after its last setting. */
function readFooter(file: Uint8Array, at: number): SecondsAhead | undefined {
  const close = file.indexOf(0x0a, at + 1);
  if (file[at] !== 0x0a || close === -1) return fail('its end is cut off');
  const text = Buffer.from(file.subarray(at + 1, close)).toString('latin1');
  if (text === '') return undefined;
  try {
    return posixRule(text);
  } catch (error) {
    return fail((error as Error).message);
  }
}

interface Zone {
  /** Instants at which the clock is set, in seconds, ascending, and how far it is ahead from then on. */
  times: number[];
  ahead: number[];
  /** Before the first setting. */
  first: number;
  /** From the last setting on. */
  later: SecondsAhead;
}

function secondsAhead({ times, ahead, first, later }: Zone, instant: number): number {
  if (times.length === 0 || instant >= times.at(-1)!) return later(instant);
  // The first setting after the instant.
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! <= instant) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? first : ahead[low - 1]!;
}
