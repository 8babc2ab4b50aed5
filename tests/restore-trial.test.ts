import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { LOCKS } from '../src/db/locks.ts';
import { type Actor, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { anotherServer } from './support/another-server.ts';
import { JWT_SECRET, startApp, type TestApp } from './support/app.ts';
import { restoreBackup, takeBackup } from './support/backups.ts';
import { examination, expectNothingWrong } from './support/checker.ts';
import { createControlDatabase, dropControlDatabase, holdTable, serverUrl, sql } from './support/database.ts';
import { cleanUp, startRestore, temporaryFolder } from './support/gateway-process.ts';
import { moved, moveOf, type OtherServer, registeredServer } from './support/moves.ts';

let databaseUrl: string;
let app: TestApp;
let far: OtherServer;
let trial: Awaited<ReturnType<typeof anotherServer>>;
let admin: Actor;
let tenant: Tenant;
/** On the home server. */
let another: Tenant;
let folder: string;

beforeAll(async () => {
  [databaseUrl, trial] = await Promise.all([createControlDatabase(), anotherServer()]);
  app = await startApp({}, databaseUrl);
  admin = await superAdmin(app);
  [far, tenant, another] = await Promise.all([registeredServer(app, 'far'), provision(admin), provision(admin)]);
  await admin.rest('POST', moveOf(tenant), { server_id: far.id });
  await moved(admin, tenant, 'switched');
  await admin.rest('POST', `${moveOf(tenant)}/finish`);
  await moved(admin, tenant, 'finished');
  await onFar(`insert into contacts (id, name) values (gen_random_uuid(), 'of before')`);
  folder = await takeBackup(databaseUrl, await temporaryFolder());
  await onFar(`insert into contacts (id, name) values (gen_random_uuid(), 'of after')`);
});
afterAll(async () => {
  await cleanUp();
  await app?.close();
  await Promise.all([far?.remove(), trial?.remove()]);
  await dropControlDatabase(databaseUrl);
});

const name = () => app.services.servers.home.nameFor(tenant.id);
const onFar = (text: string) => sql<{ name: string }>(serverUrl(name(), far.url), text);

test('a backup that is tried out on another machine leaves the servers alone that its tenants are on', async () => {
  const [before] = await sql(far.url, 'select oid from pg_database where datname = $1', [name()]);
  const said = await restoreBackup(trial.url, [folder]);
  expect(said.join('\n')).toContain('all tenants come to this server, whichever they were on');

  // There it is as it was backed up, and nothing leads to the other server any more.
  const contacts = await sql(serverUrl(name(), trial.url), 'select name from contacts');
  expect(contacts).toEqual([{ name: 'of before' }]);
  expect(await sql(trial.url, 'select name from database_servers')).toEqual([{ name: 'home' }]);

  // Here it is the same database, with what was written since.
  expect(await sql(far.url, 'select oid from pg_database where datname = $1', [name()])).toEqual([before]);
  expect(await onFar('select name from contacts order by name')).toEqual([{ name: 'of after' }, { name: 'of before' }]);
});

test('nothing is restored on servers that a gateway is at work on', async () => {
  const other = await anotherServer();
  // Whoever has not asked about a tenant for a while has no connection to its database.
  await sql(far.url, 'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name()]);
  try {
    const restoring = restoreBackup(other.url, [folder], { keepServers: true });
    await expect(restoring).rejects.toThrow(/A gateway is running on it/);
    expect(await sql(other.url, `select to_regclass('installation') as there`)).toEqual([{ there: null }]);
  } finally {
    await other.remove();
  }
});

describe('a restore of a tenant on another server', () => {
  beforeAll(() =>
    sql(
      databaseUrl,
      'create table gate (id int); create function gate() returns void language sql as $$ lock table gate $$',
    ),
  );
  const contacts = async () => (await onFar('select name from contacts order by name')).map(({ name }) => name);
  /** What happens at the commit of a restore in the control plane, when the tenant's server has committed. */
  const atCommit = (does: string, when = 'deferrable initially deferred') =>
    sql(
      databaseUrl,
      `create or replace function at_commit() returns trigger language plpgsql as $$ begin ${does}; return null; end $$;
       drop trigger if exists at_commit on audit_entries;
       create constraint trigger at_commit after insert on audit_entries ${when}
         for each row when (new.action = 'tenant.restore') execute function at_commit()`,
    );
  const afterwards = () => sql(databaseUrl, 'drop trigger at_commit on audit_entries');
  const restoring = () => restoreBackup(databaseUrl, [folder], { tenant: tenant.slug });
  /** A restore by the command that gets no further than the control plane's commit, or to what it tells before, until the gate's session ends. */
  const heldAtCommit = async (when?: string) => {
    const gate = await holdTable(databaseUrl, 'gate');
    await atCommit('perform gate()', when);
    const env = { DATABASE_URL: databaseUrl, JWT_SECRET };
    return { gate, ...startRestore(env, folder, '--tenant', tenant.slug, '--yes') };
  };
  /** Until a restore waits for a lock of the control plane's, with this statement. */
  const waiting = (statement: string) =>
    eventually(
      () =>
        sql(
          databaseUrl,
          `select from pg_stat_activity where application_name = 'omnistream-restore' and wait_event_type = 'Lock' and query ~ $1`,
          [statement],
        ),
      ({ length }) => length > 0,
      60_000,
    );

  test('leaves it as it was where the control plane does not commit, or is lost just then', async () => {
    const me = await agent(app, tenant.adminEmail, tenant.adminPassword);
    for (const fault of [`raise 'no room'`, 'perform pg_terminate_backend(pg_backend_pid())']) {
      await atCommit(fault);
      await expect(restoring()).rejects.toThrow('Not restored');
      expect(await contacts()).toEqual(['of after', 'of before']);
      expect((await me.rest('GET', '/api/auth/me')).status).toBe(200);
      await expectNothingWrong(databaseUrl);
    }
    await afterwards();
  });

  test('that dies between the two commits is named, lets nobody write what would be lost, and is taken back by a gateway', async () => {
    const me = await agent(app, tenant.adminEmail, tenant.adminPassword);
    const { gate, child, ended } = await heldAtCommit();
    await waiting('^commit');
    // As long as somebody is at work on the tenant's database, nobody else is.
    const holder = new pg.Client(far.url);
    await holder.connect();
    const held = holder.query('select pg_advisory_lock($1, hashtext($2))', [LOCKS.tenantDatabase, name()]);
    child.kill('SIGKILL');
    await ended;
    await held;
    await sql(
      databaseUrl,
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'omnistream-restore'`,
    );
    await gate.letGo();
    expect((await me.rest('GET', '/api/agents')).status).toBe(503);
    const { findings } = await examination(databaseUrl);
    expect(findings).toMatchObject([
      {
        kind: 'unfinished_restore',
        problem: expect.stringContaining(tenant.slug),
        remedy: expect.stringContaining('puts the former database back'),
      },
    ]);
    await holder.end();
    await eventually(
      () => me.rest('GET', '/api/agents'),
      ({ status }) => status === 200,
      20_000,
    );
    expect(await contacts()).toEqual(['of after', 'of before']);
    await eventually(
      () => examination(databaseUrl),
      ({ findings }) => findings.length === 0,
    );
    await afterwards();
    await restoring();
    expect(await contacts()).toEqual(['of before']);
    await expectNothingWrong(databaseUrl);
    await agent(app, tenant.adminEmail, tenant.adminPassword);
    const [{ comment }] = (await sql<{ comment: string | null }>(
      far.url,
      `select shobj_description(oid, 'pg_database') as comment from pg_database where datname = $1`,
      [name()],
    )) as [{ comment: string | null }];
    expect(comment).toBeNull();
  });

  test('that hangs between the two holds up nobody: the control plane goes on in seconds, and what came of it is found out then', async () => {
    const onServer = (text: string) => sql(far.url, text);
    const before = await contacts();
    await onServer('alter role current_user set synchronous_commit = on');
    const { gate, ended } = await heldAtCommit('not deferrable');
    await waiting('insert into audit_entries');
    // Its commit waits for a standby that never comes.
    await onServer(`alter system set synchronous_standby_names = 'nobody'`);
    await onServer('select pg_reload_conf()');
    try {
      await gate.letGo();
      await eventually(
        () => onServer(`select from pg_stat_activity where wait_event = 'SyncRep' and query = 'commit'`),
        ({ length }) => length === 1,
        60_000,
      );
      // Whoever writes an event waits for the restore's transaction, and not for its server.
      const { status } = await admin.rest('PATCH', `/api/super-admin/tenants/${another.id}`, { name: 'Renamed' });
      expect(status).toBe(200);
    } finally {
      await onServer('alter system reset synchronous_standby_names');
      await onServer('select pg_reload_conf()');
      await onServer('alter role current_user reset synchronous_commit');
      await afterwards();
    }
    expect((await ended).code).not.toBe(0);
    expect(await contacts()).toEqual(before);
    await eventually(
      () => examination(databaseUrl),
      ({ findings }) => findings.length === 0,
    );
  });

  test('is waited for where it died while the control plane was committing: what it has restored holds', async () => {
    await onFar(`insert into contacts (id, name) values (gen_random_uuid(), 'of after')`);
    const { gate, child, ended } = await heldAtCommit();
    await waiting('^commit');
    child.kill('SIGKILL');
    await ended;
    // The next one does not get further than to what became of this one.
    await sql(
      databaseUrl,
      `create or replace function at_commit() returns trigger language plpgsql as $$ begin raise 'no room'; end $$`,
    );
    const next = expect(restoring()).rejects.toThrow('Not restored');
    await waiting('pg_advisory_xact_lock');
    await gate.letGo();
    await next;
    expect(await contacts()).toEqual(['of before']);
    await afterwards();
    await agent(app, tenant.adminEmail, tenant.adminPassword);
  });
});
