import { Migration } from '@mikro-orm/migrations';

/** The activity log can be searched, and shows when somebody tampered with it (docs/decisions/0013). */
export class Tenant0003AuditChain extends Migration {
  override up(): void {
    this.addSql(/* sql */ `
      alter table "activity_log" add column "digest" bytea null;
      create index "activity_log_actor_id_id_index" on "activity_log" ("actor_id", "id");
      create index "activity_log_action_id_index" on "activity_log" ("action", "id");
      create index "activity_log_target_type_id_index" on "activity_log" ("target_type", "id");
      create index "activity_log_target_id_id_index" on "activity_log" ("target_id", "id");
      create index "activity_log_noun_idx" on "activity_log" (split_part("action", '.', 1), "id");

      create table "activity_chain" (
        "seq" bigint not null,
        "entry_id" uuid not null,
        "hash" bytea not null,
        primary key ("seq")
      );
      alter table "activity_chain" add constraint "activity_chain_entry_id_unique" unique ("entry_id");

      create table "activity_unlinked" (
        "entry_id" uuid not null,
        primary key ("entry_id")
      );

      -- Whoever writes an entry notes it for the sealer in the same transaction. As the owner: a tenant's role can take
      -- nothing off that list. The gatherer, which brings the sealer along, hears of it with the commit.
      create function queue_for_chain() returns trigger
        language plpgsql security definer set search_path = public, pg_temp as $$
      begin
        insert into activity_unlinked select id from new_rows;
        perform pg_stat_force_next_flush();
        return null;
      end $$;
      create trigger queue_for_chain after insert on activity_log
        referencing new table as new_rows for each statement execute function queue_for_chain();
      insert into activity_unlinked select id from activity_log;
    `);
  }
}
