/** Ten to two thousand tenants with databases of their own, over three PostgreSQL servers. */
import { randomBytes } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { runningServer } from '../../src/db/embedded-cluster.ts';
import { type EmbeddedServer, startEmbeddedServer } from '../../src/db/embedded-server.ts';
import { type Actor, eventually, superAdmin } from '../../tests/support/actors.ts';
import { START } from '../../tests/support/built.ts';
import { sql } from '../../tests/support/database.ts';
import { postgresGone, temporaryFolder } from '../../tests/support/gateway-process.ts';
import { SUPER_ADMIN } from '../../tests/support/super-admin.ts';
import { residentMemory } from '../gauges.ts';
import { Server } from '../servers.ts';
import { type Curve, figure, note } from './curves.ts';
import { prepareUpgrade, type Upgrade } from './upgrade.ts';

const SERVERS = 3;
const AT_ONCE = 8;
/** Tenants that are asked for something at each size, to see what is kept open for them. */
const ASKED = 100;
/** Measured: 20.7 GB for 2,400, on their servers; and what the write-ahead logs may take. */
const MIB_OF_ONE = 9;
const MIB_BESIDES = 6 * 1024;
const STARTED_MS = 60_000;

export interface DatabasesRun {
  /** Ascending. */
  sizes: number[];
  say(text: string): void;
  signal: AbortSignal;
}

/** @returns a sentence on why there is no room for so many, or undefined. */
export async function lacksRoom(folder: string, databases: number): Promise<string | undefined> {
  const { bavail, bsize } = await statfs(folder);
  const [free, needed] = [(bavail * bsize) / 2 ** 30, (MIB_BESIDES + 2 * databases * MIB_OF_ONE) / 1024];
  if (free >= needed) return undefined;
  return `${databases} databases may need ${needed.toFixed(0)} GiB of disk, and ${free.toFixed(0)} are free in ${folder}: try fewer with --max.`;
}

interface Ground {
  postgres: EmbeddedServer[];
  gateway: Server;
  admin: Actor;
  env: Record<string, string>;
  upgrade: Upgrade;
}

export async function measureDatabases({ sizes, say, signal }: DatabasesRun): Promise<Curve[]> {
  const folder = await temporaryFolder();
  const folders = Array.from({ length: SERVERS }, (_, index) => join(folder, `server-${index + 1}`));
  const postgres: EmbeddedServer[] = [];
  const upgrade = prepareUpgrade();
  try {
    for (const dataDir of folders) {
      const password = randomBytes(24).toString('base64url');
      postgres.push(await startEmbeddedServer({ dataDir, password, notice: () => {} }));
    }
    return await grow({ ...(await open(folder, postgres)), upgrade }, sizes, say, signal);
  } finally {
    upgrade.remove();
    await Promise.all(postgres.map((server, index) => throwAway(server, folders[index]!)));
  }
}

/** Nothing of it has to be written first. */
async function throwAway(server: EmbeddedServer, dataDir: string): Promise<void> {
  const stopped = server.stop();
  const running = await runningServer(dataDir);
  // postgres(1): an immediate shutdown.
  if (running) process.kill(running.pid, 'SIGQUIT');
  await stopped;
  await postgresGone(dataDir);
}

async function open(folder: string, postgres: EmbeddedServer[]): Promise<Omit<Ground, 'upgrade'>> {
  const [home, ...others] = postgres as [EmbeddedServer, ...EmbeddedServer[]];
  const env = {
    PORT: '0',
    DATABASE_URL: home.url,
    DATA_DIR: join(folder, 'unused'),
    JWT_SECRET: randomBytes(48).toString('base64url'),
    SUPER_ADMIN_EMAIL: SUPER_ADMIN.email,
    SUPER_ADMIN_PASSWORD: SUPER_ADMIN.password,
    LOG_LEVEL: 'warn',
  };
  const gateway = await Server.start({ name: 'gateway', args: [...START], env, log: join(folder, 'gateway.log') });
  const admin = await superAdmin(gateway);
  for (const [index, { url }] of others.entries()) {
    const body = { name: `server-${index + 2}`, url, capacity: 5000 };
    const answer = await admin.rest('POST', '/api/super-admin/database-servers', body);
    if (answer.status !== 201) throw new Error(`a server was not registered: ${JSON.stringify(answer.body)}`);
  }
  return { postgres, gateway, admin, env };
}

