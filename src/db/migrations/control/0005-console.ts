import { Migration } from '@mikro-orm/migrations';

/** What the console reads: tenants in any order, the audit log of all tenants, usage day by day. */
export class Control0005Console extends Migration {
  override up(): void {
    this.addSql(/* sql */ `
      create index "organizations_name_idx" on "organizations" (lower("name"), "id");
      create index "organizations_status_id_index" on "organizations" ("status", "id");

      create index "audit_entries_actor_id_id_index" on "audit_entries" ("actor_id", "id");
      create index "audit_entries_action_id_index" on "audit_entries" ("action", "id");
      create index "audit_entries_target_id_id_index" on "audit_entries" ("target_id", "id");
      create index "audit_entries_any_noun_idx" on "audit_entries" (split_part("action", '.', 1), "id");

      create table "usage_days" (
        "org_id" uuid not null,
        "day" date not null,
        "agents" int not null,
        "contacts" int not null,
        "messages" int not null,
        primary key ("org_id", "day")
      );
      create index "usage_days_day_index" on "usage_days" ("day");
      alter table "usage_days" add constraint "usage_days_org_id_foreign" foreign key ("org_id") references "organizations" ("id") on delete cascade;
    `);
  }
}
