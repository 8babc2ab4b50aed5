/**
 * The promise to subscribers, tried: whoever reads is told every event, in order, once; who does not read is cut off; and
 * when all have left, the gateway has its memory back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Actor, provision, superAdmin } from '../tests/support/actors.ts';
import type { GatewayProcess } from '../tests/support/gateway-process.ts';
import { Hearsay, SilentStream, Subscriber } from './crowd.ts';
import { gaugesOf, type Memory, residentMemory } from './gauges.ts';
import { compare, left, refuseGrowth, seenOff, untilTold } from './promises.ts';

export interface Size {
  sockets: number;
  /** Of these sockets. */
  silent: number;
  /** Event streams besides, none of which reads. */
  streams: number;
  events: number;
}

export interface Care {
  /** How long the gateway is left alone before something is measured, in milliseconds. */
  restMs: number;
  /** Crowds of the same size that come and go afterwards, for what each of them leaves; 0 where too few come to tell. */
  furtherCrowds: number;
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
  memory: Record<'connected' | 'told', Memory>;
  /** What was left when all had gone: of a first crowd, of the one that was measured, and of those that came after it. */
  left: Memory[];
  peakResident: number;
  /** Promises that do not hold. */
  broken: string[];
}

/** Tenants whose names are changed at the same time, each by one writer, so that each one's changes have an order. */
const WRITERS = 5;
/** That a crowd is told which is not measured. */
const FEW_EVENTS = 100;
/** Sockets that are being opened at one time. */
const AT_ONCE = 100;

/** @param gateway one that was started with `COUNTED`. */
export async function prove(gateway: GatewayProcess, size: Size, { restMs, furtherCrowds }: Care): Promise<Report> {
  const { sockets, silent, streams, events } = size;
  const broken: string[] = [];
  const admin = await superAdmin(gateway);
  const tenants: string[] = [];
  for (let count = 0; count < WRITERS; count++) tenants.push((await provision(admin)).id);
  const comeAndGo = async () => {
    const crowd = await openMany(gateway, admin, sockets, new Hearsay());
    await write(admin, tenants, FEW_EVENTS, 'Passing');
    await untilTold(crowd, FEW_EVENTS);
    for (const subscriber of crowd) subscriber.leave();
    return left(gateway, broken);
  };
  const crowds = [await comeAndGo()];
  await sleep(restMs);

  const heard = new Hearsay();
  const began = performance.now();
  const crowd = await openMany(gateway, admin, sockets, heard);
  const connectMs = performance.now() - began;
  const quiet = crowd.slice(0, silent);
  const readers = crowd.slice(silent);
  for (const subscriber of quiet) subscriber.fallSilent();
  const unread = await Promise.all(Array.from({ length: streams }, () => SilentStream.open(gateway.url, admin.token!)));
  const silentGone = seenOff(gateway, [...quiet, ...unread], readers.length, broken);
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
  const silentGoneMs = await silentGone;

  for (const subscriber of readers) subscriber.leave();
  crowds.push(await left(gateway, broken));
  for (let further = 0; further < furtherCrowds; further++) crowds.push(await comeAndGo());
  if (furtherCrowds > 0) refuseGrowth(crowds, broken);
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
    memory: { connected, told },
    left: crowds,
    peakResident,
    broken,
  };
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
