import { once } from 'node:events';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { minioComponent } from '../src/components/minio.ts';
import { snapshotsOfTenant } from '../src/domain/backup/take.ts';
import { sweepExports } from '../src/domain/export/expire.ts';
import { whileThereIsRoom } from '../src/domain/export/room.ts';
import { runExport } from '../src/domain/export/run-export.ts';
import { writeData } from '../src/domain/export/write-data.ts';
import { KeptFiles } from '../src/domain/kept-files.ts';
import { type Actor, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { JWT_SECRET, startApp, type TestApp } from './support/app.ts';
import { belongingsOf } from './support/belongings.ts';
import { ensureBuilt } from './support/built.ts';
import { createControlDatabase, dropControlDatabase, holdTable, serverUrl, sql } from './support/database.ts';
import { bytesOf, databaseOf, fetched, linesIn, ofPlatform } from './support/exports.ts';
import { cleanUp, startGateway, temporaryFolder } from './support/gateway-process.ts';

let app: TestApp;
let dataDir: string;
let root: Actor;
let acme: Tenant;

beforeAll(async () => {
  dataDir = await temporaryFolder();
  app = await startApp({ DATA_DIR: dataDir });
  root = await superAdmin(app);
  acme = await provision(root);
  await belongingsOf(app, root, await agent(app, acme.adminEmail, acme.adminPassword), acme);
});
afterAll(async () => {
  await cleanUp();
  await app?.stop();
});

describe('an export that meets with trouble', () => {
  const idle = () => ({ stopping: new AbortController().signal, taken: new AbortController().signal });
  const rowOf = async (id: string) =>
    (
      await sql<{ state: string; attempt: number; error: string | null }>(
        app.databaseUrl,
        'select state, attempt, error from tenant_exports where id = $1',
        [id],
      )
    )[0];
  afterAll(() => sql(app.databaseUrl, 'delete from tenant_exports where id = any($1::uuid[])', [left]));
  const left: string[] = [];
  /** A row without a job, as a worker that died left it. */
  async function leftBehind(state: string, attempt: number): Promise<string> {
    const [row] = await sql<{ id: string }>(
      app.databaseUrl,
      `insert into tenant_exports (id, org_id, is_own, state, attempt, created_at)
       values (gen_random_uuid(), $1, false, $2, $3, now()) returning id`,
      [acme.id, state, attempt],
    );
    left.push(row!.id);
    return row!.id;
  }
  const readers = (database = app.databaseUrl) =>
    sql<{ locked: string | null }>(
      database,
      `select l.relation::regclass::text as locked from pg_stat_activity a
         left join pg_locks l on l.pid = a.pid and l.locktype = 'relation'
          and l.relation in (select oid from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace)
        where a.application_name = 'omnistream-backup' and a.datname = current_database() order by 1`,
    );

  test('fails for good where its process has died in each of its attempts', async () => {
    const id = await leftBehind('running', 5);
    await runExport(app.services, id, idle());
    expect(await rowOf(id)).toEqual({
      state: 'failed',
      attempt: 5,
      error: 'The process that made it came to its end each time.',
    });
  });

  test('is handed back by a gateway that stops, which is no attempt', async () => {
    const id = await leftBehind('running', 4);
    const stopping = AbortSignal.abort(new Error('stopping'));
    await expect(runExport(app.services, id, { ...idle(), stopping })).rejects.toThrow();
    expect(await rowOf(id)).toEqual({ state: 'queued', attempt: 4, error: null });
    await runExport(app.services, id, idle());
    expect(await rowOf(id)).toEqual({ state: 'ready', attempt: 5, error: null });
  });

  test('has more than hours, and its first file is kept while the second one is written', async () => {
    const jobs = await sql<{ expires: number }>(
      app.databaseUrl,
      `select distinct expire_seconds as expires from pgboss.job where name = 'tenant.export'`,
    );
    expect(jobs).toEqual([{ expires: 23 * 3600 }]);
    const id = await leftBehind('running', 2);
    const former = await leftBehind('failed', 2);
    const folder = join(dataDir, 'exports');
    await mkdir(folder, { recursive: true });
    const old = new Date(Date.now() - 2 * 3_600_000);
    for (const name of [`${id}.1.ndjson.gz`, `${id}.2.ndjson.gz`, `${former}.2.ndjson.gz`]) {
      await writeFile(join(folder, name), '');
      await utimes(join(folder, name), old, old);
    }
    await sweepExports(app.services, idle().taken);
    const found = await readdir(folder);
    expect(found.filter((name) => name.startsWith(id) || name.startsWith(former))).toEqual([`${id}.2.ndjson.gz`]);
  });

  test('leaves no connection behind where the database cannot be opened', async () => {
    const source = { databaseUrl: app.databaseUrl, signal: new AbortController().signal };
    const gone = { id: acme.id, url: serverUrl('no_such_database') };
    await expect(snapshotsOfTenant(source, gone, {}, async () => {})).rejects.toThrow('does not exist');
    await eventually(
      () => readers(),
      (found) => found.length === 0,
      5_000,
    );
  });

  test('lets go of a database that does not answer, and of the accounts that wait for it', async () => {
    const snapshots = (signal: AbortSignal) =>
      snapshotsOfTenant(
        { databaseUrl: app.databaseUrl, signal },
        { id: acme.id, url: databaseOf(app, acme) },
        {},
        async () => {},
      );
    const held = await holdTable(databaseOf(app, acme), 'contacts');
    try {
      const stopping = new AbortController();
      const stopped = snapshots(stopping.signal);
      await eventually(
        () => readers(databaseOf(app, acme)),
        (found) => found.length > 0,
        5_000,
      );
      stopping.abort();
      await expect(stopped).rejects.toThrow('terminated');
      await expect(snapshots(new AbortController().signal)).rejects.toThrow('could not be read at one instant');
    } finally {
      await held.letGo();
    }
    await eventually(
      () => readers(),
      (found) => found.length === 0,
      5_000,
    );
  }, 30_000);

  test('holds no table of the platform but those that it reads, and none while the records of the tenant are read', async () => {
    const seen = new Map<number, (string | null)[]>();
    const source = {
      databaseUrl: app.databaseUrl,
      signal: new AbortController().signal,
      progress: async (records: number) => {
        seen.set(
          records,
          (await readers()).map(({ locked }) => locked),
        );
      },
    };
    const file = join(dataDir, 'beside.ndjson.gz');
    const { entries } = await writeData(source, { id: acme.id, slug: acme.slug, url: databaseOf(app, acme) }, file);
    expect(seen.get(1)).toEqual([
      'api_keys',
      'audit_entries',
      'identities',
      'mikro_orm_migrations',
      'organizations',
      'usage_days',
    ]);
    expect(seen.get(entries)).toEqual([]);
  });

  test('ends before the disk is full', async () => {
    const chunks = async function* () {
      yield 'a line';
    };
    const written = async (reserve: number) => {
      for await (const chunk of whileThereIsRoom(dataDir, chunks(), reserve)) expect(chunk).toBe('a line');
    };
    await written(0);
    await expect(written(2 ** 60)).rejects.toThrow(/nearly full: \d+ MiB are free/);
  });
});

test('an object store that hangs keeps neither a request nor the end of the sweeping waiting', async () => {
  const deaf = createServer(() => {}).listen(0);
  await once(deaf, 'listening');
  const { objects, store } = minioComponent(`http://key:secret@127.0.0.1:${(deaf.address() as AddressInfo).port}`);
  const kept = new KeptFiles({ dataDir, dataDirShared: true }, 'c0ffee00', objects);
  const swept = kept.sweep('exports', () => false, AbortSignal.timeout(200));
  await expect(swept).rejects.toThrow();
  await expect(kept.read('bucket', 'exports/one')).rejects.toMatchObject({ code: 'unavailable' });
  await store.close();
  deaf.close();
}, 30_000);

test('an export whose gateway is killed while it is made is made anew by the next one', async () => {
  ensureBuilt();
  const databaseUrl = await createControlDatabase();
  const env = { DATA_DIR: await temporaryFolder(), DATABASE_URL: databaseUrl, JWT_SECRET, WARM_DATABASES: '0' };
  try {
    const first = await startGateway(env);
    const admin = await superAdmin(first);
    const tenant = await provision(admin);
    const [own] = await sql<{ name: string }>(databaseUrl, 'select database_name as name from tenant_databases');
    await sql(
      serverUrl(own!.name),
      `insert into messages (id, contact_id, channel, body)
       select gen_random_uuid(), gen_random_uuid(), 'email', repeat(md5(n::text), 8) from generate_series(1, 100000) n`,
    );
    const { body } = await admin.rest('POST', ofPlatform(tenant));
    const address = `${ofPlatform(tenant)}/${body.id}`;
    await eventually(
      () => admin.rest('GET', address),
      (answer) => answer.body.records > 0,
    );
    await first.end('SIGKILL');
    const [left] = await sql<{ state: string }>(databaseUrl, 'select state from tenant_exports');
    expect(left).toEqual({ state: 'running' });

    const second = await startGateway(env);
    const again = await superAdmin(second);
    const { body: done } = await eventually(
      () => again.rest('GET', address),
      (answer) => answer.body.state === 'ready',
      60_000,
    );
    const lines = linesIn(await bytesOf(await fetched(second, again, address)));
    expect(lines.at(-1)).toEqual({ type: 'end', records: done.data.entries });
    expect(lines.filter(({ type }) => type === 'message')).toHaveLength(100_000);
    await second.end('SIGTERM');
  } finally {
    await cleanUp();
    await dropControlDatabase(databaseUrl);
  }
}, 120_000);
