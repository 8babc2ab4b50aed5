/** One gateway process to three on one control database. */
import type { Load } from '../load/load.ts';
import { request } from '../load/load.ts';
import type { Platform } from '../platform.ts';
import { refuseFailures } from '../rounds.ts';
import type { Server } from '../servers.ts';
import { type Curve, figure, note } from './curves.ts';

const CONNECTIONS = 48;
const WARM_UP_MS = 1500;

export interface ProcessesRun {
  platform: Platform;
  load: Load;
  most: number;
  seconds: number;
  say(text: string): void;
}

export async function measureProcesses({ platform, load, most, seconds, say }: ProcessesRun): Promise<Curve[]> {
  const rate: Curve = { title: 'Requests by gateway processes', unit: 'requests a second', of: 'gateways', series: {} };
  const headers = { authorization: `Bearer ${platform.admin.token}` };
  const [{ slug }] = platform.tenants as [Platform['tenants'][number]];
  const ids = platform.tenantIds.slice(0, 500);
  load.prepare(
    'one tenant by its id',
    ids.map((id) => request('GET', `/api/super-admin/tenants/${id}`, headers)),
  );
  load.prepare('opening hours from memory', [request('GET', `/api/working-hours/status?tenant=${slug}`, {})]);
  const servers: Server[] = [];
  try {
    // The one that is there is kept to a core; these run where there is room.
    platform.gateway.pause();
    for (let count = 1; count <= most; count++) {
      servers.push(await platform.another(`gateway-${count}`));
      for (const name of ['one tenant by its id', 'opening hours from memory']) {
        const [port, ...morePorts] = servers.map((server) => server.port) as [number, ...number[]];
        const job = { port, morePorts, name, connections: CONNECTIONS };
        const result = await load.run({ ...job, warmUpMs: WARM_UP_MS, ms: seconds * 1000 }, () => () => {});
        refuseFailures('gateway', { result }, 200);
        note(rate, name, count, (1000 * result.answers) / result.ms);
      }
      const last = Object.entries(rate.series).map(([name, points]) => `${name} ${figure(points.at(-1)![1])}`);
      say(`  ${count} ${count === 1 ? 'gateway' : 'gateways'}: requests a second: ${last.join(', ')}`);
    }
  } finally {
    for (const server of servers) await server.end();
    platform.gateway.goOn();
  }
  return [rate];
}
