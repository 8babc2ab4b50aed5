import { copyFile, mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { databaseUrlOf } from '../src/db/control.ts';
import { Keys } from '../src/db/keys.ts';
import { TENANT_SCHEMA_VERSION as newest } from '../src/db/migrations/tenant/index.ts';
import { tenantName } from '../src/db/tenant-names.ts';
import { Actor, agent, provision, superAdmin, type Tenant } from './support/actors.ts';
import { anotherServer } from './support/another-server.ts';
import { JWT_SECRET, startApp, type TestApp } from './support/app.ts';
import { everythingIn, restoreBackup, TENANT_CHANGES, takeBackup } from './support/backups.ts';
import { belongingsOf } from './support/belongings.ts';
import { ensureBuilt } from './support/built.ts';
import { allLinked } from './support/chains.ts';
import { examination, expectNothingWrong } from './support/checker.ts';
import { createControlDatabase, dropControlDatabase, serverUrl, sql } from './support/database.ts';
import { cleanUp, runBackup, startRestore, temporaryFolder } from './support/gateway-process.ts';
import { decode } from './support/tokens.ts';

let app: TestApp;
let admin: Actor;
let tenants: Tenant[];
let out: string;
let server: Awaited<ReturnType<typeof anotherServer>>;
let databaseUrl: string;
let code: string;

beforeAll(async () => {
  ensureBuilt();
  [databaseUrl, server, out] = await Promise.all([createControlDatabase(), anotherServer(), temporaryFolder()]);
  app = await startApp({}, databaseUrl);
  code = app.services.servers.home.code;
  admin = await superAdmin(app);
  tenants = await Promise.all(Array.from({ length: 3 }, () => provision(admin)));
});
afterAll(async () => {
  await cleanUp();
  await app.close();
  await server.remove();
  await dropControlDatabase(databaseUrl);
});

/** What no backup holds, each for its reason (src/domain/backup/tables.ts). */
const NOT_BACKED_UP = [
  'events',
  'left_databases',
  'mikro_orm_migrations',
  'offboarding_runs',
  'rate_limits',
  'sessions',
  'tenant_exports',
  'tenant_moves',
  'upgrade_items',
  'upgrade_runs',
];
/** What restoring itself changes, by table of the control plane. */
const CONTROL_CHANGES = {
  ...Object.fromEntries(
    [...NOT_BACKED_UP, 'signing_keys', 'activity_heads', 'audit_unlinked'].map((name) => [name, 'false']),
  ),
  // Everybody is signed out.
  revocations: 'subject_id not in (select id from organizations union all select id from super_admins)',
  audit_entries: "action not like '%.restore'",
};
const RENEWED = ['token_version', 'gathered_mark', 'updated_at'];

describe('a whole backup under steady writes', () => {
  test('restores on another server to what is whole: every agent has an account, every log is as it was written', async () => {
    const people = await Promise.all(tenants.map((one) => agent(app, one.adminEmail, one.adminPassword)));
    const bystander = await admin.rest('GET', '/api/auth/me');
    expect(bystander.status).toBe(200);
    let over = false;
    let written = 0;
    // Agents are in two databases, and come and go.
    const writers = people.map(async (by, tenant) => {
      for (let n = 0; !over; n += 1) {
        const body = {
          email: `p${n}@t${tenant}.test`,
          full_name: 'Somebody',
          password: 'secret-password',
          role: 'agent',
        };
        const made = await by.rest('POST', '/api/agents', body);
        expect(made.status).toBe(201);
        if (n % 2) expect((await by.rest('DELETE', `/api/agents/${made.body.id}`)).status).toBe(200);
        written += 1;
      }
    });
    await sleep(300);
    const before = written;
    const folder = await takeBackup(databaseUrl, out);
    expect(written).toBeGreaterThan(before);
    over = true;
    await Promise.all(writers);

    await restoreBackup(server.url, [folder]);
    expect(await expectNothingWrong(server.url)).toMatchObject({ tenants: 3, active: 3, databases: 3, roles: 3 });
    const restored = await startApp({}, server.url);
    try {
      const chains = await allLinked(server.url);
      expect(Object.values(chains).every(({ broken }) => !broken)).toBe(true);
      const [one] = tenants as [Tenant];
      const again = await agent(restored, one.adminEmail, one.adminPassword);
      expect((await again.rest('GET', '/api/agents')).body.length).toBeGreaterThan(1);
      // Whoever was signed in there is not signed in here.
      expect((await new Actor(restored.url, people[0]!.token).rest('GET', '/api/auth/me')).status).toBe(401);
      expect((await new Actor(restored.url, admin.token).rest('GET', '/api/auth/me')).status).toBe(401);
      // A key of the backup may have been ended since: whoever has it signs nothing that is taken.
      const fresh = await superAdmin(restored);
      const { header, claims } = decode(fresh.token!);
      expect(header.kid).toBeDefined();
      const forged = jwt.sign(claims, new Keys(JWT_SECRET).signing);
      expect((await new Actor(restored.url, forged).rest('GET', '/api/auth/me')).status).toBe(401);
      await provision(fresh);
      await expectNothingWrong(server.url);
    } finally {
      await restored.close();
    }
  });

  test('holds every row of every table', async () => {
    const [one] = tenants as [Tenant];
    await belongingsOf(app, admin, await agent(app, one.adminEmail, one.adminPassword), one);
    const second = { email: 'second@platform.test', name: 'Second', password: 'a password' };
    const added = await admin.rest('POST', '/api/super-admin/admins', second, { 'idempotency-key': 'kept-for-a-day' });
    expect(added.status).toBe(201);
    await allLinked(databaseUrl);
    await app.close();
    const folder = await takeBackup(databaseUrl, out);
    // Over tenants that the test before has left there, of a control plane that is lost.
    await sql(databaseUrlOf(server.url, 'postgres'), 'create database anew');
    const anew = databaseUrlOf(server.url, 'anew');
    await restoreBackup(anew, [folder]);
    for (const { id } of tenants) {
      const name = tenantName(code, id);
      const there = await everythingIn(databaseUrlOf(server.url, name), TENANT_CHANGES);
      expect(there).toEqual(await everythingIn(serverUrl(name), TENANT_CHANGES));
      expect(there.agents!.length).toBeGreaterThan(1);
    }
    const platform = await everythingIn(anew, CONTROL_CHANGES, RENEWED);
    expect(platform).toEqual(await everythingIn(databaseUrl, CONTROL_CHANGES, RENEWED));
    expect(platform.identities!.length).toBeGreaterThan(3);
    app = await startApp({}, databaseUrl);
    admin = await superAdmin(app);
  });
});

test('the control plane alone is restored row for row, and finds the tenants that the server still has', async () => {
  await allLinked(databaseUrl);
  await app.close();
  const folder = await takeBackup(databaseUrl, out, 'control');
  expect(await readdir(folder)).toEqual(['control.omnibak']);
  await sql(databaseUrlOf(server.url, 'postgres'), 'create database alone');
  const alone = databaseUrlOf(server.url, 'alone');
  await restoreBackup(alone, [folder]);
  // No tenant is restored: where their logs end is as it was.
  const changes = { ...CONTROL_CHANGES, activity_heads: 'true' };
  const renewed = ['token_version', 'gathered_mark'];
  const platform = await everythingIn(alone, changes, renewed);
  expect(platform).toEqual(await everythingIn(databaseUrl, changes, renewed));
  const without = Object.keys(platform).filter((table) => platform[table]!.length === 0);
  // Nobody has archived a tenant.
  expect(without).toEqual([...NOT_BACKED_UP, 'audit_unlinked', 'signing_keys', 'tenant_archives'].sort());
  const restored = await startApp({}, alone);
  try {
    for (const { adminEmail, adminPassword } of tenants) await agent(restored, adminEmail, adminPassword);
    // That of a tenant which the first test has made there, and this backup does not know.
    const { findings } = await examination(alone);
    expect(findings.map(({ kind }) => kind)).toEqual(['orphan_database', 'orphan_role']);
  } finally {
    await restored.close();
  }
  app = await startApp({}, databaseUrl);
  admin = await superAdmin(app);
});

test('over an installation that is there: nobody gets in who was shut out since the backup', async () => {
  const [first, second] = tenants as [Tenant, Tenant];
  const boss = await agent(app, first.adminEmail, first.adminPassword);
  const { body: leaked } = await boss.rest('POST', '/api/api-keys', { name: 'leaked', scopes: ['logs.view'] });
  await sql(
    databaseUrl,
    `insert into super_admins (id, email, name, password_hash, created_at)
     values (gen_random_uuid(), 'gone@platform.test', 'Gone', 'x', now())`,
  );
  const folder = await takeBackup(databaseUrl, out);
  await boss.rest('DELETE', `/api/api-keys/${leaked.id}`);
  const [user] = await sql<{ id: string }>(databaseUrl, 'select id from identities where email = $1', [
    first.adminEmail,
  ]);
  const { id } = user!;
  await admin.rest('POST', `/api/super-admin/users/${id}/suspend?tenant_id=${first.id}`);
  await admin.rest('DELETE', `/api/super-admin/tenants/${second.id}`);
  await sql(databaseUrl, "delete from super_admins where email = 'gone@platform.test'");
  await app.close();
  await restoreBackup(databaseUrl, [folder]);
  app = await startApp({}, databaseUrl);
  admin = await superAdmin(app);
  await expect(agent(app, first.adminEmail, first.adminPassword)).rejects.toThrow('user_suspended');
  const { body: suspended } = await admin.rest('GET', `/api/super-admin/tenants/${second.id}`);
  expect(suspended.status).toBe('suspended');
  expect(await sql(databaseUrl, 'select from api_keys where id = $1', [leaked.id])).toEqual([]);
  expect(await sql(databaseUrl, "select from super_admins where email = 'gone@platform.test'")).toEqual([]);
  await expectNothingWrong(databaseUrl);
  await admin.rest('POST', `/api/super-admin/users/${id}/activate?tenant_id=${first.id}`);
  await admin.rest('PATCH', `/api/super-admin/tenants/${second.id}`, { status: 'active' });
});

test('the commands say what they did, and nobody else can read what they wrote', async () => {
  const env = { DATABASE_URL: databaseUrl, JWT_SECRET };
  const [{ slug }] = tenants as [Tenant];
  await takeBackup(databaseUrl, out, { tenant: slug });
  await takeBackup(databaseUrl, out, { tenant: slug });
  const { code: exit, output } = await runBackup(env, '--out', out, '--tenant', slug, '--keep', '2');
  expect([exit, output]).toEqual([0, expect.stringContaining(`1/1 tenant ${slug}: `)]);
  const kept = (await readdir(out)).filter((name) => name.endsWith(`tenant-${slug}`));
  expect(kept).toHaveLength(2);
  const file = join(out, kept[0]!, `tenant-${slug}.omnibak`);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const bytes = await readFile(file);
  expect(bytes.includes(tenants[0]!.adminEmail)).toBe(false);
  const verified = await runBackup(env, 'verify', file);
  expect(verified).toMatchObject({ code: 0, output: expect.stringMatching(new RegExp(`whole: tenant ${slug} of 20`)) });
  await expect(takeBackup(databaseUrl, out, { tenant: 'nobody' })).rejects.toThrow('There is no tenant nobody');
  const dry = await startRestore(env, file, '--dry-run').ended;
  expect(dry).toMatchObject({ code: 0, output: expect.stringContaining('is REPLACED by that of') });
  const unasked = await startRestore(env, file).ended;
  expect(unasked).toMatchObject({ code: 2, output: expect.stringContaining('say --yes') });
});

test('one that was stopped leaves no half archive, and goes on from what is whole', async () => {
  const stop = new AbortController();
  const said: string[] = [];
  const options = {
    signal: stop.signal,
    say(line: string) {
      said.push(line);
      if (line.startsWith('1/4')) stop.abort();
    },
  };
  const stopped = join(await temporaryFolder(), 'stopped');
  await expect(takeBackup(databaseUrl, stopped, 'all', options)).rejects.toThrow();
  expect(await readdir(stopped)).toEqual(['all.unfinished']);
  const whole = await readdir(join(stopped, 'all.unfinished'));
  expect(whole.filter((name) => !name.endsWith('.omnibak'))).toEqual([]);
  expect(whole.length).toBeLessThan(4);
  await expect(restoreBackup(server.url, [join(stopped, 'all.unfinished')])).rejects.toThrow('was never finished');
  const folder = await takeBackup(databaseUrl, stopped, 'all', { say: (line) => void said.push(line) });
  expect(said.join('\n')).toContain(`goes on with ${join(stopped, 'all.unfinished')}: ${whole.length} are there`);
  expect((await readdir(folder)).sort()).toEqual(
    ['control.omnibak', ...tenants.map(({ slug }) => `tenant-${slug}.omnibak`)].sort(),
  );
});

test('of many that begin at once where one has died, one is made, and the others say who makes it', async () => {
  const out = join(await temporaryFolder(), 'raced');
  const unfinished = join(out, 'all.unfinished');
  await mkdir(unfinished, { recursive: true });
  // Larger than any number of a process.
  await writeFile(join(unfinished, 'pid.1'), '4194305\n');
  const env = { DATABASE_URL: databaseUrl, JWT_SECRET };
  const ended = await Promise.all(Array.from({ length: 5 }, () => runBackup(env, '--out', out)));
  const refused = ended.filter(({ output }) => output.includes(`is being written to ${unfinished}`));
  const made = (await readdir(out)).filter((name) => name.endsWith('-all'));
  // One that begins after the first one's end makes another.
  expect(ended.filter(({ code }) => code === 0)).toHaveLength(made.length);
  expect(refused.length).toBe(5 - made.length);
  expect(made.length).toBeGreaterThan(0);
  for (const name of made)
    expect((await readdir(join(out, name))).filter((file) => !file.endsWith('.omnibak'))).toEqual([]);
});

describe('nothing is changed by an archive that', () => {
  let file: string;
  let bad: string;
  let before: string;
  const fingerprint = async () => JSON.stringify(await everythingIn(serverUrl(tenantName(code, tenants[0]!.id))));

  beforeAll(async () => {
    const { slug } = tenants[0]!;
    file = join(await takeBackup(databaseUrl, await temporaryFolder(), { tenant: slug }), `tenant-${slug}.omnibak`);
    bad = join(await temporaryFolder(), 'bad.omnibak');
    before = await fingerprint();
  });

  const refused = async (why: string | RegExp, options = {}) => {
    await expect(restoreBackup(databaseUrl, [bad], options)).rejects.toThrow(why);
    await expect(restoreBackup(databaseUrl, [bad], options)).rejects.toThrow('Nothing has been changed.');
    expect(await fingerprint()).toBe(before);
    await expectNothingWrong(databaseUrl);
  };
  const changed = async (change: (bytes: Buffer) => void) => {
    const bytes = await readFile(file);
    change(bytes);
    await writeFile(bad, bytes);
  };

  test('is damaged in any place', async () => {
    const { size } = await stat(file);
    for (const at of [20, Math.floor(size / 2), size - 1]) {
      await changed((bytes) => bytes.writeUInt8(bytes[at]! ^ 1, at));
      await refused('bad.omnibak cannot be used: it');
    }
  });

  test('is cut off, at its end or in its header', async () => {
    const { size } = await stat(file);
    for (const length of [size - 1, Math.floor(size / 2), 30, 3]) {
      await copyFile(file, bad);
      await truncate(bad, length);
      await refused(/is cut off/);
    }
  });

  test('is none, was made under another secret, or by a newer gateway', async () => {
    await writeFile(bad, 'select 1; -- a dump of something else');
    await refused('it is no backup of this gateway');
    await copyFile(file, bad);
    await refused('it was made under another secret', { secret: 'another secret, which is as long as need be' });
    // Of the same length, so that the rest stays where it is.
    const newer = '9'.repeat(String(newest).length);
    await changed((bytes) => {
      const at = bytes.indexOf(`"tenant":${newest}`);
      expect(at).toBeGreaterThan(0);
      bytes.write(`"tenant":${newer}`, at);
    });
    await refused(
      `it is of a newer version of the gateway (schema version ${newer} of tenants, this one knows ${newest})`,
    );
  });

  test('is of the control plane of another installation, or is used while a gateway runs', async () => {
    const whole = await takeBackup(databaseUrl, await temporaryFolder(), 'control');
    await expect(restoreBackup(databaseUrl, [whole])).rejects.toThrow('A gateway is running on it');
    const other = await startApp();
    try {
      await expect(restoreBackup(other.databaseUrl, [whole])).rejects.toThrow('This is another installation');
    } finally {
      await other.stop();
    }
  });
});
