/**
 * W5: one event to 2,000 sockets, from its commit to the last client. Both servers are woken by the same NOTIFY: the gateway
 * reads the event log, authorizes, executes and queues for each subscriber; the other one sends a ready text.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { LOCKS } from '../../src/db/locks.ts';
import { openFilesLimit, residentMemory } from '../gauges.ts';
import { type Crowd, Listeners } from '../load/crowd.ts';
import { request } from '../load/load.ts';
import { median, refuseFailures } from '../rounds.ts';
import type { Server } from '../servers.ts';
import { oneOf, signedIn } from './compare.ts';
import type { Bench, Outcome, Workload } from './workload.ts';

const SOCKETS = 2000;
/** Files that a process has open besides. */
const OTHER_FILES = 300;
const FIRST = 20;
const EVENTS = 10;
/** A gateway in use has its young generation at its size; what a socket takes is not to be counted with that. Milliseconds. */
const IN_USE_MS = 5000;
/** How long memory is looked at, for its lowest. */
const REST_MS = 5000;

const SUBSCRIPTION = `subscription { tenantChanged {
  sequence kind change tenant { id name updatedAt } counts { total active suspended }
} }`;

/** As `publish` (live/event-log.ts) adds one to the log: the last change of a tenant once more. */
const PUBLISH = `
  select pg_advisory_xact_lock(${LOCKS.eventLog}, 0);
  insert into events (topic, payload) select topic, payload from events where topic = 'tenant' order by seq desc limit 1;
  select pg_notify('omnistream_events', '')`;

export const W5: Workload = {
  name: 'W5',
  title: `one event to ${SOCKETS} sockets`,
  tenants: 10_000,
  async run(bench) {
    if (openFilesLimit() < SOCKETS + OTHER_FILES) {
      throw new Error(`${SOCKETS} sockets need more open files: run "ulimit -n ${SOCKETS + OTHER_FILES}" first`);
    }
    const { platform } = bench;
    await platform.admin.rest('PATCH', `/api/super-admin/tenants/${platform.tenantIds[0]}`, { name: 'Told of' });
    const client = new pg.Client({ connectionString: platform.databases.gateway });
    await client.connect();
    const listeners = new Listeners(platform.pins.load);
    try {
      return await broadcast(bench, listeners, async () => void (await client.query(PUBLISH)));
    } finally {
      listeners.close();
      await client.end();
    }
  },
};

async function broadcast(bench: Bench, listeners: Listeners, publish: () => Promise<void>): Promise<Outcome> {
  const { platform, fleet, settings, say } = bench;
  const { gateway } = platform;
  const subscribers = (name: string, count: number): Crowd => ({
    name,
    count,
    url: `${gateway.url.replace('http', 'ws')}/graphql`,
    protocol: 'graphql-transport-ws',
    say: [
      JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${platform.admin.token}` } }),
      JSON.stringify({ type: 'subscribe', id: '1', payload: { query: SUBSCRIPTION } }),
    ],
  });
  await use(bench);
  // What every process takes once, and the ready text.
  await listeners.open(subscribers('first', FIRST));
  const { text } = await listeners.untilAll('first', publish);
  listeners.leave('first');

  const bare = await fleet.bareSockets(text);
  const plain = (name: string, count: number): Crowd => ({ name, count, url: bare.url.replace('http', 'ws'), say: [] });
  await listeners.open(plain('first', FIRST));
  await listeners.untilAll('first', publish);
  listeners.leave('first');
  const gatewayKb = await perSocket(gateway, () => listeners.open(subscribers('gateway', SOCKETS)));
  const bareKb = await perSocket(bare, () => listeners.open(plain('bare', SOCKETS)));

  const rounds: { gateway: number; bare: number }[] = [];
  // The first one compiles what runs hot, and is not counted.
  for (let round = 0; round <= settings.rounds; round++) {
    const took = { gateway: 0, bare: 0 };
    for (const name of round % 2 === 0 ? (['bare', 'gateway'] as const) : (['gateway', 'bare'] as const)) {
      const times: number[] = [];
      const other = name === 'bare' ? gateway : bare;
      other.pause();
      for (let event = 0; event < EVENTS; event++) {
        times.push((await listeners.untilAll(name, publish)).ms);
      }
      other.goOn();
      took[name] = median(times);
    }
    if (round === 0) continue;
    rounds.push(took);
    say(
      `  W5 round ${round} of ${settings.rounds}: gateway ${took.gateway.toFixed(1)} ms, bare ws ${took.bare.toFixed(1)} ms`,
    );
  }
  const of = (name: 'gateway' | 'bare') => median(rounds.map((round) => round[name])).toFixed(1);
  return {
    findings: [
      {
        what: 'to the last client, to bare ws',
        value: median(rounds.map(({ gateway, bare }) => gateway / bare)),
        goal: { at: 'most', value: 1.3 },
      },
      { what: 'memory a socket', value: gatewayKb, unit: 'KB', goal: { at: 'most', value: 25 } },
    ],
    notes: [
      `To the last of ${SOCKETS}: gateway ${of('gateway')} ms, bare ws ${of('bare')} ms; a message of ${text.length} bytes.`,
      `A socket of the bare server takes ${bareKb.toFixed(1)} KB.`,
    ],
  };
}

/** Sends it what gateways are sent all day. */
async function use(bench: Bench): Promise<void> {
  const { platform, load, settings } = bench;
  const headers = signedIn(bench);
  const page = () => request('GET', `/api/super-admin/tenants?limit=100&after=${oneOf(platform.tenantIds)}`, headers);
  load.prepare('W5', Array.from({ length: 1000 }, page));
  const job = {
    name: 'W5',
    port: platform.gateway.port,
    connections: settings.connections,
    warmUpMs: 0,
    ms: IN_USE_MS,
  };
  const result = await load.run(job, () => () => {});
  refuseFailures('gateway', { result }, 200);
}

/** KB that the server holds more for each socket. */
async function perSocket(server: Server, open: () => Promise<void>): Promise<number> {
  const before = await lowestMemory(server);
  await open();
  return (1024 * ((await lowestMemory(server)) - before)) / SOCKETS;
}

async function lowestMemory(server: Server): Promise<number> {
  server.collect();
  let lowest = Number.POSITIVE_INFINITY;
  for (const until = performance.now() + REST_MS; performance.now() < until; await sleep(200)) {
    lowest = Math.min(lowest, residentMemory(server.pid));
  }
  return lowest;
}
