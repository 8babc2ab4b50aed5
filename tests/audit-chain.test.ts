import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { bySystem, tenantAudit } from '../src/domain/audit.ts';
import type { TenantAction } from '../src/domain/audit-actions.ts';
import { linkEntries, tenantChain } from '../src/domain/audit-chain.ts';
import { sealControl, sealTenant } from '../src/jobs/chain-sealer.ts';
import { eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { allLinked, verdicts } from './support/chains.ts';
import { serverUrl, sql } from './support/database.ts';
import { took } from './support/many-tenants.ts';

let app: TestApp;
/** Another gateway of the installation. */
let other: TestApp;
let tenant: Tenant;
const url = () => serverUrl(app.services.servers.home.nameFor(tenant.id));
const name = () => `tenant ${tenant.slug}`;

beforeAll(async () => {
  app = await startApp();
  other = await startApp({}, app.databaseUrl);
  tenant = await provision(await superAdmin(app));
});
afterAll(async () => {
  await other?.stop();
  await app?.stop();
});

/** Writes an entry; its transaction stays open until `then` is done. */
const write = (action: string, then: () => Promise<unknown> = async () => {}) =>
  app.services.tenants.work(tenant.id, (em) =>
    em.transactional(async (within) => {
      // What is written is of no matter here, and tells the entries apart.
      tenantAudit(within, bySystem, { action: action as TenantAction });
      await within.flush();
      await then();
    }),
  );

/** Entries as an older gateway writes them. */
const insertMany = (database: string, log: string, count: number) =>
  sql(
    database,
    `insert into ${log} (id, actor_kind, action, created_at) select id, 'system', 'many.made', now() from unnest($1::uuid[]) id`,
    [Array.from({ length: count }, () => uuidv7())],
  );

test('writers do not wait for each other: two open transactions both hold an entry', async () => {
  const written = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const both = Promise.all(written.map(({ promise }) => promise));
  await Promise.all(
    written.map(({ resolve }) =>
      write('both.open', () => {
        resolve();
        return both;
      }),
    ),
  );
  expect((await allLinked(app.databaseUrl))[name()]).toMatchObject({ entries: 2, unlinked: 0 });
});

test('an entry whose transaction ends late is linked after those that it overlapped with', async () => {
  const end = Promise.withResolvers<void>();
  const late = write('late.end', () => end.promise);
  await write('early.end');
  await eventually(
    () =>
      sql<{ action: string }>(
        url(),
        'select action from activity_log join activity_chain on entry_id = id order by seq',
      ),
    (rows) => rows.at(-1)?.action === 'early.end',
  );
  end.resolve();
  await late;
  const { broken, entries } = (await allLinked(app.databaseUrl))[name()]!;
  expect([broken, entries]).toEqual([undefined, 4]);
});

test('two sealers at once, on thousands of entries, make one chain', async () => {
  const { entries: before } = (await allLinked(app.databaseUrl))[name()]!;
  await Promise.all([insertMany(url(), 'activity_log', 2500), insertMany(app.databaseUrl, 'audit_entries', 2500)]);
  const start = performance.now();
  const both = [app, other].flatMap(({ services }) => [sealTenant(services, tenant.id), sealControl(services)]);
  await Promise.all(both);
  took('two sealers, 2,500 entries in each of two logs', performance.now() - start);
  const found = await allLinked(app.databaseUrl);
  expect(found[name()]).toMatchObject({ entries: before + 2500, head: { seq: before + 2500 } });
  for (const { broken } of Object.values(found)) expect(broken).toBeUndefined();
});

test('a sealer that dies before it can tell how far it came is made up for', async () => {
  await insertMany(url(), 'activity_log', 1);
  const { servers, keys } = app.services;
  await servers.home.asOwner(servers.home.nameFor(tenant.id), (client) =>
    linkEntries(client, tenantChain(tenant.id), keys),
  );
  // Waits until the control plane knows.
  expect((await allLinked(app.databaseUrl))[name()]!.broken).toBeUndefined();
});

test('the end that a restore sets stands, also where a sealer had the former one in hand', async () => {
  const { id } = await provision(await superAdmin(app));
  const restore = new pg.Client({ connectionString: app.databaseUrl });
  await restore.connect();
  await restore.query('begin');
  await restore.query('update organizations set token_version = token_version + 1 where id = $1', [id]);
  await restore.query('delete from activity_heads where org_id = $1', [id]);
  await restore.query("insert into activity_heads (org_id, seq, hash) values ($1, 1, '\\xab')", [id]);
  await insertMany(serverUrl(app.services.servers.home.nameFor(id)), 'activity_log', 3);
  const sealed = sealTenant(app.services, id);
  await eventually(
    () =>
      sql(
        app.databaseUrl,
        "select from pg_stat_activity where wait_event_type = 'Lock' and query like '%activity_heads%' and datname = current_database()",
      ),
    (rows) => rows.length > 0,
  );
  await restore.query('commit');
  await restore.end();
  await sealed;
  const ends = await sql(app.databaseUrl, 'select seq::int from activity_heads where org_id = $1', [id]);
  expect(ends).toEqual([{ seq: 1 }]);
  // Whole again, for the others.
  await sql(app.databaseUrl, 'delete from activity_heads where org_id = $1', [id]);
  await insertMany(serverUrl(app.services.servers.home.nameFor(id)), 'activity_log', 1);
});

test('sealing ends: a quiet tenant is left in peace', async () => {
  await write('last.one');
  await allLinked(app.databaseUrl);
  const marks = async () => {
    const [row] = await sql(
      app.databaseUrl,
      `select u.gathered_mark as gathered, (s.tup_inserted + s.tup_updated + s.tup_deleted)::text as written
         from usage u join tenant_databases d on d.org_id = u.org_id join pg_stat_database s on s.datname = d.database_name
        where u.org_id = $1`,
      [tenant.id],
    );
    return row!;
  };
  // The server counts the last of a session's writes a second or more after it.
  await eventually(
    async () => {
      const before = await marks();
      await sleep(3500);
      return [before, await marks()];
    },
    ([before, after]) => before!.gathered === after!.written,
    20_000,
  );
}, 30_000);

test('many writers at once, measured', async () => {
  const start = performance.now();
  const count = 400;
  await Promise.all(Array.from({ length: count }, () => write('at.once')));
  const ms = performance.now() - start;
  took(`${count} entries, each in a transaction of its own (${Math.round((count / ms) * 1000)} a second)`, ms);
  await allLinked(app.databaseUrl);
  took('until all are linked', performance.now() - start);
  expect((await verdicts(app.databaseUrl))[name()]!.broken).toBeUndefined();
});
