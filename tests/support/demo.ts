/** A platform as it looks after some months: for pictures, and for tests that look at charts. */
import { type Actor, eventually, provision, type Tenant } from './actors.ts';
import type { TestApp } from './app.ts';
import { serverUrl, sql } from './database.ts';

const COMPANIES: [name: string, slug: string, country: string, agents: number, contacts: number, messages: number][] = [
  ['Kopi Kita', 'kopi-kita', 'ID', 18, 7400, 41_200],
  ['Toko Maju Jaya', 'toko-maju', 'ID', 9, 2100, 9_300],
  ['Batik Nusantara', 'batik-nusantara', 'ID', 4, 940, 1_250],
  ['Rumah Sehat Clinic', 'rumah-sehat', 'SG', 24, 11_800, 28_400],
  ['Surya Travel', 'surya-travel', 'MY', 12, 4_700, 19_950],
];

/** The first is full of everything. */
export async function demoPlatform(app: TestApp, root: Actor): Promise<Tenant[]> {
  const tenants: Tenant[] = [];
  for (const [name, slug, country] of COMPANIES) {
    const limits = { max_agents: 25, max_contacts: 12_000, max_messages_month: 50_000 };
    tenants.push(await provision(root, { name, slug, country, limits, admin_email: `ayu@${slug}.example` }));
  }
  for (const [index, [, slug, , agents, contacts, messages]] of COMPANIES.entries()) {
    const [database] = await sql<{ name: string }>(
      app.databaseUrl,
      `select database_name as name from tenant_databases
        where org_id = (select id from organizations where slug = $1)`,
      [slug],
    );
    await sql(
      serverUrl(database!.name),
      `insert into usage_counters (metric, month, value)
         values ('agents', '', $1), ('contacts', '', $2), ('messages', to_char(now() at time zone 'UTC', 'YYYY-MM'), $3)
       on conflict (metric, month) do update set value = excluded.value`,
      [agents, contacts, messages],
    );
    await sql(
      app.databaseUrl,
      `insert into usage_days (org_id, day, agents, contacts, messages)
         select id, current_date - ago, greatest(1, $2 - ago / 4), greatest(1, $3 - ago * $5),
                ($4 * (extract(day from current_date - ago) / 31))::int
           from organizations, generate_series(0, 60) as ago where slug = $1
         on conflict (org_id, day) do update
           set agents = excluded.agents, contacts = excluded.contacts, messages = excluded.messages`,
      [slug, agents, contacts, messages, 20 + index * 15],
    );
  }
  await sql(
    app.databaseUrl,
    `insert into platform_usage_days (day, agents, contacts, messages)
       select day, sum(agents), sum(contacts), sum(messages) from usage_days group by day
     on conflict (day) do update
       set agents = excluded.agents, contacts = excluded.contacts, messages = excluded.messages`,
  );
  await sql(
    app.databaseUrl,
    `insert into health_samples (component, status, latency_ms, at)
       select component, case when component = 'redis' and ago between 100 and 112 then 'down' else 'up' end,
              (base + base * 0.6 * (1 + sin(ago / 9.0)) + random() * base)::int, now() - make_interval(secs => ago * 60)
         from (values ('controlPlane', 2), ('postgres', 2), ('redis', 1)) as probed (component, base),
              generate_series(1, 350) as ago`,
  );
  await eventually(
    () => root.graphql('{ tenants { nodes { usage { contactCount } } } }'),
    ({ data }) => data.tenants.nodes.every((node: { usage: { contactCount: number } }) => node.usage.contactCount > 0),
  );
  return tenants;
}
