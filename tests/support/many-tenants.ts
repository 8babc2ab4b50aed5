import { type Actor, eventually } from './actors.ts';

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
