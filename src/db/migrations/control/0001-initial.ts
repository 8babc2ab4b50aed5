import { Migration } from '@mikro-orm/migrations';

/** The control plane: organizations and all that is known of them outside their own databases. */
export class Control0001Initial extends Migration {
  override up(): void {
    this.addSql(/* sql */ `
      create type "tenant_status" as enum ('provisioning', 'active', 'suspended');
      create type "provisioning_state" as enum ('queued', 'running', 'retrying', 'cancelling', 'succeeded');
      create type "step_state" as enum ('pending', 'running', 'done', 'failed');
      create table "audit_entries" (
        "id" uuid not null,
        "org_id" uuid null,
        "actor_kind" text not null,
        "actor_id" uuid null,
        "actor_email" text null,
        "on_behalf_of" uuid null,
        "action" text not null,
        "target_type" text null,
        "target_id" text null,
        "before" jsonb null,
        "after" jsonb null,
        "request_id" text null,
        "address" text null,
        "created_at" timestamptz(3) not null,
        primary key ("id")
      );
      create index "audit_entries_org_id_id_index" on "audit_entries" ("org_id", "id");

      create table "events" (
        "seq" bigserial primary key,
        "topic" text not null,
        "payload" jsonb not null,
        "created_at" timestamptz(3) not null default now()
      );
      create index "events_created_at_index" on "events" ("created_at");

      create table "health_samples" (
        "id" bigserial primary key,
        "component" text not null,
        "status" text not null,
        "latency_ms" int null,
        "at" timestamptz(3) not null
      );
      create index "health_samples_at_index" on "health_samples" ("at");
      create index "health_samples_component_at_index" on "health_samples" ("component", "at");

      create table "idempotency_keys" (
        "key" text not null,
        "fingerprint" text not null,
        "status" int not null,
        "sealed_answer" text not null,
        "created_at" timestamptz(3) not null,
        primary key ("key")
      );
      create index "idempotency_keys_created_at_index" on "idempotency_keys" ("created_at");

      create table "installation" (
        "id" int not null,
        "code" text not null,
        "created_at" timestamptz(3) not null,
        primary key ("id")
      );

      create table "organizations" (
        "id" uuid not null,
        "name" text not null,
        "slug" text not null,
        "status" "tenant_status" not null default 'provisioning',
        "country" text null,
        "limits" jsonb not null default '{}',
        "mongo_database" text not null,
        "schema_version" int not null default 0,
        "token_version" int not null default 0,
        "created_at" timestamptz(3) not null,
        "updated_at" timestamptz(3) not null,
        primary key ("id")
      );
      alter table "organizations" add constraint "organizations_slug_unique" unique ("slug");
      alter table "organizations" add constraint "organizations_mongo_database_unique" unique ("mongo_database");

      create table "identities" (
        "id" uuid not null,
        "org_id" uuid not null,
        "email" text not null,
        "password_hash" text not null,
        "token_version" int not null default 0,
        "suspended_at" timestamptz(3) null,
        "created_at" timestamptz(3) not null,
        primary key ("id")
      );
      create index "identities_email_idx" on "identities" (lower("email"));
      create unique index "identities_org_email_key" on "identities" ("org_id", lower("email"));

      create table "provisioning_runs" (
        "org_id" uuid not null,
        "state" "provisioning_state" not null default 'queued',
        "attempt" int not null default 0,
        "worker_session" int null,
        "job_id" uuid null,
        "created_at" timestamptz(3) not null,
        "finished_at" timestamptz(3) null,
        primary key ("org_id")
      );
      create index "provisioning_runs_state_index" on "provisioning_runs" ("state");

      create table "provisioning_steps" (
        "id" uuid not null,
        "org_id" uuid not null,
        "position" int not null,
        "name" text not null,
        "state" "step_state" not null default 'pending',
        "attempt" int not null default 0,
        "started_at" timestamptz(3) null,
        "finished_at" timestamptz(3) null,
        "error" text null,
        primary key ("id")
      );
      alter table "provisioning_steps" add constraint "provisioning_steps_org_id_name_unique" unique ("org_id", "name");

      create table "rate_limits" (
        "key" varchar(255) not null,
        "points" int not null default 0,
        "expire" bigint null,
        primary key ("key")
      );

      create table "revocations" (
        "subject_id" uuid not null,
        "version" int not null,
        "reason" text not null,
        "revoked_at" timestamptz(3) not null,
        primary key ("subject_id")
      );
      create index "revocations_revoked_at_index" on "revocations" ("revoked_at");

      create table "super_admins" (
        "id" uuid not null,
        "email" text not null,
        "name" text not null,
        "password_hash" text not null,
        "token_version" int not null default 0,
        "created_at" timestamptz(3) not null,
        primary key ("id")
      );
      create unique index "super_admins_email_key" on "super_admins" (lower("email"));

      create table "tenant_databases" (
        "org_id" uuid not null,
        "database_name" text not null,
        "role_name" text not null,
        "sealed_password" text not null,
        "created_at" timestamptz(3) not null,
        primary key ("org_id")
      );
      alter table "tenant_databases" add constraint "tenant_databases_database_name_unique" unique ("database_name");
      alter table "tenant_databases" add constraint "tenant_databases_role_name_unique" unique ("role_name");

      create table "usage" (
        "id" uuid not null,
        "org_id" uuid not null,
        "agent_count" int not null default 0,
        "contact_count" int not null default 0,
        "messages_this_month" int not null default 0,
        "active_integrations" int not null default 0,
        "active_channels" text[] not null default '{}',
        "usage_month" date not null,
        "timezone" text not null,
        "gathered_mark" text not null default '',
        "updated_at" timestamptz(3) not null,
        primary key ("id")
      );
      alter table "usage" add constraint "usage_org_id_unique" unique ("org_id");

      alter table "identities" add constraint "identities_org_id_foreign" foreign key ("org_id") references "organizations" ("id") on delete cascade;

      alter table "provisioning_runs" add constraint "provisioning_runs_org_id_foreign" foreign key ("org_id") references "organizations" ("id") on update cascade on delete cascade;

      alter table "provisioning_steps" add constraint "provisioning_steps_org_id_foreign" foreign key ("org_id") references "organizations" ("id") on delete cascade;

      alter table "tenant_databases" add constraint "tenant_databases_org_id_foreign" foreign key ("org_id") references "organizations" ("id") on update cascade on delete cascade;

      alter table "usage" add constraint "usage_org_id_foreign" foreign key ("org_id") references "organizations" ("id") on delete cascade;
    `);
  }
}
