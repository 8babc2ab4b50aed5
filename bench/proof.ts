/**
 * The promise to subscribers, tried: whoever reads is told every event, in order, once; who does not read is cut off; and
 * when all have left, the gateway has its memory back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Actor, provision, superAdmin } from '../tests/support/actors.ts';
import type { GatewayProcess } from '../tests/support/gateway-process.ts';
import { Hearsay, Subscriber } from './crowd.ts';
import { gaugesOf, type Memory, residentMemory, until } from './gauges.ts';

export interface Size {
  sockets: number;
  /** Of these sockets. */
  silent: number;
  events: number;
}

/** Times in milliseconds. */
export interface Report extends Size {
  connectMs: number;
  /** From the first change on, to any reader and to the last. */
  firstEventMs: number;
  lastEventMs: number;
  p50Ms: number;
  p99Ms: number;
  /** Of one processor, for a socket that nothing is told. */
  idlePercent: number;
  /** Processor time of the gateway from the first change to the last reader. */
  cpuMs: number;
  silentGoneMs: number;
  memory: Record<'before' | 'connected' | 'told' | 'after', Memory>;
  peakResident: number;
  /** Promises that do not hold. */
  broken: string[];
}

/** Tenants whose names are changed at the same time, each by one writer, so that each one's changes have an order. */
const WRITERS = 5;
/** Sockets that are being opened at one time. */
const AT_ONCE = 100;
/** How long nothing may come before what lacks is held to be lost. */
const PATIENCE_MS = 20_000;
/** A silent one is found by its second ping: 10 to 20 seconds; a busy machine may take longer. */
const SILENCE_MS = 40_000;
/** V8 collects garbage of an idle process when it sees fit. */
const COLLECTION_MS = 90_000;
/** What may be left, in MiB: the allocator keeps pages, and code that ran hot was compiled. */
const LEFT = { heap: 10, resident: 60 };

export async function prove(gateway: GatewayProcess, size: Size, restMs: number): Promise<Report> {
  const { sockets, silent, events } = size;
  const broken: string[] = [];
  const admin = await superAdmin(gateway);
  const tenants: string[] = [];
  for (let count = 0; count < WRITERS; count++) tenants.push((await provision(admin)).id);
  await warmUp(gateway, admin, tenants);
  await sleep(restMs);
  const before = await gaugesOf(gateway);

  const heard = new Hearsay();
  const began = performance.now();
  const crowd = await openMany(gateway, admin, sockets, heard);
  const connectMs = performance.now() - began;
  const quiet = crowd.slice(0, silent);
  const readers = crowd.slice(silent);
  for (const subscriber of quiet) subscriber.fallSilent();
  const silentSince = performance.now();
  const idleFrom = gateway.cpuMs();
  await sleep(restMs);
  const idlePercent = (100 * (gateway.cpuMs() - idleFrom)) / restMs;
  const connected = await gaugesOf(gateway);

  let peakResident = 0;
  const watch = setInterval(() => {
    peakResident = Math.max(peakResident, residentMemory(gateway.pid));
  }, 100);
  const cpuFrom = gateway.cpuMs();
  const changedAt = Date.now();
  await write(admin, tenants, events, 'Event');
  await untilTold(readers, events);
  const cpuMs = gateway.cpuMs() - cpuFrom;
  clearInterval(watch);
  const told = await gaugesOf(gateway);
  await compare(gateway, admin, readers, events, heard, broken);

  const left = await until(
    () => gaugesOf(gateway),
    ({ connections }) => connections <= readers.length,
    SILENCE_MS,
  );
  const silentGoneMs = performance.now() - silentSince;
  if (left.connections > readers.length) broken.push(`${left.connections - readers.length} silent sockets are still open`);
  for (const subscriber of quiet) subscriber.wake();
  await until(() => quiet.every(({ closed }) => closed !== undefined), Boolean, 5000);
  const open = quiet.filter(({ closed }) => closed === undefined);
  if (open.length > 0) broken.push(`${open.length} silent sockets do not see that they were closed`);

  for (const subscriber of readers) subscriber.leave();
  const after = await until(
    () => gaugesOf(gateway),
    ({ connections, heap, resident }) =>
      connections === 0 && heap < before.heap + LEFT.heap && resident < before.resident + LEFT.resident,
    COLLECTION_MS,
  );
  if (after.connections > 0) broken.push(`${after.connections} sockets are still counted`);
  for (const kind of ['heap', 'resident'] as const) {
    const more = Math.round(after[kind] - before[kind]);
    if (more >= LEFT[kind]) broken.push(`${more} MiB more ${kind} memory than before, where ${LEFT[kind]} are allowed`);
  }
  const lateness = Float64Array.from(heard.lateness).sort();
  return {
    ...size,
    connectMs,
    firstEventMs: heard.firstAt - changedAt,
    lastEventMs: heard.lastAt - changedAt,
    p50Ms: lateness[Math.floor(lateness.length * 0.5)]!,
    p99Ms: lateness[Math.floor(lateness.length * 0.99)]!,
    idlePercent,
    cpuMs,
    silentGoneMs,
    memory: { before, connected, told, after },
    peakResident,
    broken,
  };
}

/** Everything has run once before memory is measured: what is compiled and cached for good is nobody's leak. */
async function warmUp(gateway: GatewayProcess, admin: Actor, tenants: string[]): Promise<void> {
  const few = await openMany(gateway, admin, 20, new Hearsay());
  await write(admin, tenants, 100, 'Warm-up');
  await untilTold(few, 100);
  for (const subscriber of few) subscriber.leave();
}

async function openMany(gateway: GatewayProcess, admin: Actor, count: number, heard: Hearsay): Promise<Subscriber[]> {
  const opened: Subscriber[] = [];
  let left = count;
  const open = async () => {
    while (left-- > 0) opened.push(await Subscriber.open(gateway.url, admin.token!, heard));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, open));
  return opened;
}

/** Changes the tenants' names, as fast as the gateway takes it. */
async function write(admin: Actor, tenants: string[], events: number, prefix: string): Promise<void> {
  let number = 0;
  const writer = async (id: string) => {
    while (number < events) {
      const { errors } = await admin.graphql(
        'mutation ($id: UUID!, $name: String!) { updateTenant(id: $id, input: { name: $name }) { id } }',
        { id, name: `${prefix} ${++number}` },
      );
      if (errors) throw new Error(`a change failed: ${JSON.stringify(errors)}`);
    }
  };
  await Promise.all(tenants.map(writer));
}

/** Waits for as long as something comes. */
async function untilTold(readers: Subscriber[], events: number): Promise<void> {
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
async function compare(
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
