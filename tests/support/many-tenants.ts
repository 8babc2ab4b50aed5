import { type Actor, eventually } from './actors.ts';
import { sql } from './database.ts';

export const PASSWORD = 'a tenant admin password';

/** Asks for so many tenants at once. @returns those that the gateway has said yes to, as it goes, and the end of it. */
export function provisionMany(admin: Actor, count: number, prefix = 'tenant') {
  const accepted: { id: string; slug: string }[] = [];
  const asked = Array.from({ length: count }, async (_, index) => {
    const slug = `${prefix}-${index + 1}`;
    const { status, body } = await admin.rest('POST', '/api/super-admin/tenants', {
      name: `Tenant ${index + 1}`,
      slug,
      admin_email: `admin@${slug}.test`,
      admin_password: PASSWORD,
    });
    if (status !== 201) throw new Error(`not accepted: ${JSON.stringify(body)}`);
    accepted.push({ id: body.id, slug });
  });
  return { accepted, done: Promise.all(asked) };
}

/** Waits until no tenant is being made any more. @returns how many there are. */
export async function allActive(admin: Actor, ms = 20_000): Promise<number> {
  const all = await eventually(
    async () => (await admin.rest('GET', '/api/super-admin/tenants')).body as { status: string }[],
    (tenants) => tenants.every(({ status }) => status === 'active'),
    ms,
  );
  return all.length;
}

/** A measured time, for whoever reads the tests' output. */
export const took = (what: string, ms: number): void => {
  process.stdout.write(`    measured: ${what} ${Math.round(ms)} ms\n`);
};

/** Waits for what should come at once, and says how long it took: on a busy machine a second or two are no bound. */
export async function atOnce<T>(what: string, ask: () => Promise<T>, wished: (answer: T) => boolean): Promise<void> {
  const start = performance.now();
  await eventually(ask, wished, 5000);
  took(what, performance.now() - start);
}

/** Tenants that are only rows, for lists: nothing was made for them. @param columns expressions of `n`, from 1 to `count`. */
export async function insertTenants(
  databaseUrl: string,
  count: number,
  columns: { slug: string; name?: string; status?: string; limits?: string; timezone?: string },
): Promise<void> {
  const { slug, name = slug, status = "'active'", limits = "'{}'", timezone = "'UTC'" } = columns;
  await sql(
    databaseUrl,
    `with made as (
       insert into organizations (id, name, slug, status, limits, mongo_database, created_at, updated_at)
       select gen_random_uuid(), ${name}, ${slug}, ${status}::tenant_status, ${limits}::jsonb, 'crm_' || ${slug}, now(), now()
         from generate_series(1, ${count}) n returning id)
     insert into usage (id, org_id, usage_month, timezone, updated_at)
     select gen_random_uuid(), id, date_trunc('month', now()), ${timezone}, now() from made`,
  );
}
