/** What subscribers are promised, one by one; what does not hold is added to `broken`. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Actor } from '../tests/support/actors.ts';
import type { GatewayProcess } from '../tests/support/gateway-process.ts';
import { Hearsay, type SilentStream, Subscriber } from './crowd.ts';
import { census, gaugesOf, type Memory, residentMemory, until } from './gauges.ts';

/** How long nothing may come before what lacks is held to be lost. */
const PATIENCE_MS = 20_000;
/**
 * A silent socket is found by its second ping: 10 to 20 seconds; a stream 20 seconds after it takes nothing more; a busy machine may
 * take longer.
 */
const SILENCE_MS = 60_000;
/** By when those who leave are gone. */
const GOODBYE_MS = 5000;
/** What a crowd may leave behind on top of what an earlier one of the same size has left, in MiB: 4 KiB a socket, of two thousand. */
const MORE = { heap: 8, resident: 30 };

/** Waits until the gateway has found out who does not read. @returns how long that took, in milliseconds. */
export async function seenOff(
  gateway: GatewayProcess,
  quiet: (Subscriber | SilentStream)[],
  readers: number,
  broken: string[],
): Promise<number> {
  const since = performance.now();
  const { connections } = await until(
    () => gaugesOf(gateway),
    ({ connections }) => connections <= readers,
    SILENCE_MS,
  );
  const ms = performance.now() - since;
  if (connections > readers) broken.push(`${connections - readers} silent ones are still followed`);
  // Their side of it is seen only by reading on.
  for (const subscriber of quiet) subscriber.wake();
  const open = () => quiet.filter(({ closed }) => closed === undefined).length;
  const unaware = await until(open, (count) => count === 0, 5000);
  if (unaware > 0) broken.push(`${unaware} silent ones were not closed`);
  return ms;
}

/** What the gateway holds after the last client has left, garbage not counted. */
export async function left(gateway: GatewayProcess, broken: string[]): Promise<Memory> {
  const { connections } = await until(
    () => gaugesOf(gateway),
    (gauges) => gauges.connections === 0,
    GOODBYE_MS,
  );
  if (connections > 0) broken.push(`${connections} sockets are still counted`);
  const { iterators, heap } = await until(
    () => census(gateway),
    (found) => found.iterators === 0,
    GOODBYE_MS,
  );
  if (iterators > 0) broken.push(`${iterators} subscriptions are still followed`);
  return { heap, resident: residentMemory(gateway.pid) };
}

/**
 * What the first crowd leaves is nobody's leak: code that is compiled, and pages that V8 and the allocator keep for the next one. A
 * leak is what every further crowd adds.
 *
 * @param crowds what each has left, the first one first.
 */
export function refuseGrowth(crowds: readonly Memory[], broken: string[]): void {
  const [first, last] = [crowds[0]!, crowds.at(-1)!];
  for (const kind of ['heap', 'resident'] as const) {
    const each = (last[kind] - first[kind]) / (crowds.length - 1);
    if (each < MORE[kind]) continue;
    broken.push(`each crowd leaves ${each.toFixed(1)} MiB more ${kind} memory, where ${MORE[kind]} are allowed`);
  }
}

/** Waits for as long as something comes. */
export async function untilTold(readers: Subscriber[], events: number): Promise<void> {
  const count = () => readers.reduce((sum, { changes }) => sum + changes.length, 0);
  let last = 0;
  let since = performance.now();
  for (;;) {
    const now = count();
    if (now >= readers.length * events) return;
    if (now > last) [last, since] = [now, performance.now()];
    if (performance.now() - since > PATIENCE_MS) return;
    await sleep(20);
  }
}

/** Holds what each reader was told against the log, as somebody is told it who comes later. */
export async function compare(
  gateway: GatewayProcess,
  admin: Actor,
  readers: Subscriber[],
  events: number,
  heard: Hearsay,
  broken: string[],
): Promise<void> {
  const after = Math.min(...readers.map(({ snapshot }) => snapshot!));
  const late = new Hearsay();
  const witness = await Subscriber.open(gateway.url, admin.token!, late, after);
  await untilTold([witness], events);
  witness.leave();
  const names = [...late.names.values()];
  const expected = Array.from({ length: events }, (_, index) => `Event ${index + 1}`);
  if (names.toSorted().join() !== expected.toSorted().join()) broken.push('the log does not hold what was changed');
  for (const [sequence, name] of late.names) {
    if (heard.names.get(sequence) !== name) broken.push(`event ${sequence} was told as ${heard.names.get(sequence)}`);
  }
  const inOrder = witness.changes.join();
  const wrong = readers.filter(({ changes }) => changes.join() !== inOrder);
  if (wrong.length > 0) {
    const [{ changes, closed }] = wrong as [Subscriber];
    broken.push(
      `${wrong.length} readers were not told each of ${events} events once and in order: the first was told ` +
        `${changes.length}${closed === undefined ? '' : `, and closed with ${closed}`}`,
    );
  }
  const surprises = [...readers, witness].flatMap((reader) => reader.surprises);
  if (surprises.length > 0) broken.push(`${surprises.length} surprises, the first one: ${surprises[0]}`);
}
