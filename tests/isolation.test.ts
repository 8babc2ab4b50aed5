import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { type Actor, provision, superAdmin, type Tenant } from './support/actors.ts';
import { SUPER_ADMIN, startApp, type TestApp } from './support/app.ts';
import { serverUrl, sql } from './support/database.ts';

let app: TestApp;
let admin: Actor;
let ours: Tenant;
let theirs: Tenant;
beforeAll(async () => {
  app = await startApp();
  admin = await superAdmin(app);
  [ours, theirs] = await Promise.all([
    provision(admin, { limits: { max_contacts: 1 } }),
    provision(admin, { admin_password: "another tenant's password" }),
  ]);
});
afterAll(() => app.stop());

const nameOf = (tenant: Tenant) => app.services.servers.home.nameFor(tenant.id);
const controlName = () => new URL(app.databaseUrl).pathname.slice(1);

/** Signs in as a tenant's own role. @returns what the work gives, or the SQLSTATE that it ends with. */
async function asTenant<T>(
  tenant: Tenant,
  work: (client: pg.Client) => Promise<T>,
  database?: string,
): Promise<T | string | undefined> {
  const client = new pg.Client({
    ...(await app.services.tenants.connection(tenant.id)),
    ...(database && { database }),
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    return (error as pg.DatabaseError).code;
  } finally {
    await client.end().catch(() => {});
  }
}

const statement = (text: string) => (client: pg.Client) => client.query(text).then(() => 'done');

const FORBIDDEN = '42501';

describe('a tenant', () => {
  test('has one database and one login role, whose names say nothing of it', async () => {
    const rows = await sql<{ database: string; role: string; id: string; slug: string; name: string }>(
      app.databaseUrl,
      `select database_name as database, role_name as role, o.id, o.slug, o.name
         from tenant_databases join organizations o on o.id = org_id`,
    );
    expect(new Set(rows.map(({ database }) => database)).size).toBe(2);
    for (const { database, role, id, slug, name } of rows) {
      expect(database).toBe(`t_${app.services.servers.home.code}_${id.replaceAll('-', '')}`);
      expect(role).toBe(database);
      for (const telling of [slug, slug.replaceAll('-', '_'), name]) expect(database).not.toContain(telling);
      const [found] = await sql(
        serverUrl('postgres'),
        `select rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, rolconnlimit,
                (select count(*)::int from pg_database where datname = rolname) as databases
           from pg_roles where rolname = $1`,
        [role],
      );
      expect(found).toEqual({
        rolcanlogin: true,
        rolsuper: false,
        rolcreatedb: false,
        rolcreaterole: false,
        rolreplication: false,
        rolbypassrls: false,
        rolconnlimit: 40,
        databases: 1,
      });
    }
  });

  test('reads and writes its own tables', async () => {
    expect(await asTenant(ours, statement('select * from agents'))).toBe('done');
    expect(await asTenant(ours, statement("update agents set full_name = 'New Name'"))).toBe('done');
    expect(await asTenant(ours, statement('select * from usage_counters, usage_limits'))).toBe('done');
  });

  test("cannot connect to another tenant's database, nor to any that is not its own", async () => {
    const [template] = await sql<{ name: string }>(
      app.databaseUrl,
      `select datname as name from pg_database where starts_with(datname, 't_${app.services.servers.home.code}_template')`,
    );
    const others = [nameOf(theirs), controlName(), 'postgres', 'template1'];
    for (const database of others) expect(await asTenant(ours, statement('select 1'), database)).toBe(FORBIDDEN);
    // Closed to everyone: object_not_in_prerequisite_state.
    for (const database of [template!.name, 'template0']) {
      expect(await asTenant(ours, statement('select 1'), database)).toBe('55000');
    }
    expect(await asTenant(ours, statement('select 1'))).toBe('done');
    const open = await sql(
      app.databaseUrl,
      `select datname from pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba)))
        where grantee = 0 and privilege_type = 'CONNECT'
          and (datname in (current_database(), 'postgres', 'template1') or starts_with(datname, $1))`,
      [`t_${app.services.servers.home.code}`],
    );
    expect(open).toEqual([]);
  });

  test.each([
    'create database more',
    'create role more',
    'alter role current_user createdb',
    'drop table agents',
    'truncate contacts',
    'create table more (id int)',
    'create temporary table more (id int)',
    'alter table contacts disable trigger all',
    "update usage_counters set value = 0 where metric = 'contacts'",
    'delete from usage_counters',
    "insert into usage_counters values ('contacts', '', -100)",
    'update usage_limits set value = 1000000',
    'delete from usage_limits',
    "insert into usage_limits values ('agents', 1000000)",
    "select count_usage('contacts', '', -100)",
    "insert into mikro_orm_migrations (name) values ('mine')",
    'set session_replication_role = replica',
    `copy contacts from program 'id'`,
    `select pg_read_file('/etc/passwd')`,
  ])('cannot %s', async (text) => {
    expect(await asTenant(ours, statement(text))).toBe(FORBIDDEN);
  });

  test('cannot take on another role, nor give others a way in', async () => {
    expect(await asTenant(ours, statement(`set role "${nameOf(theirs)}"`))).toBe(FORBIDDEN);
    expect(await asTenant(ours, statement(`grant "${nameOf(ours)}" to "${nameOf(theirs)}"`))).toBe(FORBIDDEN);
    // Without the right to grant, PostgreSQL warns and grants nothing.
    await asTenant(ours, statement(`grant connect on database "${nameOf(ours)}" to public`));
    expect(await asTenant(theirs, statement('select 1'), nameOf(ours))).toBe(FORBIDDEN);
  });

  test('cannot lift its limits', async () => {
    const contact = "insert into contacts (id, name) values (gen_random_uuid(), 'Someone')";
    expect(await asTenant(ours, statement(contact))).toBe('done');
    expect(await asTenant(ours, statement(contact))).toBe('OS409');
    const beyond = (setting: string) => async (client: pg.Client) => {
      await client.query(setting);
      return (await client.query(contact)).command;
    };
    expect(await asTenant(ours, beyond("set omnistream.unlimited = 'on'"))).toBe('OS409');
    expect(await asTenant(ours, beyond('set search_path = pg_temp'))).not.toBe('INSERT');
  });
});

test('no password is anywhere in the control database, nor in the queue', async () => {
  const { password } = (await app.services.tenants.connection(ours.id)) as { password: string };
  const secrets = [SUPER_ADMIN.password, ours.adminPassword, "another tenant's password", password];
  const tables = await sql<{ name: string }>(
    app.databaseUrl,
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
      where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`,
  );
  expect(tables.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['public.identities', 'public.tenant_databases', 'public.audit_entries', 'pgboss.job']),
  );
  for (const { name } of tables) {
    const rows = JSON.stringify(await sql(app.databaseUrl, `select t::text from ${name} t`));
    for (const secret of secrets) expect({ name, holds: rows.includes(secret) }).toEqual({ name, holds: false });
  }
  const jobs = await sql(
    app.databaseUrl,
    `select distinct k from pgboss.job, jsonb_object_keys(data) k where name like 'tenant.%'`,
  );
  expect(jobs).toEqual([{ k: 'orgId' }]);
  const hashes = await sql<{ hash: string }>(
    app.databaseUrl,
    'select password_hash as hash from identities union all select password_hash from super_admins',
  );
  for (const { hash } of hashes) expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
});
