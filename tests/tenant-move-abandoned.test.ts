import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HOME_SERVER_ID } from '../src/entities/control/database-server.ts';
import { type Actor, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { JWT_SECRET, startApp, type TestApp } from './support/app.ts';
import { restoreBackup, takeBackup } from './support/backups.ts';
import { ensureBuilt } from './support/built.ts';
import { examination, expectNothingWrong } from './support/checker.ts';
import { createControlDatabase, dropControlDatabase, serverUrl, sql } from './support/database.ts';
import { cleanUp, runTenants, temporaryFolder } from './support/gateway-process.ts';
import { moved, moveOf, onServerOf } from './support/moves.ts';
import { register, startTenantServer, type TenantServer } from './support/tenant-servers.ts';

let databaseUrl: string;
let app: TestApp;
let admin: Actor;
let server: TenantServer;
let id: string;

beforeAll(async () => {
  ensureBuilt();
  [databaseUrl, server] = await Promise.all([createControlDatabase(), startTenantServer()]);
  app = await startApp({}, databaseUrl);
  admin = await superAdmin(app);
  id = await register(admin, 'eu-1', server, { region: 'eu' });
  // For tenants that begin there.
  await admin.rest('PATCH', `/api/super-admin/database-servers/${HOME_SERVER_ID}`, { region: 'id' });
});
afterAll(async () => {
  await app?.close();
  await server?.remove();
  await dropControlDatabase(databaseUrl);
  await cleanUp();
});

const REASON = 'Its disks are gone';
const REMOVED = 'to be removed when it is back, as far as they are there:';
const follows = (tenant: Tenant) =>
  `the role, slot and subscription ${nameOf(tenant)}_move and the publication omnistream_move`;
const nameOf = (tenant: Tenant) => app.services.servers.home.nameFor(tenant.id);
/** The organization's own database is not among what is to be removed. */
const keptAtHome = (tenant: Tenant) => [
  `eu-1, which the organization is on: its database stays; when it is back these go by themselves: ${follows(tenant)}, and ` +
    `that it is not written (by hand: alter database "${nameOf(tenant)}" reset default_transaction_read_only)`,
  `home: the database ${nameOf(tenant)} stays as it was when eu-1 went away, and may be all that there is of it`,
];
const mine = (url: string, tenant: Tenant) => onServerOf(url, nameOf(tenant));
const alone = (tenant: Tenant) => [`database ${nameOf(tenant)}`, `role ${nameOf(tenant)}`];
const move = async (tenant: Tenant) => (await admin.rest('GET', moveOf(tenant))).body.move;
const abandon = (tenant: Tenant, body: object = { slug: tenant.slug, reason: REASON }) =>
  admin.rest('POST', `${moveOf(tenant)}/abandon`, body);
const write = async (user: Actor) =>
  (await user.rest('POST', '/api/divisions', { name: `Division ${Math.random()}` })).status;
const isAway = (away: boolean) =>
  eventually(
    async () => (await admin.rest('GET', '/api/super-admin/health')).body.status,
    (status) => (status === 'degraded') === away,
    15_000,
  );

async function begun(): Promise<{ tenant: Tenant; user: Actor }> {
  const tenant = await provision(admin, { region: 'id' });
  const user = await agent(app, tenant.adminEmail, tenant.adminPassword);
  await admin.rest('POST', moveOf(tenant), { server_id: id });
  return { tenant, user };
}

async function followed() {
  const found = await begun();
  await eventually(
    () => mine(server.directUrl, found.tenant),
    (all) => all.some((what) => what.startsWith('subscription')),
  );
  return found;
}

async function switched() {
  const found = await begun();
  await moved(admin, found.tenant, 'switched');
  return found;
}

describe('a move to a server that goes away for good', () => {
  test('is ended without it: the tenant is used where it is, what is left is named, and goes with the next move when it is back after all', async () => {
    const { tenant, user } = await followed();
    await server.entrance.close();
    try {
      await isAway(true);
      const stuck = await eventually(
        () => move(tenant),
        ({ steps }) => steps.some(({ error }: { error?: string }) => error?.startsWith('Server eu-1 is away')),
      );
      expect(stuck.state).toMatch(/^(copying|switching)$/);

      expect((await abandon(tenant, { slug: tenant.slug })).status).toBe(400);
      expect((await abandon(tenant, { slug: tenant.slug, reason: ' ' })).status).toBe(400);
      expect((await abandon(tenant, { slug: 'another', reason: REASON })).body.details).toEqual([
        { field: 'slug', message: 'is not the slug of this organization' },
      ]);
      // As in the seconds of the switch.
      await sql(databaseUrl, 'update tenant_moves set read_only_since = now() where org_id = $1', [tenant.id]);
      await sql(databaseUrl, `alter database "${nameOf(tenant)}" set default_transaction_read_only = on`);
      expect((await abandon(tenant)).status).toBe(202);
      const ended = await moved(admin, tenant, 'cancelled', 20_000);
      expect(ended).toMatchObject({
        abandoned_for: REASON,
        left_behind: [`eu-1: ${REMOVED} the database and role ${nameOf(tenant)}, ${follows(tenant)}`],
      });
      expect(await mine(databaseUrl, tenant)).toEqual(alone(tenant));
      expect(await write(user)).toBe(201);
      const [entry] = await sql<{ after: object }>(
        databaseUrl,
        `select after from audit_entries where action = 'tenant.abandon_move' and org_id = $1`,
        [tenant.id],
      );
      expect(entry!.after).toEqual({ state: 'cancelling', reason: REASON, away: ['eu-1'] });
      expect((await abandon(tenant)).status).toBe(409);
    } finally {
      await server.entrance.reopen();
    }
    await isAway(false);
    expect((await examination(databaseUrl)).findings).toContainEqual({
      kind: 'orphan_database',
      problem: `server eu-1: database ${nameOf(tenant)} belongs to no tenant`,
      remedy: expect.stringMatching(/^in it: alter subscription .* then elsewhere: drop database /),
    });
    await admin.rest('POST', moveOf(tenant), { server_id: id });
    await moved(admin, tenant, 'switched');
    expect(await write(user)).toBe(201);
    await admin.rest('POST', `${moveOf(tenant)}/finish`);
    expect(await moved(admin, tenant, 'finished')).not.toHaveProperty('left_behind');
    await expectNothingWrong(databaseUrl);
  });

  test('whose tenant could not be given its writes back is found by the doctor', async () => {
    const tenant = await provision(admin, { region: 'id' });
    await sql(databaseUrl, `alter database "${nameOf(tenant)}" set default_transaction_read_only = on`);
    const { findings } = await examination(databaseUrl);
    expect(findings).toEqual([
      {
        kind: 'closed_database',
        problem: expect.stringContaining(`tenant ${tenant.slug} (${tenant.id}) cannot be written`),
        remedy: `alter database "${nameOf(tenant)}" reset default_transaction_read_only;`,
      },
    ]);
    await sql(databaseUrl, findings[0]!.remedy);
    await expectNothingWrong(databaseUrl);
  });

  test('whose own server only keeps it waiting is not taken for one that is away: it is tried again, and writes are given back', async () => {
    const { tenant, user } = await followed();
    await server.entrance.close();
    try {
      await isAway(true);
      await sql(databaseUrl, 'update tenant_moves set read_only_since = now() where org_id = $1', [tenant.id]);
      await sql(databaseUrl, `alter database "${nameOf(tenant)}" set default_transaction_read_only = on`);
      // As one that is full, or busy, says no: nobody can sign in to the database for a while.
      await sql(databaseUrl, `alter database "${nameOf(tenant)}" allow_connections false`);
      expect((await abandon(tenant)).status).toBe(202);
      await eventually(
        () => move(tenant),
        ({ steps }) =>
          steps.some(({ name, state }: Record<string, string>) => name === 'remove_target' && state === 'failed'),
        20_000,
      );
      expect((await move(tenant)).state).toBe('cancelling');
      await sql(databaseUrl, `alter database "${nameOf(tenant)}" allow_connections true`);
      expect((await moved(admin, tenant, 'cancelled', 30_000)).left_behind).toHaveLength(1);
      expect(await mine(databaseUrl, tenant)).toEqual(alone(tenant));
      expect(await write(user)).toBe(201);
    } finally {
      await server.entrance.reopen();
    }
    await isAway(false);
  });

  test('is not ended so while both servers answer', async () => {
    const { tenant } = await switched();
    expect((await abandon(tenant)).body.error).toMatch(/^Both servers of this move answer/);
    await admin.rest('POST', `${moveOf(tenant)}/undo`);
    await moved(admin, tenant, 'undone');
  });

  test('is ended so where another server than was registered answers at its address, and what the other one has is kept', async () => {
    const { tenant } = await switched();
    const [row] = await sql<{ system: string }>(
      databaseUrl,
      'select system_identifier as system from database_servers where id = $1',
      [id],
    );
    const knownAs = (system: string) =>
      sql(databaseUrl, 'update database_servers set system_identifier = $2 where id = $1', [id, system]);
    // As one that had come there by a move.
    const mark = `comment on database "${nameOf(tenant)}" is 'OmniStream: made by the move of ${nameOf(tenant)}'`;
    await sql(databaseUrl, mark);
    await knownAs('1');
    try {
      expect((await abandon(tenant)).status).toBe(202);
      const { left_behind } = await moved(admin, tenant, 'finished', 30_000);
      expect(left_behind).toEqual(keptAtHome(tenant));
      expect(await mine(databaseUrl, tenant)).toEqual(alone(tenant));
    } finally {
      await knownAs(row!.system);
    }
    // Neither another move there drops it, nor that one's being called off.
    await admin.rest('POST', moveOf(tenant), { server_id: HOME_SERVER_ID });
    await eventually(
      () => move(tenant),
      ({ steps }) =>
        steps.some(({ error }: { error?: string }) => /home has a database .* no move has made/.test(error ?? '')),
      20_000,
    );
    await admin.rest('DELETE', moveOf(tenant));
    await moved(admin, tenant, 'cancelled');
    expect(await mine(databaseUrl, tenant)).toEqual(alone(tenant));
  });

  test('after the switch it stays there, and is written there when that one is back; the former database, which may be all of it, is kept', async () => {
    const { tenant } = await switched();
    await eventually(
      () => move(tenant),
      ({ steps }) => steps.every(({ state }: { state: string }) => state === 'done'),
    );
    await server.entrance.close();
    try {
      await isAway(true);
      const command = runTenants({ DATABASE_URL: databaseUrl, JWT_SECRET }, 'move', tenant.slug, '--abandon');
      expect(await command).toMatchObject({ code: 2, output: expect.stringContaining('--abandon needs a --reason') });
      const done = await runTenants(
        { DATABASE_URL: databaseUrl, JWT_SECRET },
        ...['move', tenant.slug, '--abandon', '--reason', REASON, '--yes'],
      );
      for (const line of keptAtHome(tenant)) expect(done.output).toContain(`- ${line}\n`);
      expect(done.code).toBe(0);
      expect(await mine(databaseUrl, tenant)).toEqual(alone(tenant));
      // As a gateway of the former version leaves it.
      await sql(databaseUrl, 'update tenant_moves set awaits_release = false where org_id = $1', [tenant.id]);
      // As in the seconds of a switch.
      await sql(server.directUrl, `alter database "${nameOf(tenant)}" set default_transaction_read_only = on`);
    } finally {
      await server.entrance.reopen();
    }
    await isAway(false);
    const { left_behind } = await eventually(
      () => move(tenant),
      ({ left_behind: left }) => left.length === 1,
      30_000,
    );
    expect(left_behind).toEqual(keptAtHome(tenant).slice(1));
    const user = await agent(app, tenant.adminEmail, tenant.adminPassword);
    await eventually(
      () => write(user),
      (status) => status === 201,
    );
    expect(await mine(server.directUrl, tenant)).toEqual(alone(tenant));
  });

  test('after the switch the tenant goes on from that database, where its server never comes back', async () => {
    const { tenant, user } = await switched();
    const divisions = (by: Actor) => by.rest<{ name: string }[]>('GET', '/api/divisions');
    expect((await user.rest('POST', '/api/divisions', { name: 'Made after the switch' })).status).toBe(201);
    await eventually(
      () => sql(serverUrl(nameOf(tenant)), `select from divisions where name = 'Made after the switch'`),
      ({ length }) => length === 1,
    );
    // More edits than a restore leaves room for, whose numbers do not follow.
    await sql(
      serverUrl(nameOf(tenant), server.directUrl),
      `insert into schedule_versions (division_id, valid_from, schedule)
       select division_id, now() + n * interval '1 ms', schedule from schedule_versions, generate_series(1, 3000) n`,
    );
    const versions = 'select count(*)::int as n from schedule_versions';
    await eventually(
      () => sql<{ n: number }>(serverUrl(nameOf(tenant)), versions),
      ([row]) => row!.n > 3000,
    );
    await server.entrance.close();
    try {
      await isAway(true);
      expect((await abandon(tenant)).status).toBe(202);
      expect((await moved(admin, tenant, 'finished', 30_000)).left_behind).toEqual(keptAtHome(tenant));
      const out = await temporaryFolder();
      const from = (name: string) => takeBackup(databaseUrl, out, { tenant: tenant.slug, from: name });
      await expect(from('mars')).rejects.toThrow('There is no database server mars.');
      const swap = (state: string) =>
        sql(
          databaseUrl,
          `update tenant_moves set source_id = target_id, target_id = source_id,
             steps = jsonb_set(steps, '{2,state}', to_jsonb($2::text)) where org_id = $1`,
          [tenant.id, state],
        );
      await swap('failed');
      await expect(from('home')).rejects.toThrow(
        `The copy of ${tenant.slug} on home is not whole: step copy of its move was never done.`,
      );
      await swap('done');
      const folder = await from('home');
      expect(folder).toMatch(new RegExp(`Z-tenant-${tenant.slug}@home$`));
      const restoring = () => restoreBackup(databaseUrl, [folder], { tenant: tenant.slug, serverName: 'home' });
      const refusal = await restoring().catch(({ message }: Error) => message);
      const rename = /alter database "\S+" rename to "\S+";/.exec(String(refusal))![0];
      await sql(databaseUrl, rename);
      await restoring();
      const again = await agent(app, tenant.adminEmail, tenant.adminPassword);
      expect((await divisions(again)).body.map(({ name }) => name)).toContain('Made after the switch');
      expect(await write(again)).toBe(201);
      await sql(databaseUrl, `drop database "kept_${nameOf(tenant)}"`);
    } finally {
      await server.entrance.reopen();
    }
    await isAway(false);
  });
});
