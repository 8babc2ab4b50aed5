/** What every new tenant's database starts with (contract sections 3 and 6). */
import { createHash } from 'node:crypto';
import pg from 'pg';
import { newId } from '../clock.ts';
import type { WarmSeeds } from '../db/warm-databases.ts';
import type { TenantLimits } from '../entities/control/organization.ts';
import { SYSTEM_ROLES } from './permissions.ts';

/** Writes the seeds, unless they are there; doing it again changes nothing that a person has changed since. */
export async function seedTenant(client: pg.ClientBase, timezone: string): Promise<void> {
  const { rows } = await client.query<{ seeded: boolean }>(
    'select exists (select from schedule_versions where division_id is null) as seeded',
  );
  if (!rows[0]?.seeded) await client.query(seedsText(timezone, newId));
}

/** The seeds of a database that is prepared before its tenant is known: all but the limits and the admin. */
export function warmSeeds(timezone: string): WarmSeeds {
  return {
    digest: createHash('sha256')
      .update(seedsText(timezone, () => ''))
      .digest('hex')
      .slice(0, 8),
    async write(client) {
      await client.query(seedsText(timezone, newId));
    },
  };
}

/** One text is one transaction and one round trip; its last statement writes what says that the seeds are there. */
function seedsText(timezone: string, newId: () => string): string {
  const roles = Object.entries(SYSTEM_ROLES).map(
    ([name, permissions]) => `(${[newId(), name, permissions.join()].map(pg.escapeLiteral)})`,
  );
  const days = Array.from({ length: 7 }, (_, day) => `('${newId()}', ${day})`);
  return `
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
    select record_schedule(null)`;
}

/** What an admin is called who was not given a name. */
export const ADMIN_NAME = 'Admin';

/** Makes an agent of each account, with the role of the admin; doing it again changes nothing. */
export async function seedAdmins(client: pg.ClientBase, accounts: { id: string; email: string }[]): Promise<void> {
  await client.query(
    `insert into agents (id, email, full_name, role_id, created_at, updated_at)
       select account.id, account.email, $3, roles.id, now(), now()
         from unnest($1::uuid[], $2::text[]) as account (id, email), roles where roles.name = 'admin'
       on conflict (id) do nothing`,
    [accounts.map(({ id }) => id), accounts.map(({ email }) => email), ADMIN_NAME],
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
