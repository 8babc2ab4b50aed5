import { Migration } from '@mikro-orm/migrations';

/** Sessions and API keys. */
export class Control0003Access extends Migration {
  override up(): void {
    this.addSql(/* sql */ `
      create table "sessions" (
        "id" uuid not null,
        "subject_id" uuid not null,
        "email" text not null,
        "org_id" uuid null,
        "impersonator_id" uuid null,
        "impersonator_email" text null,
        "reason" text null,
        "read_only" boolean not null default false,
        "address" text not null,
        "user_agent" text null,
        "created_at" timestamptz(3) not null,
        "last_used_at" timestamptz(3) not null,
        "expires_at" timestamptz(3) not null,
        "ended_at" timestamptz(3) null,
        primary key ("id")
      );
      create index "sessions_subject_id_index" on "sessions" ("subject_id");
      create index "sessions_org_id_index" on "sessions" ("org_id");
      create index "sessions_impersonator_id_index" on "sessions" ("impersonator_id");
      create index "sessions_expires_at_index" on "sessions" ("expires_at");
      alter table "sessions" add constraint "sessions_org_id_foreign"
        foreign key ("org_id") references "organizations" ("id") on delete cascade;

      create table "api_keys" (
        "id" uuid not null,
        "org_id" uuid not null,
        "maker_id" uuid not null,
        "name" text not null,
        "prefix" text not null,
        "hash" text not null,
        "scopes" text[] not null,
        "expires_at" timestamptz(3) null,
        "last_used_at" timestamptz(3) null,
        "created_at" timestamptz(3) not null,
        primary key ("id")
      );
      alter table "api_keys" add constraint "api_keys_hash_unique" unique ("hash");
      create index "api_keys_org_id_index" on "api_keys" ("org_id");
      create index "api_keys_maker_id_index" on "api_keys" ("maker_id");
      alter table "api_keys" add constraint "api_keys_org_id_foreign"
        foreign key ("org_id") references "organizations" ("id") on delete cascade;
      alter table "api_keys" add constraint "api_keys_maker_id_foreign"
        foreign key ("maker_id") references "identities" ("id") on delete cascade;
    `);
  }
}
