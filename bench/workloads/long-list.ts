/** W8: the REST list of 100,000 tenants as one answer: how soon its first byte comes, and what it takes of memory meanwhile. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentMemory } from '../gauges.ts';
import { request } from '../load/load.ts';
import { median } from '../rounds.ts';
import { signedIn } from './compare.ts';
import type { Workload } from './workload.ts';

const TENANTS = 100_000;
const LOOK_MS = 20;
/** Between lists, so that memory is what it is when nothing happens. */
const REST_MS = 3000;

export const W8: Workload = {
  name: 'W8',
  title: `REST: a list of ${TENANTS} tenants`,
  tenants: TENANTS,
  async run(bench) {
    const { platform, settings, say } = bench;
    const { gateway, tenantIds } = platform;
    const text = request('GET', '/api/super-admin/tenants', { ...signedIn(bench), connection: 'close' });
    // What every process takes once: the first answers compile what runs hot.
    for (let count = 0; count < 20; count++) await platform.admin.rest('GET', '/api/super-admin/tenants?limit=500');
    const rounds: { firstMs: number; ms: number; moreMb: number }[] = [];
    for (let round = 1; round <= settings.rounds; round++) {
      await sleep(REST_MS);
      const idleMb = residentMemory(gateway.pid);
      let mostMb = idleMb;
      const watch = setInterval(() => {
        mostMb = Math.max(mostMb, residentMemory(gateway.pid));
      }, LOOK_MS);
      const list = await read(gateway.port, text).finally(() => clearInterval(watch));
      if (list.tenants !== tenantIds.length) throw new Error(`${list.tenants} tenants came, of ${tenantIds.length}`);
      rounds.push({ ...list, moreMb: mostMb - idleMb });
      say(
        `  W8 round ${round} of ${settings.rounds}: first byte after ${list.firstMs.toFixed(0)} ms, the last after ` +
          `${list.ms.toFixed(0)} ms, ${(mostMb - idleMb).toFixed(0)} MiB more`,
      );
    }
    return {
      findings: [
        {
          what: 'first byte',
          value: median(rounds.map(({ firstMs }) => firstMs)),
          unit: 'ms',
          goal: { at: 'most', value: 100 },
        },
        {
          what: 'memory above idle',
          value: Math.max(...rounds.map(({ moreMb }) => moreMb)),
          unit: 'MB',
          goal: { at: 'most', value: 100 },
        },
      ],
      notes: [`The last byte after ${median(rounds.map(({ ms }) => ms)).toFixed(0)} ms.`],
    };
  },
};

/** Milliseconds until the first byte of the body and until the end, and how many tenants came. */
function read(port: number, text: string): Promise<{ firstMs: number; ms: number; tenants: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ firstMs: number; ms: number; tenants: number }>();
  const socket = connect({ port, host: '127.0.0.1' });
  const began = performance.now();
  const parts: Buffer[] = [];
  let firstMs: number | undefined;
  socket.write(text);
  socket.on('data', (chunk) => {
    parts.push(chunk);
    if (firstMs !== undefined) return;
    const head = Buffer.concat(parts).indexOf('\r\n\r\n');
    if (head >= 0 && Buffer.concat(parts).length > head + 4) firstMs = performance.now() - began;
  });
  socket.once('error', reject);
  socket.once('end', () => {
    const ms = performance.now() - began;
    const tenants = Buffer.concat(parts).toString('latin1').split('"mongo_database":').length - 1;
    resolve({ firstMs: firstMs ?? ms, ms, tenants });
    socket.end();
  });
  return promise;
}
