import { Migration } from '@mikro-orm/migrations';

/** Upgrades of the schema of tenants' databases. */
export class Control0009Upgrades extends Migration {
  override up(): void {
    this.addSql(/* sql */ `
      create type "upgrade_state" as enum ('running', 'paused', 'stopped', 'finished', 'cancelled');
      create type "tenant_upgrade_state" as enum ('pending', 'running', 'done', 'failed', 'skipped');

      create table "upgrade_runs" (
        "id" uuid not null,
        "state" "upgrade_state" not null default 'running',
        "reason" text null,
        "to_version" int not null,
        "canary" int not null,
        "pause_after_canary" boolean not null,
        "wave_size" int not null,
        "concurrency" int not null,
        "failure_budget" int not null,
        "lock_timeout_ms" int not null,
        "retries" int not null,
        "wave" int not null,
        "waves" int not null,
        "total" int not null,
        "done" int not null default 0,
        "failed" int not null default 0,
        "skipped" int not null default 0,
        "started_by" text null,
        "created_at" timestamptz(3) not null,
        "finished_at" timestamptz(3) null,
        primary key ("id")
      );
      create unique index "upgrade_runs_one_at_a_time" on "upgrade_runs" ((true)) where "finished_at" is null;

      -- Names a tenant that may be removed, or restored from a backup, while the run is under way or long after.
      create table "upgrade_items" (
        "run_id" uuid not null,
        "org_id" uuid not null,
        "slug" text not null,
        "wave" int not null,
        "from_version" int not null,
        "state" "tenant_upgrade_state" not null default 'pending',
        "attempt" int not null default 0,
        "retries_left" int not null,
        "worker_session" int null,
        "seen_at" timestamptz(3) null,
        "next_try_at" timestamptz(3) null,
        "started_at" timestamptz(3) null,
        "finished_at" timestamptz(3) null,
        "error" text null,
        primary key ("run_id", "org_id")
      );
      create index "upgrade_items_run_id_state_wave_org_id_index" on "upgrade_items" ("run_id", "state", "wave", "org_id");
      create index "upgrade_items_running_idx" on "upgrade_items" ("worker_session") where "state" = 'running';
      create index "upgrade_items_org_id_run_id_index" on "upgrade_items" ("org_id", "run_id");
      alter table "upgrade_items" add constraint "upgrade_items_run_id_foreign"
        foreign key ("run_id") references "upgrade_runs" ("id") on delete cascade;
    `);
  }
}
