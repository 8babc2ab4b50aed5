import { Migration } from '@mikro-orm/migrations';

/**
 * The PostgreSQL servers that tenants' databases are on. The home server, the control plane's own, has a fixed id: a backup may be
 * restored into another installation.
 */
export class Control0007DatabaseServers extends Migration {
  override up(): void {
    this.addSql(/* sql */ `
      create type "server_state" as enum ('open', 'draining', 'closed');
      create table "database_servers" (
        "id" uuid not null,
        "name" text not null,
        "region" text null,
        "capacity" int not null,
        "state" "server_state" not null default 'open',
        "sealed_url" text null,
        "sealed_pooled_url" text null,
        "pooler_prepares" boolean not null default false,
        "system_identifier" text null,
        "created_at" timestamptz(3) not null,
        "updated_at" timestamptz(3) not null,
        primary key ("id")
      );
      alter table "database_servers" add constraint "database_servers_system_identifier_unique" unique ("system_identifier");
      create unique index "database_servers_name_key" on "database_servers" (lower("name"));
      insert into "database_servers" ("id", "name", "capacity", "created_at", "updated_at")
        select '00000000-0000-7000-8000-000000000001', 'home', greatest(2000, 2 * count(*)), now(), now() from "organizations";

      alter table "organizations" add column "region" text null;

      -- The default is for gateways of the older version that run beside this one.
      alter table "tenant_databases" add column "server_id" uuid not null default '00000000-0000-7000-8000-000000000001';
      create index "tenant_databases_server_id_index" on "tenant_databases" ("server_id");
      alter table "tenant_databases" add constraint "tenant_databases_server_id_foreign" foreign key ("server_id") references "database_servers" ("id");
    `);
  }
}
