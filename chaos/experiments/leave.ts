/** Clients that leave without a word, in the middle of a request or of a subscription. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { type Census, census, gaugesOf } from '../../bench/gauges.ts';
import { sql } from '../../tests/support/database.ts';
import type { GatewayProcess } from '../../tests/support/gateway-process.ts';
import type { Experiment, Tally } from '../experiment.ts';
import type { Installation } from '../installation.ts';

/** Clients at one time. */
const AT_ONCE = 40;
/** They stay for so long at most. */
const STAY_MS = 150;
/** All kinds of clients have come and gone this often before anything is counted: what is cached for good is nobody's leak. */
const WARM_UP = 60;
const GONE_MS = 15_000;
/** What may be left, in MiB: code that ran hot was compiled, and caches are filled. */
const HEAP_LEFT = 10;
/** Periodic work has a timer more or less at any moment, and so has a pool. */
const FEW = 6;

export const leave: Experiment = {
  name: 'leave',
  fault: 'clients that leave mid-request and mid-subscription',
  trials: 1000,
  async run(ground, tally) {
    const installation = await ground.install();
    const gateway = await installation.startCounted();
    const admin = await installation.admin(gateway);
    await installation.makeTenants(admin, 3);
    const told: Record<Road, number> = { stream: 0, socket: 0 };
    const visit = (number: number) =>
      come(gateway.url, admin.token!, number, STAY_MS * tally.chance('stay', number), (road) => told[road]++);
    await tally.lanes(AT_ONCE, WARM_UP, (number) => visit(-1 - number));
    const before = await census(gateway);
    await tally.lanes(AT_ONCE, tally.wanted, async (number) => {
      await visit(number);
      tally.add(1, []);
    });
    for (const [road, count] of Object.entries(told)) {
      if (count === 0) tally.add(0, [`no subscription over a ${road} was ever told anything`]);
    }
    const left = performance.now();
    tally.add(0, await leftovers(installation, gateway, before, tally));
    tally.time('all gone after the last one left', performance.now() - left);
    tally.add(0, await installation.check());
    await ground.remove(installation);
  },
};

async function leftovers(
  installation: Installation,
  gateway: GatewayProcess,
  before: Census,
  tally: Tally,
): Promise<string[]> {
  const look = async (): Promise<string[]> => {
    const { connections } = await gaugesOf(gateway);
    const busy = await sql(
      installation.databaseUrl,
      `select from pg_stat_activity where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid()
         and state_change < now() - interval '2 seconds'`,
    );
    const now = await census(gateway);
    const more = (['iterators', 'timers', 'sockets'] as const)
      .filter((kind) => now[kind] > before[kind] + FEW)
      .map((kind) => `${now[kind]} ${kind}, where ${before[kind]} were before`);
    const heap = now.heap - before.heap;
    return [
      ...(connections > 0 ? [`${connections} sockets and streams are counted as open`] : []),
      ...(busy.length > 0 ? [`${busy.length} sessions of PostgreSQL are still at something`] : []),
      ...more,
      ...(heap > HEAP_LEFT ? [`${heap.toFixed(1)} MiB more heap`] : []),
    ];
  };
  for (const deadline = performance.now() + GONE_MS; ; await sleep(500)) {
    const found = await look();
    if (found.length === 0 || performance.now() > deadline || tally.stopped) return found;
  }
}

/** How a subscription is told. */
type Road = 'stream' | 'socket';
type Visit = (url: string, token: string, told: (road: Road) => void) => Promise<{ destroy(): void }>;

const SUBSCRIPTION = 'subscription { tenantChanged { sequence kind } }';
const visits: readonly Visit[] = [
  // Half a head, half a body, a read, a write, a long answer.
  (url) => raw(url, 'GET /api/super-admin/tenants HTTP/1.1\r\nhost: x\r\nautho'),
  (url, token) =>
    raw(url, `${head('POST', '/api/super-admin/tenants', token)}content-length: 500\r\n\r\n{"name": "Hal`),
  (url, token) => raw(url, `${head('GET', '/api/super-admin/tenants', token)}\r\n`),
  (url, token) => raw(url, post('/graphql', token, { query: '{ tenants { nodes { id usage { agentCount } } } }' })),
  (url, token) => raw(url, post('/api/super-admin/admins', token, { email: 'x', name: 'y', password: 'z' })),
  // A subscription over either road, before and after it is told something.
  (url, token) => raw(url, subscribe(token)),
  (url, token, told) => stream(url, token, () => told('stream')),
  (url, token) => socket(url, token, false, () => {}),
  (url, token, told) => socket(url, token, true, () => told('socket')),
];

/** One client. @param stayMs between its coming and its leaving. */
async function come(
  url: string,
  token: string,
  number: number,
  stayMs: number,
  told: (road: Road) => void,
): Promise<void> {
  const visit = visits[Math.abs(number) % visits.length]!;
  const client = await visit(url, token, told);
  await sleep(stayMs);
  client.destroy();
}

const head = (method: string, path: string, token: string) =>
  `${method} ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\n`;

function post(path: string, token: string, body: object, more = ''): string {
  const text = JSON.stringify(body);
  return `${head('POST', path, token)}${more}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

const subscribe = (token: string) =>
  post('/graphql/stream', token, { query: SUBSCRIPTION }, 'accept: text/event-stream\r\n');

/** Waits until it is told something, or is refused. */
async function stream(url: string, token: string, told: () => void): Promise<Socket> {
  const client = await raw(url, subscribe(token));
  await new Promise<void>((resolve) => {
    let text = '';
    client.on('close', () => resolve());
    client.on('data', (data) => {
      text += data;
      if (!text.includes('event: next')) return;
      told();
      resolve();
      client.removeAllListeners('data').resume();
    });
  });
  return client;
}

async function raw(url: string, bytes: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const client = connect(Number(port), hostname);
  client.on('error', () => {});
  // Read, so that the answer is under way when it leaves.
  client.resume();
  await new Promise<void>((written) => client.write(bytes, () => written()));
  return client;
}

async function socket(url: string, token: string, patient: boolean, told: () => void): Promise<{ destroy(): void }> {
  const client = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  client.on('error', () => {});
  await new Promise<void>((resolve) => {
    client.on('close', () => resolve());
    client.on('open', () => {
      client.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
      if (!patient) resolve();
    });
    client.on('message', (data) => {
      if (String(data).includes('connection_ack')) {
        client.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: SUBSCRIPTION } }));
      } else {
        if (String(data).includes('"type":"next"')) told();
        resolve();
      }
    });
  });
  return { destroy: () => client.terminate() };
}
