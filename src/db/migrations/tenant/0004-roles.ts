import { Migration } from '@mikro-orm/migrations';

/** Roles of the tenant's own. */
export class Tenant0004Roles extends Migration {
  override up(): void {
    this.addSql(/* sql */ `
      alter table "roles" add column "description" text null,
        add column "updated_at" timestamptz(3) not null default now();
      alter table "roles" alter column "updated_at" drop default;
      alter table "roles" drop constraint "roles_name_unique";
      create unique index "roles_name_key" on "roles" (lower("name"));
      create index "agents_role_id_index" on "agents" ("role_id");
      alter table "agents" add constraint "agents_role_id_foreign" foreign key ("role_id") references "roles" ("id");
    `);
  }
}