async function grow(ground: Ground, sizes: number[], say: (text: string) => void, signal: AbortSignal) {
  const curve = (title: string, unit: string): Curve => ({ title, unit, of: 'tenants with databases', series: {} });
  const curves = {
    made: curve(`A tenant made, ${AT_ONCE} at a time`, 'ms'),
    upgraded: curve("A tenant's database upgraded, four at a time in a process", 'ms'),
    disk: curve('Disk', 'MiB a tenant'),
    connections: curve(`Connections, after ${ASKED} tenants were asked for something`, 'connections'),
    memory: curve('Resident memory of the gateway', 'MiB'),
  };
  const ids: string[] = [];
  for (const size of sizes) {
    signal.throwIfAborted();
    const took = await make(ground, ids, size, say, signal);
    note(curves.made, 'wall time for each', size, took.wallMs);
    note(curves.made, 'POST to active (median)', size, took.medianMs);
    await ask(ground, ids);
    note(curves.connections, 'all servers', size, await connectionsOf(ground));
    note(curves.memory, 'resident', size, residentMemory(ground.gateway.pid));
    note(curves.disk, 'databases', size, (await diskOf(ground)) / size);
    // Those that were made since the last time are behind.
    note(curves.upgraded, 'wall time for each', size, (await ground.upgrade.run(ground.env)) / took.made);
    const told = Object.values(curves).flatMap(({ title, unit, series }) =>
      Object.values(series)
        .slice(0, 1)
        .map((points) => `${title.toLowerCase()} ${figure(points.at(-1)![1])} ${unit}`),
    );
    say(`  ${size.toLocaleString('en')} databases: ${told.join('; ')}`);
  }
  return Object.values(curves);
}

async function make({ admin }: Ground, ids: string[], size: number, say: (text: string) => void, signal: AbortSignal) {
  const start = performance.now();
  const from = ids.length;
  const times: number[] = [];
  let next = from;
  const one = async () => {
    while (next < size && !signal.aborted) {
      const number = ++next;
      const began = performance.now();
      const { status, body } = await admin.rest('POST', '/api/super-admin/tenants', {
        name: `Company ${number}`,
        slug: `company-${number}`,
      });
      if (status !== 201) throw new Error(`a tenant was not made: ${JSON.stringify(body)}`);
      await eventually(
        () => admin.rest('GET', `/api/super-admin/tenants/${body.id}`),
        (answer) => answer.body.status === 'active',
        STARTED_MS,
      );
      ids.push(body.id);
      times.push(performance.now() - began);
      if (times.length % 100 === 0) {
        const left = ((performance.now() - start) / times.length) * (size - from - times.length);
        say(`    ${ids.length} of ${size}, ${Math.ceil(left / 1000)} s left`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  signal.throwIfAborted();
  const sorted = times.toSorted((a, b) => a - b);
  return {
    made: times.length,
    wallMs: (performance.now() - start) / times.length,
    medianMs: sorted[Math.floor(sorted.length / 2)]!,
  };
}

/** What needs a tenant's own database, of tenants spread over all. */
async function ask({ admin }: Ground, ids: string[]): Promise<void> {
  const step = Math.max(1, Math.floor(ids.length / ASKED));
  await Promise.all(
    ids
      .filter((_, index) => index % step === 0)
      .slice(0, ASKED)
      .map((id) => admin.rest('GET', `/api/super-admin/users?tenant_id=${id}`)),
  );
}

const sumOver = async ({ postgres }: Ground, text: string): Promise<number> => {
  const values = await Promise.all(postgres.map(({ url }) => sql<{ value: number }>(url, text)));
  return values.reduce((sum, [row]) => sum + row!.value, 0);
};
const connectionsOf = (ground: Ground) =>
  sumOver(ground, `select count(*)::float8 as value from pg_stat_activity where backend_type = 'client backend'`);
/** Of tenants' databases, in MiB; the write-ahead log and those that are kept ready do not grow with them. */
const diskOf = (ground: Ground) =>
  sumOver(
    ground,
    `select coalesce(sum(pg_database_size(oid)), 0)::float8 / 1048576 as value from pg_database
      where datname like 't\\_%' and datname !~ '_(warm|template)_'`,
  );
