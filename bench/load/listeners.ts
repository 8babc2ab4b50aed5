/** Sockets by the thousand, a process of its own: says when the last of them has been told something. */
import { hrtime } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Crowd, CrowdJob, CrowdTold } from './crowd.ts';

/** Sockets that are being opened at one time. */
const AT_ONCE = 50;
const QUIET_MS = 400;

interface Group {
  sockets: WebSocket[];
  /** Sockets that have yet to be told; once all have, the group is at rest. */
  waited: number;
  /** When one was told something last. */
  toldAt: number;
}

const groups = new Map<string, Group>();
const tell = (told: CrowdTold) => process.send!(told);

function open(crowd: Crowd, group: Group): Promise<void> {
  const socket = new WebSocket(crowd.url, crowd.protocol, { perMessageDeflate: false, handshakeTimeout: 30_000 });
  group.sockets.push(socket);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const say = [...crowd.say];
  let isReady = say.length === 0;
  socket.once('error', reject);
  socket.once('close', (code) => {
    if (groups.has(crowd.name)) tell({ kind: 'lost', reason: `a socket of ${crowd.name} was closed with ${code}` });
  });
  // Each answer asks for what follows: connection_ack for the subscription, what holds now for nothing more.
  const next = () => {
    const message = say.shift();
    if (message) socket.send(message);
    else {
      isReady = true;
      resolve();
    }
  };
  socket.once('open', next);
  socket.on('message', (data) => {
    group.toldAt = performance.now();
    if (!isReady) next();
    else if (--group.waited === 0) tell({ kind: 'all', at: hrtime.bigint(), text: String(data) });
  });
  return promise;
}

async function openAll(crowd: Crowd): Promise<void> {
  const group: Group = { sockets: [], waited: 0, toldAt: 0 };
  groups.set(crowd.name, group);
  const opener = async () => {
    while (group.sockets.length < crowd.count) await open(crowd, group);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, opener));
  tell({ kind: 'open' });
}

process.on('message', async (job: CrowdJob) => {
  if (job.kind === 'open') {
    openAll(job.crowd).catch((error: Error) => tell({ kind: 'lost', reason: error.message }));
    return;
  }
  const group = groups.get(job.name)!;
  if (job.kind === 'listen') {
    // A server that was stopped meanwhile has more to tell than what is waited for.
    while (performance.now() - group.toldAt < QUIET_MS) await sleep(QUIET_MS / 4);
    group.waited = group.sockets.length;
    tell({ kind: 'listening' });
    return;
  }
  groups.delete(job.name);
  for (const socket of group.sockets) socket.close();
});
process.on('disconnect', () => process.exit(0));
