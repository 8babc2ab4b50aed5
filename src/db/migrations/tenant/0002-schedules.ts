import { Migration } from '@mikro-orm/migrations';

/** Divisions, exceptions to the week, the history of schedules, and the log of who changed what. */
export class Tenant0002Schedules extends Migration {
  override up(): void {
    this.addSql(/* sql */ `
      create table "activity_log" (
        "id" uuid not null,
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

      create table "divisions" (
        "id" uuid not null,
        "name" text not null,
        "description" text null,
        "timezone" text null,
        "created_at" timestamptz(3) not null,
        "updated_at" timestamptz(3) not null,
        primary key ("id")
      );
      create unique index "divisions_name_key" on "divisions" (lower("name"));

      create table "division_agents" (
        "division_id" uuid not null,
        "agent_id" uuid not null,
        "created_at" timestamptz(3) not null,
        primary key ("division_id", "agent_id")
      );
      create index "division_agents_agent_id_index" on "division_agents" ("agent_id");
      alter table "division_agents" add constraint "division_agents_division_id_foreign"
        foreign key ("division_id") references "divisions" ("id") on delete cascade;
      alter table "division_agents" add constraint "division_agents_agent_id_foreign"
        foreign key ("agent_id") references "agents" ("id") on delete cascade;

      -- Nothing could make a division before: what names one names nothing.
      delete from "working_hours" where "division_id" is not null;
      create index "working_hours_division_id_index" on "working_hours" ("division_id");
      alter table "working_hours" add constraint "working_hours_division_id_foreign"
        foreign key ("division_id") references "divisions" ("id") on delete cascade;

      create table "working_hours_exceptions" (
        "id" uuid not null,
        "division_id" uuid null,
        "name" text not null,
        "start_date" date not null,
        "end_date" date not null,
        "yearly" boolean not null default false,
        "hours" jsonb not null default '[]',
        "created_at" timestamptz(3) not null,
        "updated_at" timestamptz(3) not null,
        primary key ("id")
      );
      create index "working_hours_exceptions_division_id_index" on "working_hours_exceptions" ("division_id");
      alter table "working_hours_exceptions" add constraint "working_hours_exceptions_division_id_foreign"
        foreign key ("division_id") references "divisions" ("id") on delete cascade;

      create table "exception_opt_outs" (
        "exception_id" uuid not null,
        "division_id" uuid not null,
        primary key ("exception_id", "division_id")
      );
      create index "exception_opt_outs_division_id_index" on "exception_opt_outs" ("division_id");
      alter table "exception_opt_outs" add constraint "exception_opt_outs_exception_id_foreign"
        foreign key ("exception_id") references "working_hours_exceptions" ("id") on delete cascade;
      alter table "exception_opt_outs" add constraint "exception_opt_outs_division_id_foreign"
        foreign key ("division_id") references "divisions" ("id") on delete cascade;

      create table "schedule_versions" (
        "seq" bigserial primary key,
        "division_id" uuid null,
        "valid_from" timestamptz(3) not null,
        "schedule" jsonb null
      );
      create index "schedule_versions_division_id_seq_index" on "schedule_versions" ("division_id", "seq");

      create function hours_of(scope uuid) returns jsonb language sql stable set search_path = public, pg_temp as $$
        select jsonb_agg(jsonb_build_object('dayOfWeek', day_of_week, 'startTime', start_time::text,
                                            'endTime', end_time::text, 'isActive', is_active)
                         order by day_of_week, start_time)
          from working_hours where division_id is not distinct from scope
      $$;

      create function exceptions_of(scope uuid) returns jsonb language sql stable set search_path = public, pg_temp as $$
        select coalesce(jsonb_agg(jsonb_build_object(
                 'id', id, 'name', name, 'startDate', start_date::text, 'endDate', end_date::text, 'yearly', yearly,
                 'hours', hours,
                 'optedOut', (select coalesce(jsonb_agg(o.division_id), '[]') from exception_opt_outs o
                               where o.exception_id = e.id))
                 order by start_date, id), '[]')
          from working_hours_exceptions e where division_id is not distinct from scope
      $$;

      -- Keeps what the hours of the organization (null) or of one division are from now on. To be called after a change, in
      -- its transaction and under its lock (domain/schedule-edits.ts); whatever is the same as before is not kept twice.
      create function record_schedule(scope uuid) returns void
        language plpgsql security definer set search_path = public, pg_temp as $$
      declare
        present jsonb;
        former schedule_versions;
      begin
        if scope is null then
          present := jsonb_build_object(
            'timezone', coalesce((select value from settings where key = 'timezone'), 'UTC'),
            'weekly', coalesce(hours_of(null), '[]'),
            'exceptions', exceptions_of(null));
        else
          select jsonb_build_object('name', name, 'timezone', timezone, 'weekly', hours_of(scope),
                                    'exceptions', exceptions_of(scope))
            into present from divisions where id = scope;
        end if;
        select * into former from schedule_versions
          where division_id is not distinct from scope order by seq desc limit 1;
        if former.seq is null or former.schedule is distinct from present then
          insert into schedule_versions (division_id, valid_from, schedule)
            values (scope, date_trunc('milliseconds', clock_timestamp()), present);
          perform pg_stat_force_next_flush();
        end if;
      end $$;

      -- A database that is being brought up to date has its hours already; a new one gets them with its seeds.
      select record_schedule(null) where exists (select from settings where key = 'timezone');
    `);
  }
}
