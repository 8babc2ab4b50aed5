import { Migration } from '@mikro-orm/migrations';

/** Tenants' data leaves: exports, archives of suspended tenants, and their end (docs/decisions/0032). */
export class Control0010Offboarding extends Migration {
  override up(): void {
    this.addSql(/* sql */ `
      alter table "organizations" add column "archived_at" timestamptz(3) null, add column "purge_at" timestamptz(3) null;
      create index "organizations_purge_at_index" on "organizations" ("purge_at");

      create table "tenant_exports" (
        "id" uuid not null,
        "org_id" uuid not null,
        "is_own" boolean not null,
        "requested_by" text null,
        "state" text not null default 'queued',
        "attempt" int not null default 0,
        "error" text null,
        "records" int not null default 0,
        "records_total" int null,
        "place" text null,
        "data" jsonb null,
        "files" jsonb null,
        "taken_at" timestamptz(3) null,
        "created_at" timestamptz(3) not null,
        "finished_at" timestamptz(3) null,
        "expires_at" timestamptz(3) null,
        primary key ("id")
      );
      create index "tenant_exports_org_id_id_index" on "tenant_exports" ("org_id", "id");
      create index "tenant_exports_expires_at_index" on "tenant_exports" ("expires_at");
      alter table "tenant_exports" add constraint "tenant_exports_org_id_foreign"
        foreign key ("org_id") references "organizations" ("id") on delete cascade;

      create table "tenant_archives" (
        "org_id" uuid not null,
        "place" text not null,
        "name" text not null,
        "bytes" bigint not null,
        "records" bigint not null,
        "taken_at" timestamptz(3) not null,
        primary key ("org_id")
      );
      alter table "tenant_archives" add constraint "tenant_archives_org_id_foreign"
        foreign key ("org_id") references "organizations" ("id") on update cascade on delete cascade;

      create table "offboarding_runs" (
        "org_id" uuid not null,
        "kind" text not null,
        "state" text not null default 'queued',
        "step" text null,
        "attempt" int not null default 0,
        "error" text null,
        "activate" boolean not null default false,
        "requested_by" text null,
        "created_at" timestamptz(3) not null,
        primary key ("org_id")
      );
      alter table "offboarding_runs" add constraint "offboarding_runs_org_id_foreign"
        foreign key ("org_id") references "organizations" ("id") on update cascade on delete cascade;
    `);
  }
}
