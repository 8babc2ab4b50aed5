import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { active, agent, eventually, provision, superAdmin } from './support/actors.ts';
import { JWT_SECRET, startApp } from './support/app.ts';
import { restoreBackup, takeBackup } from './support/backups.ts';
import { ensureBuilt } from './support/built.ts';
import { expectNothingWrong } from './support/checker.ts';
import { createControlDatabase, dropControlDatabase, serverUrl, sql } from './support/database.ts';
import { cleanUp, runDoctor, runGateway, startGateway, temporaryFolder } from './support/gateway-process.ts';

beforeAll(ensureBuilt);
afterEach(cleanUp);

describe('on an external server', () => {
  let databaseUrl: string;
  beforeAll(async () => {
    databaseUrl = await createControlDatabase();
  });
  afterAll(() => dropControlDatabase(databaseUrl));

  test('a database without an installation is nothing that the doctor can look at', async () => {
    expect(await runDoctor({ DATABASE_URL: databaseUrl, JWT_SECRET })).toMatchObject({
      code: 2,
      output: 'Could not look: no gateway of this version has set this database up.\n',
    });
    const nowhere = new URL(databaseUrl);
    nowhere.port = '1';
    expect(await runDoctor({ DATABASE_URL: nowhere.href, JWT_SECRET })).toMatchObject({
      code: 2,
      output: 'Could not look: connection refused.\n',
    });
  });

  test('several gateways that start at once on an empty database all come up, with one super admin', async () => {
    // One that is killed while it prepares a database leaves a finding of its own to the doctor.
    const env = { DATABASE_URL: databaseUrl, JWT_SECRET, WARM_DATABASES: '0' };
    const gateways = await Promise.all([startGateway(env), startGateway(env), startGateway(env)]);
    for (const gateway of gateways) {
      const admin = await superAdmin(gateway);
      expect((await admin.rest('GET', '/api/super-admin/admins')).body).toHaveLength(1);
    }
    const { body } = await (await superAdmin(gateways[0]!)).rest('POST', '/api/super-admin/tenants', {
      name: 'Shared',
      slug: 'shared',
    });
    await active(await superAdmin(gateways[2]!), body.id);
    expect(await runDoctor(env)).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^nothing wrong: 1 tenants/m),
    });
  });

  test('the doctor ends with 1 when something is wrong', async () => {
    const [row] = await sql<{ code: string }>(databaseUrl, 'select code from installation');
    await sql(databaseUrl, `create role "t_${row!.code}_left"`);
    const { code, output } = await runDoctor({ DATABASE_URL: databaseUrl, JWT_SECRET });
    expect({ code, output }).toEqual({
      code: 1,
      output:
        `orphan_role: role t_${row!.code}_left belongs to no tenant -> drop role "t_${row!.code}_left"; (after its database, if there is one)\n` +
        `note: zone data ${process.versions.tz} (Node ${process.versions.node})\n` +
        '1 findings: 1 tenants (1 active, 0 suspended, 0 being made), 1 databases, 1 roles\n',
    });
    await sql(databaseUrl, `drop role "t_${row!.code}_left"`);
  });
});

describe('a role that is not a superuser', () => {
  const name = `gateway_${randomBytes(4).toString('hex')}`;
  const url = new URL(serverUrl(name));
  url.username = name;
  url.password = 'gateway';
  const onServer = (text: string) => sql(serverUrl('postgres'), text);
  beforeAll(async () => {
    await onServer(`create role ${name} login password 'gateway' createdb`);
    await onServer(`create database ${name} owner ${name}`);
    await onServer(`grant connect on database postgres to ${name}`);
  });
  afterAll(async () => {
    await dropControlDatabase(serverUrl(name));
    await onServer(`revoke connect on database postgres from ${name}`);
    await onServer(`drop role ${name}`);
  });

  test('is refused in a sentence while it may not create roles', async () => {
    const { code, output } = await runGateway({ DATABASE_URL: url.href, JWT_SECRET, PORT: '0' });
    expect(output).toContain('must be able to create databases and roles (CREATEDB and CREATEROLE)');
    expect(code).toBe(1);
  });

  test('is enough with CREATEDB and CREATEROLE', async () => {
    await onServer(`alter role ${name} createrole`);
    const app = await startApp({}, url.href);
    try {
      const admin = await superAdmin(app);
      const tenant = await provision(admin);
      await agent(app, tenant.adminEmail, tenant.adminPassword);
      expect(await expectNothingWrong(url.href)).toMatchObject({ tenants: 1, databases: 1, roles: 1 });
      // Somebody is in the tenant's database while it is replaced, and while it is removed.
      const folder = await takeBackup(url.href, await temporaryFolder());
      await restoreBackup(url.href, [folder], { tenant: tenant.slug });
      await agent(app, tenant.adminEmail, tenant.adminPassword);
      await expectNothingWrong(url.href);
      await app.services.servers.home.drop(app.services.servers.home.nameFor(tenant.id), async () => {});
      const left = () =>
        sql(
          serverUrl('postgres'),
          `select datname from pg_database where datname = $1 union all select rolname from pg_roles where rolname = $1`,
          [app.services.servers.home.nameFor(tenant.id)],
        );
      await eventually(left, (rows) => rows.length === 0);
    } finally {
      await app.stop();
    }
  });
});
