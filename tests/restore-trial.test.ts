import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { anotherServer, restoreBackup, takeBackup } from './support/backups.ts';
import { createControlDatabase, dropControlDatabase, serverUrl, sql } from './support/database.ts';
import { cleanUp, temporaryFolder } from './support/gateway-process.ts';
import { moved, moveOf, type OtherServer, registeredServer } from './support/moves.ts';

let databaseUrl: string;
let app: TestApp;
let far: OtherServer;
let trial: Awaited<ReturnType<typeof anotherServer>>;
let tenant: Tenant;
let folder: string;

beforeAll(async () => {
  [databaseUrl, trial] = await Promise.all([createControlDatabase(), anotherServer()]);
  app = await startApp({}, databaseUrl);
  const admin = await superAdmin(app);
  [far, tenant] = await Promise.all([registeredServer(app, 'far'), provision(admin)]);
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
  try {
    const restoring = restoreBackup(other.url, [folder], { keepServers: true });
    await expect(restoring).rejects.toThrow(/A gateway is running on it/);
    expect(await sql(other.url, `select to_regclass('installation') as there`)).toEqual([{ there: null }]);
  } finally {
    await other.remove();
  }
});
