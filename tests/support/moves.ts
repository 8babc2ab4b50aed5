/** A second database server, tenants that are moved to it, and those who use them meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { Keys } from '../../src/db/keys.ts';
import { type Actor, agent, eventually, type Tenant } from './actors.ts';
import { anotherServer } from './another-server.ts';
import { JWT_SECRET, type TestApp } from './app.ts';
import { serverUrl, sql } from './database.ts';

export interface OtherServer {
  id: string;
  name: string;
  url: string;
  remove(): Promise<void>;
}

/** Only in the registry: nothing is made on it. @param url of a database of a server. @returns its id. */
export async function addServer(app: TestApp, name: string, url: string): Promise<string> {
  const id = uuidv7();
  await sql(
    app.databaseUrl,
    `insert into database_servers (id, name, capacity, state, sealed_url, created_at, updated_at)
     values ($1, $2, 10, 'open', $3, now(), now())`,
    [id, name, new Keys(JWT_SECRET).seal(url)],
  );
  return id;
}

/** The same, with what tenants' databases need there. */
export async function registered(app: TestApp, name: string, url: string): Promise<string> {
  const id = await addServer(app, name, url);
  await (await app.services.servers.byId(id)).prepare();
  return id;
}

/** Starts another PostgreSQL server and registers it. */
export async function registeredServer(app: TestApp, name: string): Promise<OtherServer> {
  const { url, remove } = await anotherServer();
  return { id: await registered(app, name, url), name, url, remove };
}

export const moveOf = (tenant: { id: string }) => `/api/super-admin/tenants/${tenant.id}/move`;

/** Waits until a move is in one of these states. @returns it. */
export async function moved(admin: Actor, tenant: { id: string }, state: string, ms = 60_000) {
  const ask = async () => (await admin.rest('GET', moveOf(tenant))).body.move;
  return eventually(ask, (move) => move?.state === state, ms);
}

/** What a server has of a tenant: its database and role, and what is left of its moves. @param name of its database. */
export async function onServerOf(url: string, name: string): Promise<string[]> {
  const rows = await sql<{ what: string }>(
    serverUrl('postgres', url),
    `select 'slot ' || slot_name as what from pg_replication_slots where strpos(slot_name, $1) > 0
     union all select 'subscription ' || subname from pg_subscription where strpos(subname, $1) > 0
     union all select 'role ' || rolname from pg_roles where strpos(rolname, $1) > 0
     union all select 'database ' || datname from pg_database where strpos(datname, $1) > 0 order by 1`,
    [name],
  );
  return rows.map(({ what }) => what);
}

interface Refusal {
  status: number;
  at: number;
  body: unknown;
}

/** What people who write and read without a pause have seen. */
export interface Use {
  /** Ids of divisions whose making was acknowledged. */
  acknowledged: string[];
  refusedWrites: Refusal[];
  refusedReads: Refusal[];
  /** Acknowledged, and not there for who read through another process after that. */
  stale: string[];
  reads: number;
  slowestWriteMs: number;
  stop(): Promise<void>;
}

/** Writes and reads through several processes. @param writers how many at a time through each. */
export async function useSteadily(apps: TestApp[], tenant: Tenant, writers = 2): Promise<Use> {
  const users = await Promise.all(apps.map((app) => agent(app, tenant.adminEmail, tenant.adminPassword)));
  let stopped = false;
  const use: Use = {
    acknowledged: [],
    refusedWrites: [],
    refusedReads: [],
    stale: [],
    reads: 0,
    slowestWriteMs: 0,
    async stop() {
      stopped = true;
      await Promise.all(all);
    },
  };
  let number = 0;
  const write = async (user: Actor, other: Actor) => {
    while (!stopped) {
      const began = Date.now();
      const { status, body } = await user.rest('POST', '/api/divisions', { name: `Division ${++number}` });
      use.slowestWriteMs = Math.max(use.slowestWriteMs, Date.now() - began);
      if (status === 201) {
        use.acknowledged.push(body.id);
        const read = await other.rest('GET', `/api/divisions/${body.id}`);
        use.reads += 1;
        if (read.status === 404) use.stale.push(body.id);
        else if (read.status !== 200) use.refusedReads.push({ status: read.status, at: Date.now(), body: read.body });
      } else use.refusedWrites.push({ status, at: Date.now(), body });
      await sleep(15);
    }
  };
  const all = users.flatMap((user, index) =>
    Array.from({ length: writers }, () => write(user, users[(index + 1) % users.length]!)),
  );
  return use;
}

/** Acknowledged writes that a tenant does not have. */
export async function lostOf(app: TestApp, tenant: Tenant, { acknowledged }: Use): Promise<string[]> {
  const user = await agent(app, tenant.adminEmail, tenant.adminPassword);
  const { body } = await user.rest<{ id: string }[]>('GET', '/api/divisions');
  const there = new Set(body.map(({ id }) => id));
  return acknowledged.filter((id) => !there.has(id));
}
