/** One to a hundred thousand tenants in the control plane: what a request costs, by what it asks for. */

import { sql } from '../../tests/support/database.ts';
import { residentMemory } from '../gauges.ts';
import type { Load } from '../load/load.ts';
import { request } from '../load/load.ts';
import { cpuMs, familyCpuMs } from '../machine.ts';
import { insertTenants, type Platform } from '../platform.ts';
import { refuseFailures } from '../rounds.ts';
import { type Curve, figure, note } from './curves.ts';

export interface RowsRun {
  platform: Platform;
  load: Load;
  /** Ascending. */
  sizes: number[];
  /** Of measuring, for each operation at each size. */
  seconds: number;
  say(text: string): void;
}

const PAGE = 50;
const CONNECTIONS = 8;
const WARM_UP_MS = 300;

export async function measureRows({ platform, load, sizes, seconds, say }: RowsRun): Promise<Curve[]> {
  const curve = (title: string, unit: string): Curve => ({ title, unit, of: 'tenants', series: {} });
  const curves = {
    p50: curve(`Answered after, ${CONNECTIONS} at a time (median)`, 'ms'),
    own: curve("The gateway's processor time for a request", 'ms'),
    database: curve("PostgreSQL's processor time for a request", 'ms'),
    memory: curve('Resident memory of the gateway', 'MiB'),
  };
  let there = platform.tenantIds.length;
  for (const size of sizes) {
    if (size > there) {
      await insertTenants(platform.databases.gateway, there, size);
      await sql(platform.databases.gateway, 'vacuum analyze');
      there = size;
    }
    const ids = await someIds(platform.databases.gateway);
    for (const [name, { requests, connections = CONNECTIONS }] of Object.entries(questions(platform, ids))) {
      load.prepare(name, requests);
      const used = { own: 0, database: 0 };
      const job = { port: platform.gateway.port, name, connections, warmUpMs: WARM_UP_MS, ms: seconds * 1000 };
      const result = await load.run(job, () => {
        const since = { own: cpuMs(platform.gateway.pid), database: familyCpuMs(platform.postgresPid()) };
        return () => {
          used.own = cpuMs(platform.gateway.pid) - since.own;
          used.database = familyCpuMs(platform.postgresPid()) - since.database;
        };
      });
      refuseFailures('gateway', { result }, 200);
      note(curves.p50, name, size, result.p50Ms);
      note(curves.own, name, size, used.own / result.answers);
      note(curves.database, name, size, used.database / result.answers);
    }
    note(curves.memory, 'resident', size, residentMemory(platform.gateway.pid));
    const last = Object.entries(curves.own.series).map(([name, points]) => `${name} ${figure(points.at(-1)![1])}`);
    say(`  ${size.toLocaleString('en')} in all, ms of the gateway's processor: ${last.join(', ')}`);
  }
  return Object.values(curves);
}

/** Spread over all of them. */
async function someIds(databaseUrl: string): Promise<string[]> {
  const rows = await sql<{ id: string }>(databaseUrl, 'select id from organizations order by random() limit 500');
  return rows.map(({ id }) => id);
}

interface Question {
  requests: string[];
  connections?: number;
}

function questions({ admin, tenants }: Platform, ids: string[]): Record<string, Question> {
  const [{ adminEmail: email, adminPassword: password, slug }] = tenants as [Platform['tenants'][number]];
  const headers = { authorization: `Bearer ${admin.token}` };
  const get = (path: string, more = headers) => request('GET', path, more);
  const everywhere = (path: (id: string) => string) => ids.map((id) => get(path(id)));
  return {
    'list page': { requests: everywhere((id) => `/api/super-admin/tenants?limit=${PAGE}&after=${id}`) },
    get: { requests: everywhere((id) => `/api/super-admin/tenants/${id}`) },
    usage: { requests: everywhere((id) => `/api/super-admin/usage?limit=${PAGE}&after=${id}`) },
    status: { requests: [request('GET', `/api/working-hours/status?tenant=${slug}`, {})] },
    // One at a time: attempts at one account take turns.
    login: { requests: [request('POST', '/api/auth/login', {}, { email, password })], connections: 1 },
  };
}
