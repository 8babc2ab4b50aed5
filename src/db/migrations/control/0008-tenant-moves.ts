import { Migration } from '@mikro-orm/migrations';

/** Moves of tenants to other database servers. */
export class Control0008TenantMoves extends Migration {
  override up(): void {
    this.addSql(/* sql */ `
      create type "move_state" as enum ('copying', 'switching', 'switched', 'finishing', 'finished', 'undoing', 'undone', 'cancelling',
        'cancelled', 'failed');
      create table "tenant_moves" (
        "org_id" uuid not null,
        "source_id" uuid not null,
        "target_id" uuid not null,
        "state" "move_state" not null default 'copying',
        "attempt" int not null default 0,
        "worker_session" int null,
        "steps" jsonb not null default '[]',
        "progress" jsonb not null,
        "failed_switches" int not null default 0,
        "max_read_only_seconds" int not null,
        "read_only_since" timestamptz(3) null,
        "read_only_ms" int null,
        "created_at" timestamptz(3) not null,
        "finished_at" timestamptz(3) null,
        primary key ("org_id")
      );
      create index "tenant_moves_state_index" on "tenant_moves" ("state");
      alter table "tenant_moves" add constraint "tenant_moves_org_id_foreign"
        foreign key ("org_id") references "organizations" ("id") on update cascade on delete cascade;
      alter table "tenant_moves" add constraint "tenant_moves_source_id_foreign"
        foreign key ("source_id") references "database_servers" ("id") on delete cascade;
      alter table "tenant_moves" add constraint "tenant_moves_target_id_foreign"
        foreign key ("target_id") references "database_servers" ("id") on delete cascade;
    `);
  }
}
