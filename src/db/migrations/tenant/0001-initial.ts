import { Migration } from '@mikro-orm/migrations';

/** A tenant's own database: its people, its hours, its inbox, and the counters that its limits are held against. */
export class Tenant0001Initial extends Migration {
  override up(): void {
    this.addSql(/* sql */ `
      create table "agents" (
        "id" uuid not null,
        "email" text not null,
        "full_name" text not null,
        "role_id" uuid not null,
        "is_online" boolean not null default false,
        "last_seen_at" timestamptz(3) null,
        "deleted_at" timestamptz(3) null,
        "created_at" timestamptz(3) not null,
        "updated_at" timestamptz(3) not null,
        primary key ("id")
      );

      create table "contacts" (
        "id" uuid not null,
        "name" text not null,
        "created_at" timestamptz(3) not null default now(),
        primary key ("id")
      );

      create table "integrations" (
        "id" uuid not null,
        "channel" text not null,
        "is_active" boolean not null default true,
        "created_at" timestamptz(3) not null default now(),
        primary key ("id")
      );

      create table "messages" (
        "id" uuid not null,
        "contact_id" uuid not null,
        "channel" text not null,
        "body" text not null,
        "created_at" timestamptz(3) not null default now(),
        primary key ("id")
      );
      create index "messages_contact_id_index" on "messages" ("contact_id");

      create table "roles" (
        "id" uuid not null,
        "name" text not null,
        "is_system" boolean not null default false,
        "permissions" text[] not null default '{}',
        "created_at" timestamptz(3) not null,
        primary key ("id")
      );
      alter table "roles" add constraint "roles_name_unique" unique ("name");

      create table "settings" (
        "key" text not null,
        "value" text not null,
        "updated_at" timestamptz(3) not null,
        primary key ("key")
      );

      create table "usage_counters" (
        "metric" text not null,
        "month" text not null,
        "value" int not null default 0,
        primary key ("metric", "month")
      );

      create table "usage_limits" (
        "metric" text not null,
        "value" int not null,
        primary key ("metric")
      );

      create table "working_hours" (
        "id" uuid not null,
        "division_id" uuid null,
        "day_of_week" smallint not null,
        "start_time" time(0) not null,
        "end_time" time(0) not null,
        "is_active" boolean not null default true,
        "created_at" timestamptz(3) not null,
        "updated_at" timestamptz(3) not null,
        primary key ("id")
      );

      -- Counts move in the transaction of the change, and a counter's row lock makes parallel writers wait for each other, so
      -- that a limit cannot be overshot. The function runs as the owner: a tenant's role cannot move its own counters. Whoever
      -- signed in as the owner, which only the gateway's set-up of a tenant does, is not held to the limits.
      create function count_usage(counted text, in_month text, delta int) returns void
        language plpgsql security definer set search_path = public, pg_temp as $$
      declare
        total int;
        most int;
      begin
        insert into usage_counters as counter (metric, month, value) values (counted, in_month, delta)
          on conflict (metric, month) do update set value = counter.value + excluded.value
          returning value into total;
        if delta > 0 and session_user <> current_user then
          select value into most from usage_limits where metric = counted;
          if total > most then
            raise exception using errcode = 'OS409',
              message = format('The limit of %s %s is reached.', most, counted);
          end if;
        end if;
        -- The gatherer looks for databases whose write statistics moved; sent with this commit, not up to ten seconds later.
        perform pg_stat_force_next_flush();
      end $$;

      -- For what the gatherer reads besides counters.
      create function tell_gatherer() returns trigger language plpgsql as $$
      begin
        perform pg_stat_force_next_flush();
        return null;
      end $$;
      create trigger tell_of_settings after insert or update or delete on settings
        for each statement execute function tell_gatherer();
      create trigger tell_of_channels after update on integrations
        for each statement execute function tell_gatherer();

      create function month_of(at timestamptz) returns text language sql stable set search_path = public, pg_temp as $$
        select to_char(at at time zone coalesce((select value from settings where key = 'timezone'), 'UTC'), 'YYYY-MM')
      $$;

      create function count_agents() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
      declare
        before int := 0;
        after int := 0;
      begin
        if tg_op <> 'INSERT' then select count(*) into before from old_rows where deleted_at is null; end if;
        if tg_op <> 'DELETE' then select count(*) into after from new_rows where deleted_at is null; end if;
        if after <> before then perform count_usage('agents', '', after - before); end if;
        return null;
      end $$;
      create trigger count_agents_in after insert on agents
        referencing new table as new_rows for each statement execute function count_agents();
      create trigger count_agents_changed after update on agents
        referencing old table as old_rows new table as new_rows for each statement execute function count_agents();
      create trigger count_agents_out after delete on agents
        referencing old table as old_rows for each statement execute function count_agents();

      create function count_contacts() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
      declare
        changed int;
      begin
        select count(*) into changed from changed_rows;
        if changed > 0 then
          perform count_usage('contacts', '', case tg_op when 'INSERT' then changed else -changed end);
        end if;
        return null;
      end $$;
      create trigger count_contacts_in after insert on contacts
        referencing new table as changed_rows for each statement execute function count_contacts();
      create trigger count_contacts_out after delete on contacts
        referencing old table as changed_rows for each statement execute function count_contacts();

      -- A message that was sent was sent: removing it later does not give the month back.
      create function count_messages() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
      begin
        perform count_usage('messages', month_of(created_at), count(*)::int) from new_rows group by month_of(created_at);
        return null;
      end $$;
      create trigger count_messages_in after insert on messages
        referencing new table as new_rows for each statement execute function count_messages();

      create function count_integrations() returns trigger
        language plpgsql security definer set search_path = public, pg_temp as $$
      declare
        before int := 0;
        after int := 0;
      begin
        if tg_op <> 'INSERT' then select count(*) into before from old_rows where is_active; end if;
        if tg_op <> 'DELETE' then select count(*) into after from new_rows where is_active; end if;
        if after <> before then perform count_usage('integrations', '', after - before); end if;
        return null;
      end $$;
      create trigger count_integrations_in after insert on integrations
        referencing new table as new_rows for each statement execute function count_integrations();
      create trigger count_integrations_changed after update on integrations
        referencing old table as old_rows new table as new_rows for each statement execute function count_integrations();
      create trigger count_integrations_out after delete on integrations
        referencing old table as old_rows for each statement execute function count_integrations();
    `);
  }
}
