import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { applyMigrations } from '../src/db/apply-migrations.ts';
import { LOCKS } from '../src/db/locks.ts';
import { controlMigrations } from '../src/db/migrations/control/index.ts';
import { TENANT_SCHEMA_VERSION as newest } from '../src/db/migrations/tenant/index.ts';
import { draftName, formerName, tenantName } from '../src/db/tenant-names.ts';
import { markOf } from '../src/domain/backup/drafts.ts';
import { RESTORED_VERSION } from '../src/domain/backup/switch-tenant.ts';
import { Actor, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { JWT_SECRET, startTwoApps, type TestApp, type TwoApps } from './support/app.ts';
import { restoreBackup, takeBackup } from './support/backups.ts';
import { ensureBuilt } from './support/built.ts';
import { allLinked } from './support/chains.ts';
import { examination, expectNothingWrong } from './support/checker.ts';
import { createControlDatabase, serverUrl, sql } from './support/database.ts';
import { cleanUp, startRestore, temporaryFolder } from './support/gateway-process.ts';
import { atOnce } from './support/many-tenants.ts';
import { makeOld } from './support/older-version.ts';
import { contentOfTenant } from './support/tenant-content.ts';

let apps: TwoApps;
let app: TestApp;
let there: TestApp;
let root: Actor;
let acme: Tenant;
let other: Tenant;
let ayu: Actor;
let out: string;
const nameOf = ({ id }: Tenant) => tenantName(app.services.servers.home.code, id);
const contacts = (tenant: Tenant) =>
  sql<{ name: string }>(serverUrl(nameOf(tenant)), 'select name from contacts order by 1');
const addContact = (tenant: Tenant, name: string) =>
  sql(serverUrl(nameOf(tenant)), 'insert into contacts (id, name) values (gen_random_uuid(), $1)', [name]);

beforeAll(async () => {
  ensureBuilt();
  [apps, out] = await Promise.all([startTwoApps(), temporaryFolder()]);
  app = apps.here;
  there = apps.there;
  root = await superAdmin(app);
  [acme, other] = await Promise.all([provision(root), provision(root)]);
  ayu = await agent(app, acme.adminEmail, acme.adminPassword);
});
afterAll(async () => {
  await cleanUp();
  await apps.stop();
});

/** Each of a moment of its own. */
const KILLS = 6;
const is401 = ({ status }: { status: number }) => status === 401;

const backUpAcme = () => takeBackup(app.databaseUrl, out, { tenant: acme.slug });

test('a tenant goes back to what it was while others are written to, and no other is touched', async () => {
  const hire = (email: string) =>
    ayu.rest('POST', '/api/agents', { email, full_name: email, password: 'secret-password', role: 'agent' });
  const status = (from: TestApp) => new Actor(from.url).rest('GET', `/api/working-hours/status?tenant=${acme.slug}`);
  const { body: budi } = await hire('budi@acme.test');
  await hire('citra@acme.test');
  const key = (name: string) => ayu.rest('POST', '/api/api-keys', { name, scopes: ['logs.view'] });
  const { body: lasting } = await key('lasting');
  const { body: leaked } = await key('leaked');
  await ayu.rest('PUT', '/api/settings/timezone', { timezone: 'Asia/Jakarta' });
  await addContact(acme, 'of before');
  await allLinked(app.databaseUrl);
  const folder = await backUpAcme();

  // What happens after the backup.
  await ayu.rest('DELETE', `/api/agents/${budi.id}`);
  await hire('dewi@acme.test');
  await ayu.rest('DELETE', `/api/api-keys/${leaked.id}`);
  await ayu.rest('PUT', '/api/settings/timezone', { timezone: 'Europe/London' });
  await addContact(acme, 'of after');
  const { id: citra } = (await ayu.rest('GET', '/api/agents')).body.find(
    ({ email }: { email: string }) => email === 'citra@acme.test',
  );
  await root.rest('POST', `/api/super-admin/users/${citra}/suspend?tenant_id=${acme.id}`);
  await root.rest('PATCH', `/api/super-admin/tenants/${acme.id}`, { limits: { max_agents: 7 } });
  await allLinked(app.databaseUrl);
  expect((await status(there)).body.timezone).toBe('Europe/London');

  const untouched = await contentOfTenant(app, other.id);
  const bystander = await agent(app, other.adminEmail, other.adminPassword);
  let over = false;
  const answers: number[] = [];
  const writing = (async () => {
    while (!over) {
      const made = await bystander.rest('POST', '/api/divisions', { name: 'Passing' });
      const gone = await bystander.rest('DELETE', `/api/divisions/${made.body.id}`);
      answers.push(made.status, gone.status);
    }
  })();
  const said = await restoreBackup(app.databaseUrl, [folder]);
  over = true;
  await writing;
  expect(said.at(-1)).toContain('1 API key dead, 1 account suspended because deleted since');
  expect(new Set(answers)).toEqual(new Set([201, 200]));

  // On both processes, at once.
  for (const gateway of [app, there]) {
    await atOnce(
      'until a session of before the restore is over',
      () => new Actor(gateway.url, ayu.token).rest('GET', '/api/auth/me'),
      ({ status }) => status === 401,
    );
    await atOnce(
      'until the restored hours are told',
      () => status(gateway),
      ({ body }) => body.timezone === 'Asia/Jakarta',
    );
  }
  ayu = await agent(there, acme.adminEmail, acme.adminPassword);
  const people = (await ayu.rest('GET', '/api/agents')).body.map(({ email }: { email: string }) => email).sort();
  expect(people).toEqual([acme.adminEmail, 'budi@acme.test', 'citra@acme.test'].sort());
  expect(await contacts(acme)).toEqual([{ name: 'of before' }]);
  // Nobody gets in who was shut out since.
  await expect(agent(app, 'budi@acme.test', 'secret-password')).rejects.toThrow('user_suspended');
  await expect(agent(app, 'citra@acme.test', 'secret-password')).rejects.toThrow('user_suspended');
  await expect(agent(app, 'dewi@acme.test', 'secret-password')).rejects.toThrow('unauthenticated');
  const withKey = (key: string) =>
    new Actor(app.url).rest('GET', '/api/activity-logs', undefined, { 'x-api-key': key });
  expect((await withKey(lasting.key)).status).toBe(200);
  expect((await withKey(leaked.key)).status).toBe(401);
  // What the platform decided stays: it is no business of the tenant's data.
  expect((await root.rest('GET', `/api/super-admin/tenants/${acme.id}`)).body.limits).toEqual({ max_agents: 7 });

  const changed = Object.entries(await contentOfTenant(app, other.id)).filter(
    ([name, digest]) => untouched[name] !== digest,
  );
  // Its own doing meanwhile.
  expect(changed.map(([name]) => name).sort()).toEqual(['activity_log', 'schedule_versions', 'sessions']);
  const chains = await allLinked(app.databaseUrl);
  expect(Object.values(chains).filter(({ broken }) => broken)).toEqual([]);
  const { body: log } = await ayu.rest('GET', '/api/activity-logs?action=tenant.restore');
  expect(log).toHaveLength(1);
  await expectNothingWrong(app.databaseUrl);
});

describe('killed', () => {
  test('before it took its place: the tenant is as it was, what is left is named, and the next one clears it away', async () => {
    const folder = await backUpAcme();
    await addContact(acme, 'kept when killed');
    const now = await contacts(acme);
    // Whoever changes accounts holds up the switch.
    const holder = new pg.Client({ connectionString: app.databaseUrl });
    await holder.connect();
    await holder.query('select pg_advisory_lock($1, hashtext($2))', [LOCKS.tenantAccounts, acme.id]);
    const env = { DATABASE_URL: app.databaseUrl, JWT_SECRET };
    const waiting = async (sessions: number) => {
      const { child, ended } = startRestore(env, folder, '--yes');
      await eventually(
        () =>
          sql(app.databaseUrl, "select from pg_locks where locktype = 'advisory' and not granted and classid = $1", [
            LOCKS.tenantAccounts,
          ]),
        (rows) => rows.length === sessions,
        20_000,
      );
      return { child, ended };
    };
    const killed = await waiting(1);
    killed.child.kill('SIGKILL');
    await killed.ended;
    expect(await contacts(acme)).toEqual(now);
    expect((await ayu.rest('GET', '/api/auth/me')).status).toBe(200);
    const { findings } = await examination(app.databaseUrl);
    expect(findings).toMatchObject([
      {
        kind: 'orphan_database',
        problem: expect.stringContaining(draftName(nameOf(acme))),
        remedy: expect.stringMatching(/^unless npm run restore is at work: drop /),
      },
    ]);
    // Ctrl-C leaves nothing.
    // The server keeps the session of the dead one until it has its lock.
    const stopped = await waiting(2);
    stopped.child.kill('SIGINT');
    await holder.end();
    expect((await stopped.ended).code).toBe(130);
    expect(await contacts(acme)).toEqual(now);
    await expectNothingWrong(app.databaseUrl);
  });

  test('between making its draft and marking it: the next one clears it away, and no database of somebody else', async () => {
    const draft = draftName(nameOf(acme));
    const folder = await backUpAcme();
    await sql(serverUrl('postgres'), `create database "${draft}"`);
    await expect(restoreBackup(app.databaseUrl, [folder])).rejects.toThrow('Not restored');
    await sql(serverUrl('postgres'), `alter database "${draft}" allow_connections false`);
    await restoreBackup(app.databaseUrl, [folder]);
    await expectNothingWrong(app.databaseUrl);
    ayu = await agent(app, acme.adminEmail, acme.adminPassword);
  });

  test('at any moment: the tenant is as it was or as it was backed up, its sessions with it, never half', async () => {
    await sql(serverUrl(nameOf(acme)), 'truncate contacts');
    await addContact(acme, 'of the backup');
    const folder = await backUpAcme();
    const env = { DATABASE_URL: app.databaseUrl, JWT_SECRET };
    const restoring = `select from pg_stat_activity where application_name = 'omnistream-restore'`;
    const restoreFor = async (ms?: number) => {
      const began = performance.now();
      const { child, ended } = startRestore(env, folder, '--yes');
      if (ms !== undefined) setTimeout(() => child.kill('SIGKILL'), ms);
      await ended;
      // The server may still be at the last thing that it was told.
      await eventually(
        () => sql(app.databaseUrl, restoring),
        (rows) => rows.length === 0,
        20_000,
      );
      return performance.now() - began;
    };
    const whole = await restoreFor();
    const outcomes = { old: 0, restored: 0 };
    for (let kill = 0; kill < KILLS; kill++) {
      const me = await agent(app, acme.adminEmail, acme.adminPassword);
      await sql(serverUrl(nameOf(acme)), 'truncate contacts');
      await addContact(acme, 'of now');
      // Before that it has not begun; it takes its place close to the end.
      await restoreFor(whole * (0.5 + (0.6 * (kill + Math.random())) / KILLS));
      const [found, ...more] = await contacts(acme);
      expect(more).toEqual([]);
      const isRestored = found!.name === 'of the backup';
      outcomes[isRestored ? 'restored' : 'old'] += 1;
      if (isRestored) await atOnce('until a session of before is over', () => me.rest('GET', '/api/auth/me'), is401);
      else expect((await me.rest('GET', '/api/auth/me')).status).toBe(200);
      const { findings } = await examination(app.databaseUrl);
      // What it made and did not come to remove.
      expect(findings.filter(({ kind }) => kind !== 'orphan_database')).toEqual([]);
    }
    process.stdout.write(`    measured: killed ${KILLS} times: ${JSON.stringify(outcomes)}\n`);
    await restoreFor();
    await expectNothingWrong(app.databaseUrl);
    ayu = await agent(app, acme.adminEmail, acme.adminPassword);
  });

  test('after it took its place: the tenant is restored, and the former database is named', async () => {
    const former = formerName(nameOf(acme));
    await sql(serverUrl('postgres'), `create database "${former}"`);
    const folder = await backUpAcme();
    // Not one that no restore has made.
    await expect(restoreBackup(app.databaseUrl, [folder])).rejects.toThrow('Not restored');
    expect(await sql(app.databaseUrl, 'select from pg_database where datname = $1', [former])).toHaveLength(1);
    await sql(serverUrl('postgres'), `comment on database "${former}" is '${markOf(nameOf(acme))}'`);
    const { findings } = await examination(app.databaseUrl);
    expect(findings.map(({ kind }) => kind)).toContain('orphan_database');
    await restoreBackup(app.databaseUrl, [folder]);
    await expectNothingWrong(app.databaseUrl);
    ayu = await agent(app, acme.adminEmail, acme.adminPassword);
  });
});

test('what an older version backed up is brought up to date', async () => {
  await addContact(acme, 'of long ago');
  const now = await contacts(acme);
  await makeOld(app.databaseUrl, acme.id);
  await sql(app.databaseUrl, 'update organizations set schema_version = 1 where id = $1', [acme.id]);
  const folder = await backUpAcme();
  await sql(serverUrl(nameOf(acme)), 'truncate contacts');
  const said = await restoreBackup(app.databaseUrl, [join(folder, `tenant-${acme.slug}.omnibak`)]);
  expect(said[0]).toContain('schema version 1');
  expect(await contacts(acme)).toEqual(now);
  expect((await root.rest('GET', `/api/super-admin/tenants/${acme.id}`)).body.schema_version).toBe(newest);
  await agent(app, acme.adminEmail, acme.adminPassword);
  await expectNothingWrong(app.databaseUrl);
});

test('its rows of an older control plane are brought up to date as well', async () => {
  const older = await createControlDatabase();
  try {
    await applyMigrations(older, controlMigrations.slice(0, 3));
    const [{ code }] = (await sql(app.databaseUrl, 'select code from installation')) as [{ code: string }];
    await sql(older, 'insert into installation (id, code, created_at) values (1, $1, now())', [code]);
    // Of tables that are as they were.
    for (const [table, column] of [
      ['organizations', 'id'],
      ['identities', 'org_id'],
      ['tenant_databases', 'org_id'],
      ['api_keys', 'org_id'],
    ]) {
      const rows = await sql<{ row: object }>(
        app.databaseUrl,
        `select to_jsonb(t) as row from ${table} t where ${column} = $1`,
        [acme.id],
      );
      for (const { row } of rows)
        await sql(older, `insert into ${table} select * from jsonb_populate_record(null::${table}, $1)`, [row]);
    }
    const folder = await takeBackup(older, out, { tenant: acme.slug });
    const [before] = await sql(app.databaseUrl, 'select count(*) from identities where org_id = $1', [acme.id]);
    await sql(app.databaseUrl, 'delete from identities where org_id = $1', [acme.id]);
    await restoreBackup(app.databaseUrl, [folder]);
    expect(await sql(app.databaseUrl, 'select count(*) from identities where org_id = $1', [acme.id])).toEqual([
      before,
    ]);
    await agent(app, acme.adminEmail, acme.adminPassword);
    await expectNothingWrong(app.databaseUrl);
    expect(
      await sql(
        app.databaseUrl,
        "select datname from pg_database where starts_with(datname, $1) and datname ~ '(restore|former)$'",
        [`t_${code}`],
      ),
    ).toEqual([]);
  } finally {
    await sql(serverUrl('postgres'), `drop database "${new URL(older).pathname.slice(1)}" with (force)`);
  }
});

test('a tenant of which everything is lost comes back', async () => {
  const folder = await backUpAcme();
  const name = nameOf(acme);
  app.services.tenants.forget(acme.id);
  there.services.tenants.forget(acme.id);
  await sql(serverUrl('postgres'), `drop database "${name}" with (force)`);
  await sql(serverUrl('postgres'), `drop role "${name}"`);
  await sql(app.databaseUrl, 'delete from organizations where id = $1', [acme.id]);
  await restoreBackup(app.databaseUrl, [folder]);
  await expectNothingWrong(app.databaseUrl);
  await agent(app, acme.adminEmail, acme.adminPassword);
  await agent(there, acme.adminEmail, acme.adminPassword);
});

test('tokens of before a restore are dead for as long as their versions are counted, which is beyond 2038', async () => {
  const at = (time: string) =>
    sql(app.databaseUrl, `select ${RESTORED_VERSION.replace('now()', `timestamptz '${time}'`)} as version`);
  expect(await at('2020-01-01T00:00:10Z')).toEqual([{ version: 10 }]);
  expect(await at('2087-01-01T00:00:00Z')).toEqual([{ version: Date.UTC(2087, 0) / 1000 - Date.UTC(2020, 0) / 1000 }]);
});
