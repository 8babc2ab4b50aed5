/** What every new tenant's database starts with (contract sections 3 and 6). */
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { TenantLimits } from '../entities/control/organization.ts';
import { SYSTEM_ROLES } from './permissions.ts';

/**
 * Writes the seeds that are missing, and the limits; doing it again changes nothing that a person has changed since. All in
 * one text, which is one transaction and one round trip.
 */
export async function seedTenant(client: pg.ClientBase, timezone: string, limits: TenantLimits): Promise<void> {
  const roles = Object.entries(SYSTEM_ROLES).map(
    ([name, permissions]) => `(${[uuidv7(), name, permissions.join()].map(pg.escapeLiteral)})`,
  );
  const days = Array.from({ length: 7 }, (_, day) => `('${uuidv7()}', ${day})`);
  await client.query(`
    -- Two that find no working hours would both write them: nothing about them is unique. One waits for the other.
    lock table working_hours in share row exclusive mode;
    insert into roles (id, name, is_system, permissions, created_at, updated_at)
      select id::uuid, name, true, string_to_array(permissions, ','), now(), now()
        from (values ${roles}) as role (id, name, permissions)
      on conflict do nothing;
    insert into working_hours (id, day_of_week, start_time, end_time, is_active, created_at, updated_at)
      select id::uuid, day, '08:00', '17:00', day between 1 and 5, now(), now()
        from (values ${days}) as entry (id, day)
       where not exists (select from working_hours);
    insert into settings (key, value, updated_at) values ('timezone', ${pg.escapeLiteral(timezone)}, now())
      on conflict (key) do nothing;
    select record_schedule(null);
    ${limitsText(limits)}`);
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
  await client.query(limitsText(limits));
}

function limitsText(limits: TenantLimits): string {
  const wanted = Object.entries({
    agents: limits.maxAgents,
    contacts: limits.maxContacts,
    messages: limits.maxMessagesMonth,
  }).filter(([, value]) => value !== undefined);
  const metrics = wanted.map(([metric]) => `'${metric}'`);
  const rows = wanted.map(([metric, value]) => `('${metric}', ${Number(value)})`);
  const write = `insert into usage_limits (metric, value) values ${rows} on conflict (metric) do update set value = excluded.value;`;
  return `delete from usage_limits where metric <> all (array[${metrics}]::text[]); ${rows.length > 0 ? write : ''}`;
}
