import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HOME_SERVER_ID } from '../src/entities/control/database-server.ts';
import { type Actor, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startTwoApps, type TwoApps } from './support/app.ts';
import { sql } from './support/database.ts';
import { lostOf, moved, moveOf, type OtherServer, onServer, registeredServer, useSteadily } from './support/moves.ts';

let apps: TwoApps;
let admin: Actor;
let other: OtherServer;
let code: string;

beforeAll(async () => {
  apps = await startTwoApps();
  admin = await superAdmin(apps.here);
  other = await registeredServer(apps.here, 'other');
  code = apps.here.services.servers.home.code;
});
afterAll(async () => {
  try {
    await apps?.stop();
  } finally {
    await other?.remove();
  }
});

const nameOf = ({ id }: { id: string }) => apps.here.services.servers.home.nameFor(id);
const serverOf = async ({ id }: { id: string }) => {
  const [row] = await sql<{ name: string }>(
    apps.here.databaseUrl,
    'select name from tenant_databases join database_servers s on s.id = server_id where org_id = $1',
    [id],
  );
  return row!.name;
};
const ask = (tenant: { id: string }, body: object = { server_id: other.id }) =>
  admin.rest('POST', moveOf(tenant), body);
/** A tenant's own database and role, and nothing else of it. */
const alone = (tenant: Tenant) => [`database ${nameOf(tenant)}`, `role ${nameOf(tenant)}`];
const mine = (found: string[], tenant: Tenant) => found.filter((what) => what.includes(nameOf(tenant)));
const home = async (tenant: Tenant) => mine(await onServer(apps.here.databaseUrl, code), tenant);
const there = async (tenant: Tenant) => mine(await onServer(other.url, code), tenant);

describe('a tenant that is written and read without a pause', () => {
  let tenant: Tenant;
  beforeAll(async () => {
    tenant = await provision(admin);
  });

  test('is moved to another server with no write lost or refused, and back again, and there for good', async () => {
    const use = await useSteadily([apps.here, apps.there], tenant);
    await sleep(500);
    const { status, body } = await ask(tenant);
    expect({ status, move: body.move }).toMatchObject({ status: 202, move: { state: 'copying', target_id: other.id } });
    const move = await moved(admin, tenant, 'switched');
    expect(move).toMatchObject({ progress: { tables_copied: move.progress.tables } });
    expect(move.read_only_ms).toBeLessThan(20_000);
    expect(move.progress.rows_verified).toBeGreaterThan(0);
    expect(await serverOf(tenant)).toBe('other');
    await sleep(1000);
    expect(await lostOf(apps.there, tenant, use)).toEqual([]);

    expect((await admin.rest('POST', `${moveOf(tenant)}/undo`)).status).toBe(202);
    await moved(admin, tenant, 'undone');
    expect(await serverOf(tenant)).toBe('home');
    await sleep(500);
    expect(await lostOf(apps.there, tenant, use)).toEqual([]);
    expect(await home(tenant)).toEqual(alone(tenant));
    expect(await there(tenant)).toEqual([]);

    expect((await ask(tenant)).status).toBe(202);
    await moved(admin, tenant, 'switched');
    expect((await admin.rest('POST', `${moveOf(tenant)}/finish`)).status).toBe(202);
    await moved(admin, tenant, 'finished');
    await sleep(500);
    await use.stop();
    expect(use.acknowledged.length).toBeGreaterThan(50);
    expect(await lostOf(apps.here, tenant, use)).toEqual([]);
    expect(use).toMatchObject({ refusedWrites: [], refusedReads: [], stale: [] });
    expect(await there(tenant)).toEqual(alone(tenant));
    expect(await home(tenant)).toEqual([]);
  });
});

describe('a move that is called off', () => {
  test('leaves the tenant where it was, and nothing on either server', async () => {
    const tenant = await provision(admin);
    await ask(tenant);
    await eventually(
      () => there(tenant),
      (found) => found.some((what) => what.startsWith('subscription')),
    );
    expect((await admin.rest('DELETE', moveOf(tenant))).status).toBe(202);
    await moved(admin, tenant, 'cancelled');
    expect(await serverOf(tenant)).toBe('home');
    expect(await home(tenant)).toEqual(alone(tenant));
    expect(await there(tenant)).toEqual([]);
    const use = await useSteadily([apps.here], tenant, 1);
    await sleep(300);
    await use.stop();
    expect(use).toMatchObject({ refusedWrites: [], refusedReads: [] });
  });
});

describe('what cannot be moved', () => {
  let tenant: Tenant;
  beforeAll(async () => {
    tenant = await provision(admin);
  });
  const refused = async (body: object, status: number, error: RegExp) => {
    const answer = await ask(tenant, body);
    expect({ status: answer.status, error: answer.body.error }).toEqual({
      status,
      error: expect.stringMatching(error),
    });
    expect((await admin.rest('GET', moveOf(tenant))).body).toEqual({});
    expect(await there(tenant)).toEqual([]);
  };
  const set = (what: string) =>
    sql(apps.here.databaseUrl, `update database_servers set ${what} where id = $1`, [other.id]);

  test('is refused with a reason, and nothing is done: where it is, an unknown, draining, closed or full server', async () => {
    await refused({ server_id: HOME_SERVER_ID }, 409, /is on server home already/);
    await refused({ server_id: tenant.id }, 404, /no such database server/);
    await refused({ server_id: 'x' }, 400, /./);
    await refused({ server_id: other.id, max_read_only_seconds: 0 }, 400, /./);
    for (const state of ['draining', 'closed']) {
      await set(`state = '${state}'`);
      await refused({ server_id: other.id }, 409, new RegExp(`Server other is ${state}: it takes no tenants`));
    }
    await set(`state = 'open', capacity = 0`);
    await refused({ server_id: other.id }, 409, /Server other is full/);
    await set('capacity = 10');
  });

  test('is one that is being moved already, and what has no move has none to end', async () => {
    for (const [method, path] of [
      ['DELETE', moveOf(tenant)],
      ['POST', `${moveOf(tenant)}/undo`],
      ['POST', `${moveOf(tenant)}/finish`],
    ] as const) {
      expect((await admin.rest(method, path)).status).toBe(409);
    }
    expect((await ask(tenant)).status).toBe(202);
    expect((await ask(tenant)).status).toBe(409);
    await moved(admin, tenant, 'switched');
    expect((await ask(tenant, { server_id: HOME_SERVER_ID })).body.error).toMatch(/finish that move, or undo it/);
    expect((await admin.rest('DELETE', moveOf(tenant))).status).toBe(409);
    await admin.rest('POST', `${moveOf(tenant)}/undo`);
    await moved(admin, tenant, 'undone');
  });
});
