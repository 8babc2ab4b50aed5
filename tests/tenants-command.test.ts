/** `npm run tenants -- export | archive | restore | purge`, with a gateway and without one. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Actor, agent, provision, superAdmin, type Tenant } from './support/actors.ts';
import { JWT_SECRET, startApp, type TestApp } from './support/app.ts';
import { ensureBuilt } from './support/built.ts';
import { expectNothingWrong } from './support/checker.ts';
import { createControlDatabase, dropControlDatabase, sql } from './support/database.ts';
import { cleanUp, runTenants, temporaryFolder } from './support/gateway-process.ts';

let databaseUrl: string;
let dataDir: string;
let app: TestApp;
let root: Actor;
let tenant: Tenant;

const command = (...args: string[]) =>
  runTenants({ DATABASE_URL: databaseUrl, DATA_DIR: dataDir, DATA_DIR_SHARED: 'true', JWT_SECRET }, ...args);
const stateOf = async () =>
  (
    await sql<{ status: string; archived: boolean; purge: boolean }>(
      databaseUrl,
      'select status, archived_at is not null as archived, purge_at is not null as purge from organizations where id = $1',
      [tenant.id],
    )
  )[0];

beforeAll(async () => {
  ensureBuilt();
  [databaseUrl, dataDir] = await Promise.all([createControlDatabase(), temporaryFolder()]);
  app = await startApp({ DATA_DIR: dataDir }, databaseUrl);
  root = await superAdmin(app);
  tenant = await provision(root);
});
afterAll(async () => {
  await cleanUp();
  await app?.stop();
  await dropControlDatabase(databaseUrl);
});

test('exports to a folder', async () => {
  const to = join(await temporaryFolder(), 'new');
  const { code, output } = await command('export', tenant.slug, '--to', to);
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('records') });
  const [file, ...others] = await readdir(to);
  expect(others).toEqual([]);
  const lines = gunzipSync(await readFile(join(to, file!)))
    .toString()
    .trimEnd()
    .split('\n');
  expect(JSON.parse(lines.at(-1)!)).toEqual({ type: 'end', records: lines.length - 2 });
});

test('says what it cannot do, and changes nothing', async () => {
  for (const [args, says] of [
    [['archive', 'nobody'], 'There is no tenant nobody.'],
    [['archive', tenant.slug, '--yes'], 'not suspended'],
    [['restore', tenant.slug], 'not suspended'],
    [['purge', tenant.slug, '--after', '1m', '--yes'], '--after is a countdown'],
    [['purge'], 'Use: npm run tenants -- purge'],
    [['export', tenant.slug], 'Use: npm run tenants -- export'],
    [['other'], 'There is no command other.'],
  ] as const) {
    const { code, output } = await command(...args);
    expect({ args, code, output }).toEqual({ args, code: 2, output: expect.stringContaining(says) });
  }
  expect(await stateOf()).toEqual({ status: 'active', archived: false, purge: false });
});

test('archives and restores without a gateway, sets an end and calls it off', async () => {
  await root.rest('DELETE', `/api/super-admin/tenants/${tenant.id}`);
  await app.close();
  expect((await command('archive', tenant.slug)).output).toContain('say --yes');
  expect(await command('archive', tenant.slug, '--yes')).toMatchObject({ code: 0 });
  expect(await stateOf()).toMatchObject({ status: 'suspended', archived: true });
  expect((await command('export', tenant.slug, '--to', dataDir)).output).toContain('archived');
  expect(await command('purge', tenant.slug, '--after', '2h', '--yes')).toMatchObject({ code: 0 });
  expect(await stateOf()).toMatchObject({ purge: true });
  expect(await command('purge', tenant.slug, '--cancel')).toMatchObject({ code: 0 });
  expect(await command('restore', tenant.slug, '--activate')).toMatchObject({ code: 0 });
  expect(await stateOf()).toEqual({ status: 'active', archived: false, purge: false });
  await expectNothingWrong(databaseUrl);
  app = await startApp({ DATA_DIR: dataDir }, databaseUrl);
  await agent(app, tenant.adminEmail, tenant.adminPassword);
});
