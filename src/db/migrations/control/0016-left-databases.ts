import { Migration } from '@mikro-orm/migrations';

/** Tenants that were removed while their database server was away. */
export class Control0016LeftDatabases extends Migration {
  override up(): void {
    this.addSql(/* sql */ `
      create table "left_databases" (
        "server_id" uuid not null,
        "name" text not null,
        "org_id" uuid not null,
        "slug" text not null,
        "left_at" timestamptz(3) not null,
        primary key ("server_id", "name")
      );
      alter table "left_databases" add constraint "left_databases_server_id_foreign"
        foreign key ("server_id") references "database_servers" ("id") on delete cascade;
    `);
  }
}
