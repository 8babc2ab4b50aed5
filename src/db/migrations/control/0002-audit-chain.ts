import { Migration } from '@mikro-orm/migrations';

/** The audit log can be searched, and shows when somebody tampered with it (docs/decisions/0013). */
export class Control0002AuditChain extends Migration {
  override up(): void {
    this.addSql(/* sql */ `
      alter table "audit_entries" add column "digest" bytea null;
      create index "audit_entries_org_id_actor_id_id_index" on "audit_entries" ("org_id", "actor_id", "id");
      create index "audit_entries_org_id_action_id_index" on "audit_entries" ("org_id", "action", "id");
      create index "audit_entries_org_id_target_type_id_index" on "audit_entries" ("org_id", "target_type", "id");
      create index "audit_entries_org_id_target_id_id_index" on "audit_entries" ("org_id", "target_id", "id");
      create index "audit_entries_noun_idx" on "audit_entries" ("org_id", split_part("action", '.', 1), "id");

      create table "audit_chain" (
        "seq" bigint not null,
        "entry_id" uuid not null,
        "hash" bytea not null,
        primary key ("seq")
      );
      alter table "audit_chain" add constraint "audit_chain_entry_id_unique" unique ("entry_id");

      create table "audit_unlinked" (
        "entry_id" uuid not null,
        primary key ("entry_id")
      );

      create table "activity_heads" (
        "org_id" uuid not null,
        "seq" bigint not null,
        "hash" bytea not null,
        primary key ("org_id")
      );
      alter table "activity_heads" add constraint "activity_heads_org_id_foreign" foreign key ("org_id") references "organizations" ("id") on update cascade on delete cascade;

      -- Whoever writes an entry, an older gateway too, notes it for the sealer in the same transaction.
      create function queue_for_chain() returns trigger language plpgsql as $$
      begin
        insert into audit_unlinked select id from new_rows;
        return null;
      end $$;
      create trigger queue_for_chain after insert on audit_entries
        referencing new table as new_rows for each statement execute function queue_for_chain();
      insert into audit_unlinked select id from audit_entries;
    `);
  }
}
