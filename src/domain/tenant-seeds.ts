/** What every new tenant's database starts with (contract sections 3 and 6). */
import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { TenantLimits } from '../entities/control/organization.ts';
import { SYSTEM_ROLES } from './permissions.ts';

/** Writes the seeds that are missing; doing it again changes nothing that a person has changed since. */
export async function seedTenant(client: pg.ClientBase, timezone: string): Promise<void> {
  await client.query('begin');
  // Two that find no working hours would both write them: nothing about them is unique. One waits for the other.
  await client.query('lock table working_hours in share row exclusive mode');
  await client.query(
    `insert into roles (id, name, is_system, permissions, created_at, updated_at)
       select id, name, true, string_to_array(permissions, ','), now(), now()
         from unnest($1::uuid[], $2::text[], $3::text[]) as role (id, name, permissions)
       on conflict do nothing`,
    [
      Object.keys(SYSTEM_ROLES).map(() => uuidv7()),
      Object.keys(SYSTEM_ROLES),
      Object.values(SYSTEM_ROLES).map((permissions) => permissions.join()),
    ],
  );
  await client.query(
    `insert into working_hours (id, day_of_week, start_time, end_time, is_active, created_at, updated_at)
       select id, day, '08:00', '17:00', day between 1 and 5, now(), now()
         from unnest($1::uuid[], array[0, 1, 2, 3, 4, 5, 6]) as entry (id, day)
        where not exists (select from working_hours)`,
    [Array.from({ length: 7 }, () => uuidv7())],
  );
  await client.query(
    `insert into settings (key, value, updated_at) values ('timezone', $1, now()) on conflict (key) do nothing`,
    [timezone],
  );
  await client.query('select record_schedule(null)');
  await client.query('commit');
}

/** Makes an agent of each account, with the role of the admin; doing it again changes nothing. */
export async function seedAdmins(client: pg.ClientBase, accounts: { id: string; email: string }[]): Promise<void> {
  await client.query(
    `insert into agents (id, email, full_name, role_id, created_at, updated_at)
       select account.id, account.email, 'Admin', roles.id, now(), now()
         from unnest($1::uuid[], $2::text[]) as account (id, email), roles where roles.name = 'admin'
       on conflict (id) do nothing`,
    [accounts.map(({ id }) => id), accounts.map(({ email }) => email)],
  );
}

/** Makes the tenant's limits those of the control plane. */
export async function writeLimits(client: pg.ClientBase, limits: TenantLimits): Promise<void> {
  const wanted = Object.entries({
    agents: limits.maxAgents,
    contacts: limits.maxContacts,
    messages: limits.maxMessagesMonth,
  }).filter(([, value]) => value !== undefined);
  const metrics = wanted.map(([metric]) => metric);
  await client.query(
    `with gone as (delete from usage_limits where metric <> all ($1::text[]))
     insert into usage_limits (metric, value) select * from unnest($1::text[], $2::int[])
       on conflict (metric) do update set value = excluded.value`,
    [metrics, wanted.map(([, value]) => value)],
  );
}
