import { Tenant0001Initial } from '../../src/db/migrations/tenant/0001-initial.ts';
import { TENANT_SCHEMA_VERSION } from '../../src/db/migrations/tenant/index.ts';
import { tenantName } from '../../src/db/tenant-names.ts';
import { serverUrl, sql } from './database.ts';

/**
 * Makes a tenant's database what the first version of the gateway would have made of it, with the data that it has;
 * whatever later versions have added is gone.
 */
export async function makeOld(databaseUrl: string, tenantId: string): Promise<void> {
  const [{ code }] = (await sql<{ code: string }>(databaseUrl, 'select code from installation')) as [{ code: string }];
  const first = new Tenant0001Initial(undefined as never, undefined as never);
  first.up();
  const group = `t_${code}`;
  await sql(
    serverUrl(tenantName(code, tenantId)),
    `begin;
     alter schema public rename to newer;
     create schema public;
     ${first.getQueries().join(';\n')};
     set local session_replication_role = replica;
     do $$
       declare t record;
       begin
         for t in select relname as name,
                         (select string_agg(quote_ident(a.attname), ', ') from pg_attribute a
                            join pg_attribute b on b.attname = a.attname and b.attnum > 0 and not b.attisdropped
                           where a.attrelid = c.oid and a.attnum > 0
                             and b.attrelid = ('newer.' || c.relname)::regclass) as columns
                    from pg_class c where relnamespace = 'public'::regnamespace and relkind = 'r'
         loop
           execute format('delete from public.%I', t.name);
           execute format('insert into public.%1$I (%2$s) select %2$s from newer.%1$I', t.name, t.columns);
         end loop;
       end $$;
     alter table newer.mikro_orm_migrations set schema public;
     alter table public.mikro_orm_migrations drop column if exists checksum;
     delete from public.mikro_orm_migrations where id <> (select min(id) from public.mikro_orm_migrations);
     drop schema newer cascade;
     grant usage on schema public to "${group}";
     grant select, insert, update, delete on all tables in schema public to "${group}";
     revoke insert, update, delete on usage_counters, usage_limits, mikro_orm_migrations from "${group}";
     commit;`,
  );
  await sql(databaseUrl, 'update organizations set schema_version = 1 where id = $1', [tenantId]);
}

/** What takes the newest migration of a tenant's database back. */
const UNDO_NEWEST = `
  alter table mikro_orm_migrations drop column if exists checksum;
  delete from mikro_orm_migrations where name = 'Tenant0005Checksums';`;

/** Makes tenants' databases what they were at the version before the newest. */
export async function makeOneOlder(databaseUrl: string, tenantIds: readonly string[]): Promise<void> {
  const [{ code }] = (await sql<{ code: string }>(databaseUrl, 'select code from installation')) as [{ code: string }];
  await Promise.all(tenantIds.map((id) => sql(serverUrl(tenantName(code, id), databaseUrl), UNDO_NEWEST)));
  await sql(databaseUrl, `update organizations set schema_version = ${TENANT_SCHEMA_VERSION - 1} where id = any($1)`, [
    tenantIds,
  ]);
}

/** Stands where the newest migration wants its own: it fails until `cure` takes it away. */
export const POISON = 'alter table mikro_orm_migrations add column checksum int';
export const CURE = 'alter table mikro_orm_migrations drop column checksum';
