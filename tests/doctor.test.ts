import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { TENANT_SCHEMA_VERSION as newest } from '../src/db/migrations/tenant/index.ts';
import type { Finding } from '../src/domain/doctor.ts';
import { type Actor, agent, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { examination, expectNothingWrong } from './support/checker.ts';
import { serverUrl, sql } from './support/database.ts';

let app: TestApp;
let admin: Actor;
let one: Tenant;
let other: Tenant;
/** Prefix of every name of the installation. */
let prefix: string;
const nameOf = (tenant: Tenant) => app.services.servers.home.nameFor(tenant.id);

beforeAll(async () => {
  app = await startApp();
  admin = await superAdmin(app);
  [one, other] = await Promise.all([provision(admin), provision(admin)]);
  prefix = `t_${app.services.servers.home.code}_`;
});
afterAll(() => app.stop());

const onServer = (text: string) => sql(serverUrl('postgres'), text);
const inControl = (text: string) => sql(app.databaseUrl, text);
const inTenant = (tenant: Tenant, text: string) => sql(serverUrl(nameOf(tenant)), text);

const findings = async () => (await examination(app.databaseUrl)).findings;

/** The only finding there is. */
async function only(kind: Finding['kind']): Promise<Finding> {
  const all = await findings();
  expect(all).toMatchObject([{ kind }]);
  return all[0]!;
}

test('finds nothing wrong where nothing is, and counts', async () => {
  expect(await expectNothingWrong(app.databaseUrl)).toEqual({
    tenants: 2,
    active: 2,
    suspended: 0,
    underWay: 0,
    databases: 2,
    roles: 2,
  });
});

describe('what one SQL command mends is named with that command', () => {
  const damages: [what: string, kind: Finding['kind'], damage: () => Promise<unknown>][] = [
    [
      'a database without a tenant',
      'orphan_database',
      async () => {
        await onServer(`create database "${prefix}0123"`);
        await onServer(`revoke connect on database "${prefix}0123" from public`);
      },
    ],
    [
      'a database without a tenant that a DROP left unusable',
      'orphan_database',
      async () => {
        await onServer(`create database "${prefix}0123"`);
        await onServer(`update pg_database set datconnlimit = -2 where datname = '${prefix}0123'`);
      },
    ],
    ['a role without a tenant', 'orphan_role', () => onServer(`create role "${prefix}0123"`)],
    [
      'a template of another version',
      'stale_template',
      async () => {
        await onServer(`create database "${prefix}template_0_0123"`);
        await onServer(`revoke connect on database "${prefix}template_0_0123" from public`);
      },
    ],
    [
      'a database that is open to everyone',
      'open_database',
      () => onServer(`grant connect on database "${nameOf(one)}" to public`),
    ],
    [
      'a control database that is open to everyone',
      'open_database',
      () => onServer(`grant connect on database "${new URL(app.databaseUrl).pathname.slice(1)}" to public`),
    ],
    [
      "a database that is open to another tenant's role",
      'open_database',
      () => onServer(`grant connect on database "${nameOf(one)}" to "${nameOf(other)}"`),
    ],
    [
      'a database that is open to all tenants',
      'open_database',
      () => onServer(`grant connect on database "${nameOf(one)}" to "${prefix.slice(0, -1)}"`),
    ],
    [
      "a role with another tenant's rights",
      'powerful_role',
      () => onServer(`grant "${nameOf(other)}" to "${nameOf(one)}"`),
    ],
    ['a role that may do more', 'powerful_role', () => onServer(`alter role "${nameOf(one)}" createdb`)],
    ['a role without login', 'missing_role', () => onServer(`alter role "${nameOf(one)}" nologin`)],
    [
      'a role without the rights of tenants',
      'missing_role',
      () => onServer(`revoke "${prefix.slice(0, -1)}" from "${nameOf(one)}"`),
    ],
    [
      'a closed database',
      'missing_database',
      () => onServer(`alter database "${nameOf(one)}" allow_connections false`),
    ],
    [
      'a recorded schema version that is not the real one',
      'wrong_schema',
      () => inControl(`update organizations set schema_version = 7 where id = '${one.id}'`),
    ],
    [
      'an account without its agent',
      'missing_agent',
      () =>
        inControl(`insert into identities (id, org_id, email, password_hash, created_at)
                   values (gen_random_uuid(), '${one.id}', 'lost@tenant.test', '', now())`),
    ],
  ];

  test.each(damages)('%s', async (_, kind, damage) => {
    await damage();
    const all = await findings();
    const found = all.find((finding) => finding.kind === kind);
    expect(found).toBeDefined();
    const [command] = /(drop|revoke|grant|alter|update|delete) .+?;/.exec(found!.remedy) ?? [];
    await inControl(command!);
    expect(await findings()).toEqual([]);
  });
});

describe('what is lost or doubled is named', () => {
  test('a database that a DROP left unusable, a missing database and a missing role', async () => {
    const lost = await provision(admin);
    const name = nameOf(lost);
    await onServer(`update pg_database set datconnlimit = -2 where datname = '${name}'`);
    expect(await only('broken_database')).toMatchObject({ problem: expect.stringContaining(lost.slug) });
    await onServer(`drop database "${name}" with (force)`);
    expect(await only('missing_database')).toMatchObject({ problem: expect.stringContaining(name) });
    await onServer(`drop role "${name}"`);
    expect((await findings()).map(({ kind }) => kind)).toEqual(['missing_database', 'missing_role']);
    await inControl(`delete from organizations where id = '${lost.id}'`);
    await expectNothingWrong(app.databaseUrl);
  });

  test('an agent who has no account to sign in with', async () => {
    const tenant = await provision(admin);
    await inTenant(
      tenant,
      `insert into agents (id, email, full_name, role_id, created_at, updated_at)
         select gen_random_uuid(), 'lost@tenant.test', 'Lost', id, now(), now() from roles where name = 'agent'`,
    );
    const { problem, remedy } = await only('missing_account');
    expect(problem).toContain('lost@tenant.test');
    const by = await agent(app, tenant.adminEmail, tenant.adminPassword);
    const [path] = /\/api\/agents\/[\w-]+/.exec(remedy)!;
    expect((await by.rest('DELETE', path)).status).toBe(200);
    await expectNothingWrong(app.databaseUrl);
  });

  test('seeds that are missing, or there twice', async () => {
    const tenant = await provision(admin);
    const url = serverUrl(nameOf(tenant));
    const hours = `insert into working_hours
      select gen_random_uuid(), division_id, day_of_week, start_time, end_time, is_active, now(), now()
        from working_hours where day_of_week = 3`;
    await inTenant(tenant, hours);
    expect(await only('doubled_seeds')).toMatchObject({ problem: expect.stringMatching(/days 3$/) });
    await inTenant(tenant, 'delete from working_hours where created_at = (select max(created_at) from working_hours)');
    await inTenant(tenant, "delete from settings where key = 'timezone'");
    const { remedy } = await only('missing_seeds');
    await sql(url, remedy);
    await inTenant(tenant, "update roles set name = 'boss' where name = 'admin'");
    expect((await findings()).map(({ kind }) => kind)).toEqual(['missing_seeds', 'missing_admin']);
    await inTenant(tenant, "update roles set name = 'admin' where name = 'boss'");
    await expectNothingWrong(app.databaseUrl);
  });

  test('tables that are older or newer than this version', async () => {
    await inTenant(one, "insert into mikro_orm_migrations (name) values ('a later one')");
    expect((await findings()).map(({ problem }) => problem)).toEqual([
      expect.stringContaining(`recorded with schema_version ${newest}, its database has ${newest + 1}`),
      expect.stringContaining('more than this version knows'),
    ]);
    await inTenant(one, "delete from mikro_orm_migrations where name = 'a later one'");
    const [last] = await inTenant(one, 'select * from mikro_orm_migrations order by id desc limit 1');
    await inTenant(one, `delete from mikro_orm_migrations where id = ${last!.id}`);
    await inTenant(one, 'alter table mikro_orm_migrations drop column checksum');
    await inControl(`update organizations set schema_version = ${newest - 1} where id = '${one.id}'`);
    expect(await only('wrong_schema')).toMatchObject({
      problem: expect.stringContaining(`has ${newest - 1} of ${newest} migrations`),
      remedy: expect.stringMatching(/^start a gateway of this version/),
    });
    await inTenant(one, 'alter table mikro_orm_migrations add column checksum text');
    await inTenant(one, `insert into mikro_orm_migrations (id, name) values (${last!.id}, '${last!.name}')`);
    // Cut off before it was recorded.
    expect((await only('wrong_schema')).remedy).toMatch(/^start a gateway of this version/);
    await inControl(`update organizations set schema_version = ${newest} where id = '${one.id}'`);
  });

  test('a schema that is not what its version says', async () => {
    await inTenant(one, 'alter table contacts add column shoe_size int');
    await inTenant(one, 'alter table agents alter column full_name drop not null');
    await inTenant(one, 'alter table contacts disable trigger count_contacts_in');
    await inTenant(one, 'drop index agents_role_id_index');
    const { problem } = await only('schema_drift');
    expect(problem).toContain(`tenant ${one.slug} (${nameOf(one)}) is not what schema version ${newest} says: `);
    for (const difference of [
      'column contacts.shoe_size is of no migration',
      'column agents.full_name is "text" instead of "text not null"',
      /trigger count_contacts_in of contacts is .* \(switched off\)/,
      'index agents_role_id_index is missing',
    ]) {
      expect(problem).toMatch(difference);
    }
    await inTenant(one, 'alter table contacts drop column shoe_size');
    await inTenant(one, 'alter table agents alter column full_name set not null');
    await inTenant(one, 'alter table contacts enable trigger count_contacts_in');
    await inTenant(one, 'create index "agents_role_id_index" on "agents" ("role_id")');
    await inTenant(one, "update mikro_orm_migrations set checksum = 'another' where name = 'Tenant0004Roles'");
    expect((await only('schema_drift')).problem).toContain('Tenant0004Roles was something else when it was applied');
    await inTenant(one, "update mikro_orm_migrations set checksum = null where name = 'Tenant0004Roles'");
    await expectNothingWrong(app.databaseUrl);
  });

  test('rights in a tenant\u2019s database that were taken or given by hand, with the statements that mend them', async () => {
    const group = prefix.slice(0, -1);
    for (const damage of [
      `revoke insert, update on contacts from "${group}"`,
      'grant select on agents to public',
      `grant delete on activity_log to "${group}"`,
      `grant update (email) on agents to "${nameOf(one)}"`,
      'grant usage on sequence schedule_versions_seq_seq to public',
      'grant create on schema public to public',
      'revoke execute on function hours_of(uuid) from public',
      'grant execute on function count_usage(text, text, int) to public',
    ]) {
      await inTenant(one, damage);
    }
    const { problem, remedy } = await only('wrong_rights');
    expect(problem).toBe(
      `in the database of tenant ${one.slug} (${nameOf(one)}) the role ${nameOf(one)} may UPDATE on column email of table agents; ` +
        'everybody may EXECUTE on function count_usage(text, text, integer); everybody may not EXECUTE on function hours_of(uuid); ' +
        'everybody may CREATE on schema public; everybody may USAGE on sequence schedule_versions_seq_seq; and 3 more',
    );
    await inTenant(one, remedy.replace(/^there: /, ''));
    await expectNothingWrong(app.databaseUrl);
  });

  test('a tenant that may not even read what the doctor looks at', async () => {
    await inTenant(one, `revoke select on roles from "${prefix.slice(0, -1)}"`);
    const { problem, remedy } = await only('wrong_rights');
    expect(problem).toContain('the tenant may not SELECT on table roles');
    await inTenant(one, remedy.replace(/^there: /, ''));
    await expectNothingWrong(app.databaseUrl);
  });

  test('a template that is missing or half made', async () => {
    const [template] = await sql<{ name: string }>(
      app.databaseUrl,
      `select datname as name from pg_database where starts_with(datname, '${prefix}template_')`,
    );
    await onServer(`alter database "${template!.name}" allow_connections true`);
    expect((await only('missing_template')).problem).toContain('half made');
    await onServer(`alter database "${template!.name}" rename to "${prefix}template_9"`);
    expect((await findings()).map(({ kind }) => kind)).toEqual(['stale_template', 'missing_template']);
    await onServer(`alter database "${prefix}template_9" rename to "${template!.name}"`);
    await onServer(`alter database "${template!.name}" allow_connections false`);
  });

  test('passwords that were sealed under another secret', async () => {
    const wrong = await examination(app.databaseUrl, 'another secret, which is as long as need be');
    expect(wrong.findings).toMatchObject([{ kind: 'wrong_secret', problem: expect.stringContaining('4 tenants') }]);
  });
});

test('looks without being able to change anything', async () => {
  const sessions = jest.spyOn(pg.Client.prototype, 'connect');
  try {
    await examination(app.databaseUrl);
    const opened = sessions.mock.contexts as unknown as { connectionParameters: { options?: string } }[];
    // The gateway beside it may open connections of its own meanwhile.
    const own = opened.filter(({ connectionParameters }) =>
      connectionParameters.options?.includes('application_name=doctor'),
    );
    // Of the control database, and of each tenant's.
    expect(own.length).toBeGreaterThan(2);
    for (const { connectionParameters } of own) {
      expect(connectionParameters.options).toContain('default_transaction_read_only=on');
    }
  } finally {
    sessions.mockRestore();
  }
});
