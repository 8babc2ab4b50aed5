import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { LeftDropper } from '../src/domain/drop-left.ts';
import { HOME_SERVER_ID } from '../src/entities/control/database-server.ts';
import { type Actor, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { restoreBackup, takeBackup } from './support/backups.ts';
import { examination } from './support/checker.ts';
import { sql } from './support/database.ts';
import { cleanUp, temporaryFolder } from './support/gateway-process.ts';
import { moved, moveOf, onServerOf } from './support/moves.ts';
import { leaving } from './support/offboarding.ts';
import { register, startTenantServer, type TenantServer } from './support/tenant-servers.ts';

let app: TestApp;
let admin: Actor;
let server: TenantServer;
let id: string;
/** Each is removed while the server is away: by a purge, but for one whose provisioning is called off. */
let plain: Tenant;
let calledOff: Tenant;
let moving: Tenant;
let backedUp: Tenant;

beforeAll(async () => {
  [app, server] = await Promise.all([startApp(), startTenantServer()]);
  admin = await superAdmin(app);
  id = await register(admin, 'eu-1', server, { region: 'eu' });
  // For tenants that begin there.
  await admin.rest('PATCH', `/api/super-admin/database-servers/${HOME_SERVER_ID}`, { region: 'id' });
  const regions = ['eu', 'eu', 'id', 'eu'];
  const made = await Promise.all(regions.map((region) => provision(admin, { region })));
  [plain, calledOff, moving, backedUp] = made as [Tenant, Tenant, Tenant, Tenant];
  await admin.rest('POST', moveOf(moving), { server_id: id });
  const folder = await takeBackup(app.databaseUrl, await temporaryFolder(), { tenant: backedUp.slug });
  await moved(admin, moving, 'switched');

  await server.entrance.close();
  await stands('degraded');
  // As one whose last steps wait for the server.
  for (const change of [
    `update organizations set status = 'provisioning' where id = $1`,
    `update provisioning_steps set state = 'failed' where org_id = $1 and name in ('create_admin', 'activate')`,
    `update provisioning_runs set state = 'retrying' where org_id = $1`,
  ])
    await sql(app.databaseUrl, change, [calledOff.id]);
  const abandoned = await admin.rest('POST', `${moveOf(moving)}/abandon`, { slug: moving.slug, reason: 'Gone' });
  expect(abandoned.status).toBe(202);
  await moved(admin, moving, 'finished');
  expect(await mine(app.databaseUrl, moving)).toHaveLength(2);
  const cancel = `mutation { cancelProvisioning(tenantId: "${calledOff.id}") { status } }`;
  expect((await admin.graphql(cancel)).errors).toBeUndefined();
  await Promise.all([removed(plain), removed(moving), removed(backedUp), gone(calledOff)]);
  await restoreBackup(app.databaseUrl, [folder], { tenant: backedUp.slug });
});
afterAll(async () => {
  await app?.stop();
  await server?.remove();
  await cleanUp();
});

const {
  path,
  databaseOf: nameOf,
  gone,
  purged,
} = leaving(
  () => app,
  () => admin,
);
const mine = (url: string, tenant: { id: string }) => onServerOf(url, nameOf(tenant));
const left = async () => (await admin.rest('GET', `/api/super-admin/database-servers/${id}`)).body.left_databases;
const toldOf = (tenant: { id: string }) => [`eu-1: the database and role ${nameOf(tenant)}, dropped when it is back`];
const entry = async ({ id: orgId }: { id: string }, action: string) =>
  (
    await sql<{ before: object; after: object | null }>(
      app.databaseUrl,
      'select before, after from audit_entries where org_id = $1 and action = $2',
      [orgId, action],
    )
  )[0];

const stands = (status: string) =>
  eventually(
    async () => (await admin.rest('GET', '/api/super-admin/health')).body.status,
    (now) => now === status,
    20_000,
  );

/** Suspends it, and removes it for good. */
async function removed(tenant: Tenant): Promise<void> {
  await admin.rest('DELETE', path(tenant));
  await purged(tenant);
}

describe('a tenant that is removed while its database server is away', () => {
  test('keeps nobody waiting: it is gone, its slug is free, and the log says what is left', async () => {
    await provision(admin, { slug: plain.slug, region: 'id' });
    expect((await entry(plain, 'tenant.purge'))!.after).toEqual({ leftBehind: toldOf(plain) });
    expect(await mine(server.directUrl, plain)).toHaveLength(2);
  });

  test('is counted for that server, and named by the doctor', async () => {
    expect(await left()).toBe(4);
    const { findings } = await examination(app.databaseUrl);
    expect(findings.map(({ kind }) => kind)).toEqual(['unreachable_server']);
    expect(findings[0]!.problem).toContain('what it has of removed tenants, which is dropped when it is back: ');
    for (const tenant of [plain, calledOff, moving, backedUp])
      expect(findings[0]!.problem).toContain(`${nameOf(tenant)} (${tenant.slug})`);
  });

  test('may be one whose provisioning is called off', async () => {
    expect((await entry(calledOff, 'tenant.remove'))!.after).toEqual({ leftBehind: toldOf(calledOff) });
  });

  test('takes the copy along that an abandoned move has kept on another server', async () => {
    expect((await entry(moving, 'tenant.purge'))!.after).toEqual({ leftBehind: toldOf(moving) });
    expect(await mine(app.databaseUrl, moving)).toEqual([]);
  });
});

describe('when that server is back', () => {
  beforeAll(async () => {
    await server.entrance.reopen();
    await eventually(left, (count) => count === 0, 30_000);
  });

  test('what it has of them is dropped, with all that a move has there, and the log says so', async () => {
    for (const tenant of [plain, calledOff, moving]) {
      expect(await mine(server.directUrl, tenant)).toEqual([]);
      const { before } = (await entry(tenant, 'tenant.drop_left'))!;
      expect(before).toEqual({ slug: tenant.slug, server: 'eu-1', database: nameOf(tenant) });
    }
  });

  test('nothing is dropped of one that a backup has brought back since: it may be newer, and is named', async () => {
    expect(await mine(server.directUrl, backedUp)).toEqual([
      `database ${nameOf(backedUp)}`,
      `role ${nameOf(backedUp)}`,
    ]);
    expect(await entry(backedUp, 'tenant.drop_left')).toBeUndefined();
    const { findings } = await examination(app.databaseUrl);
    expect(findings.map(({ problem }) => problem).sort()).toEqual([
      `server eu-1: database ${nameOf(backedUp)} belongs to no tenant`,
      `server eu-1: role ${nameOf(backedUp)} belongs to no tenant`,
    ]);
  });
});

describe('while another server answers at its address, or it knows itself by another identifier', () => {
  let tenant: Tenant;
  beforeAll(async () => {
    tenant = await provision(admin, { region: 'eu' });
    await sql(app.databaseUrl, `update database_servers set system_identifier = '1' where id = $1`, [id]);
    await removed(tenant);
  });

  test('what it has of a removed tenant stays, and the log, the list and the doctor say why', async () => {
    const [told] = toldOf(tenant);
    expect((await entry(tenant, 'tenant.purge'))!.after).toEqual({
      leftBehind: [`${told} (another server answers at its address)`],
    });
    expect(await left()).toBe(1);
    const { findings } = await examination(app.databaseUrl);
    const { problem } = findings.find(({ kind }) => kind === 'replaced_server')!;
    expect(problem).toContain(`; what it has of removed tenants, which is dropped when it is back: ${nameOf(tenant)}`);
  });

  test('a line says so once, and a server that cannot be opened keeps none of the others waiting', async () => {
    const unopened = '00000000-0000-7000-8000-00000000000f';
    await sql(
      app.databaseUrl,
      `insert into database_servers (id, name, capacity, state, sealed_url, created_at, updated_at)
         values ($1, 'unopened', 1, 'closed', 'no seal', now(), now())`,
      [unopened],
    );
    await sql(
      app.databaseUrl,
      `insert into left_databases (server_id, name, org_id, slug, left_at) values ($1, 'none', $1, 'none', '2020-01-01')`,
      [unopened],
    );
    const warn = jest.fn<(told: { server: string }, line: string) => void>();
    const log = Object.assign(Object.create(app.services.log), { warn });
    const dropper = new LeftDropper({ ...app.services, log });
    for (let round = 0; round < 3; round++) await dropper.run();
    await sql(app.databaseUrl, 'delete from database_servers where id = $1', [unopened]);
    expect(warn.mock.calls.map(([{ server }, line]) => [server, line])).toEqual([
      ['unopened', 'what a removed tenant left is not dropped yet; it is tried again'],
      ['eu-1', expect.stringContaining('another server than was registered answers at the address')],
    ]);
    expect(await mine(server.directUrl, tenant)).toHaveLength(2);
  });

  test('it is dropped when the server is told to be the same, which what is left on it shows', async () => {
    const change = await admin.rest('PATCH', `/api/super-admin/database-servers/${id}`, { url: server.url });
    expect(change.status).toBe(200);
    await eventually(left, (count) => count === 0, 30_000);
    expect(await mine(server.directUrl, tenant)).toEqual([]);
  });
});

test('a server that is taken out of the registry is logged with what nobody drops any more', async () => {
  const tenant = await provision(admin, { region: 'eu' });
  await server.entrance.close();
  await stands('degraded');
  await removed(tenant);
  expect((await admin.rest('DELETE', `/api/super-admin/database-servers/${id}`)).status).toBeLessThan(300);
  const [said] = await sql<{ before: object }>(
    app.databaseUrl,
    `select before from audit_entries where action = 'database_server.remove' and target_id = $1`,
    [id],
  );
  expect(said!.before).toMatchObject({ name: 'eu-1', leftDatabases: [nameOf(tenant)] });
});
