import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { query } from '../src/db/control.ts';
import { templateName } from '../src/db/tenant-names.ts';
import { HOME_SERVER_ID } from '../src/entities/control/database-server.ts';
import { type Actor, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, startTwoApps, type TwoApps } from './support/app.ts';
import { examination, expectNothingWrong } from './support/checker.ts';
import { dropControlDatabase, serverUrl, sql } from './support/database.ts';
import {
  addServer,
  lostOf,
  moved,
  moveOf,
  type OtherServer,
  onServerOf,
  registered,
  registeredServer,
  useSteadily,
} from './support/moves.ts';

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
const home = (tenant: Tenant) => onServerOf(apps.here.databaseUrl, nameOf(tenant));
const there = (tenant: Tenant) => onServerOf(other.url, nameOf(tenant));

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

test('a read whose session is ended meanwhile, as a move ends those at rest, is read by another', async () => {
  const tenant = await provision(admin);
  const reads = query<{ pid: number }>('slow_read', 'select pg_backend_pid() as pid, pg_sleep(0.5)');
  const read = apps.here.services.tenants.rows(tenant.id, reads);
  const end = `select pid, pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and query = $2`;
  const [ended] = await eventually(
    () => sql<{ pid: number }>(serverUrl('postgres'), end, [nameOf(tenant), reads.text]),
    (rows) => rows.length > 0,
  );
  const [row] = await read;
  expect(row!.pid).not.toBe(ended!.pid);
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
  const register = (name: string, url: string) => addServer(apps.here, name, url);
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

  test('is refused where the server cannot be reached, or is the very one that it is on', async () => {
    const away = await register('away', 'postgresql://omnistream@127.0.0.1:1/postgres');
    await refused({ server_id: away }, 409, /Server away cannot be reached; nothing has been done/);
    const same = await register('same', serverUrl('postgres'));
    await refused({ server_id: same }, 409, /Servers home and same are the same PostgreSQL server/);
    await sql(apps.here.databaseUrl, `delete from database_servers where name in ('away', 'same')`);
  });

  test('is one that came to another server while it was found out whether it can be moved', async () => {
    const { servers } = apps.here.services;
    const byId = servers.byId.bind(servers);
    const isOn = (id: string) =>
      sql(apps.here.databaseUrl, 'update tenant_databases set server_id = $2 where org_id = $1', [tenant.id, id]);
    const fresh = await register('fresh', other.url);
    jest.spyOn(servers, 'byId').mockImplementation(async (id) => {
      if (id === fresh) await isOn(other.id);
      return byId(id);
    });
    try {
      await refused({ server_id: fresh }, 409, /has come to another server meanwhile/);
    } finally {
      jest.restoreAllMocks();
      await isOn(HOME_SERVER_ID);
    }
    await sql(apps.here.databaseUrl, `delete from database_servers where name = 'fresh'`);
  });

  test('is one whose schema is of the version before: it is told to be brought up to date first', async () => {
    const version = (by: string) =>
      sql(apps.here.databaseUrl, `update organizations set schema_version = schema_version ${by} where id = $1`, [
        tenant.id,
      ]);
    await version('- 1');
    await refused({ server_id: other.id }, 409, /is at schema version \d+, and is moved at \d+, .* -- upgrade/);
    await version('+ 1');
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

describe('a copy that is not the same', () => {
  /** Whatever is copied to the other server gets other names. */
  const spoil = async (how: string) => {
    const template = templateName(code);
    await sql(serverUrl('postgres', other.url), `alter database "${template}" allow_connections true`);
    await sql(serverUrl(template, other.url), how);
    await sql(serverUrl('postgres', other.url), `alter database "${template}" allow_connections false`);
  };

  test('is not switched to: writes go on where they were, and after three attempts a person is asked', async () => {
    const tenant = await provision(admin);
    await sql(serverUrl(nameOf(tenant)), `insert into contacts (id, name) values (gen_random_uuid(), 'Ayu')`);
    await spoil(`create function spoil() returns trigger language plpgsql as $$ begin new.name := 'Budi'; return new; end $$;
      create trigger spoil before insert on contacts for each row execute function spoil();
      alter table contacts enable always trigger spoil`);
    const use = await useSteadily([apps.here, apps.there], tenant, 1);
    await ask(tenant);
    const { steps } = await moved(admin, tenant, 'failed');
    expect(steps.find(({ name }: { name: string }) => name === 'verify')).toMatchObject({
      state: 'failed',
      attempt: 3,
      error: 'The copies of contacts are not the same on both servers.',
    });
    await sleep(1000);
    await use.stop();
    expect(await serverOf(tenant)).toBe('home');
    expect(use).toMatchObject({ refusedWrites: [], refusedReads: [], stale: [] });
    expect(await lostOf(apps.there, tenant, use)).toEqual([]);

    await spoil('drop function spoil() cascade');
    const { findings } = await examination(apps.here.databaseUrl);
    expect(findings).toEqual([expect.objectContaining({ kind: 'unfinished_move' })]);
    await admin.rest('DELETE', moveOf(tenant));
    await moved(admin, tenant, 'cancelled');
    expect(await there(tenant)).toEqual([]);
    await ask(tenant);
    await moved(admin, tenant, 'switched');
    expect((await examination(apps.here.databaseUrl)).notes).toContainEqual(
      expect.stringMatching(new RegExp(`tenant ${tenant.slug} has been moved, and its former database still follows`)),
    );
    await admin.rest('POST', `${moveOf(tenant)}/finish`);
    await moved(admin, tenant, 'finished');
    await expectNothingWrong(apps.here.databaseUrl);
  });
});

describe('between servers on which the gateway is no superuser', () => {
  const role = `mover_${randomBytes(4).toString('hex')}`;
  const plain = async (server: string) => {
    const onServer = (text: string) => sql(serverUrl('postgres', server), text);
    await onServer(`create role ${role} login password 'mover' createdb createrole replication`);
    await onServer(`grant pg_create_subscription to ${role}`);
    await onServer(`create database ${role} owner ${role}`);
    await onServer(`grant connect on database postgres to ${role}`);
    const url = new URL(serverUrl(role, server));
    url.username = role;
    url.password = 'mover';
    return url.href;
  };

  test('a tenant that is used is moved there and back, and one is moved for good', async () => {
    const [homeUrl, otherUrl] = [await plain(process.env.TEST_DATABASE_URL!), await plain(other.url)];
    const app = await startApp({}, homeUrl);
    try {
      const root = await superAdmin(app);
      const target = await registered(app, 'plain', otherUrl);
      const tenant = await provision(root);
      const use = await useSteadily([app], tenant, 2);
      for (const end of ['undo', 'finish']) {
        expect((await root.rest('POST', moveOf(tenant), { server_id: target })).body.error).toBeUndefined();
        await moved(root, tenant, 'switched');
        await root.rest('POST', `${moveOf(tenant)}/${end}`);
        await moved(root, tenant, end === 'undo' ? 'undone' : 'finished');
      }
      await use.stop();
      expect(use).toMatchObject({ refusedWrites: [], refusedReads: [], stale: [] });
      expect(await lostOf(app, tenant, use)).toEqual([]);
      await expectNothingWrong(homeUrl);
    } finally {
      await app.close();
      await dropControlDatabase(serverUrl(role));
    }
  });
});
