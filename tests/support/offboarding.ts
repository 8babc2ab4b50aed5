/** Suspended tenants that are archived, restored and removed, and what there is of them. */
import { expect } from '@jest/globals';
import type { OffboardingServices } from '../../src/domain/offboarding/runs.ts';
import { workOff } from '../../src/domain/offboarding/work.ts';
import { type Actor, eventually, provision, type Tenant } from './actors.ts';
import type { TestApp } from './app.ts';
import { sql } from './database.ts';
import { Died, mortal } from './mortal-services.ts';

/** @param app of the suite, once it has started. @param root its super admin. */
export function leaving(app: () => TestApp, root: () => Actor) {
  const path = ({ id }: { id: string }, more = '') => `/api/super-admin/tenants/${id}${more}`;
  const get = async (tenant: { id: string }) => (await root().rest('GET', path(tenant))).body;
  const run = async (tenant: { id: string }) =>
    (await root().rest('GET', path(tenant, '/offboarding'))).body.offboarding;
  const databaseOf = ({ id }: { id: string }) => app().services.servers.home.nameFor(id);

  async function suspended(): Promise<Tenant> {
    const tenant = await provision(root());
    await root().rest('DELETE', path(tenant));
    return tenant;
  }

  const isThere = async (tenant: Tenant) => {
    const [row] = await sql<{ databases: number; roles: number }>(
      app().databaseUrl,
      `select (select count(*)::int from pg_database where datname = $1) as databases,
              (select count(*)::int from pg_roles where rolname = $1) as roles`,
      [databaseOf(tenant)],
    );
    return row;
  };

  /** Lets the countdown end, by the clock that counts. */
  const endCountdown = (tenant: Tenant) =>
    sql(app().databaseUrl, `update organizations set purge_at = now() where id = $1`, [tenant.id]);

  const gone = (tenant: Tenant) =>
    eventually(
      () => root().rest('GET', path(tenant)),
      ({ status }) => status === 404,
      20_000,
    );

  /** Removes a suspended one for good, by a countdown that is over. */
  async function purged(tenant: Tenant): Promise<void> {
    const { status } = await root().rest('POST', path(tenant, '/purge'), { slug: tenant.slug, after_minutes: 5 });
    expect(status).toBe(200);
    await endCountdown(tenant);
    await gone(tenant);
  }

  /** Tables of the control plane, and how many rows of each are the tenant's. */
  async function traces({ id }: Tenant): Promise<Record<string, number>> {
    const tables = await sql<{ name: string }>(
      app().databaseUrl,
      `select relname::text as name from pg_class c where relkind = 'r' and relnamespace = 'public'::regnamespace
        and (relname = 'organizations' or exists (select from pg_attribute where attrelid = c.oid and attname = 'org_id'))`,
    );
    const found: Record<string, number> = {};
    for (const { name } of tables) {
      const column = name === 'organizations' ? 'id' : 'org_id';
      const [row] = await sql<{ n: number }>(
        app().databaseUrl,
        `select count(*)::int as n from "${name}" where "${column}" = $1`,
        [id],
      );
      if (row!.n > 0) found[name] = row!.n;
    }
    return found;
  }

  /** Begins a run that no gateway takes up. */
  const begin = (tenant: Tenant, kind: 'archive' | 'purge' | 'restore') =>
    sql(
      app().databaseUrl,
      `insert into offboarding_runs as run (org_id, kind, created_at) values ($1, $2, now())
         on conflict (org_id) do update set kind = $2, state = 'queued', step = null, attempt = run.attempt + 1, error = null,
         created_at = now()`,
      [tenant.id, kind],
    );

  const attempt = (services: OffboardingServices, tenant: Tenant, tries: number) =>
    workOff(services, tenant.id, tries, new AbortController().signal);

  /** Begins such a run, and lets one worker after another die at its next effect, until one comes through. */
  async function expectDeathsToEnd(
    on: TestApp,
    tenant: Tenant,
    kind: 'archive' | 'purge' | 'restore',
    meanwhile: () => Promise<void> = async () => {},
  ): Promise<void> {
    await begin(tenant, kind);
    if (kind === 'purge') await endCountdown(tenant);
    let deaths = 0;
    for (let lives = 0; ; lives += 1) {
      for (const late of [false, true]) {
        const worker = mortal(on.services, lives, late);
        const ended = await attempt(worker.services, tenant, 1).catch((error: unknown) => error);
        if (worker.count.effects <= lives) {
          expect(ended).toBeUndefined();
          expect(deaths).toBeGreaterThan(5);
          return;
        }
        expect(ended).toBeInstanceOf(Died);
        deaths += 1;
        await meanwhile();
      }
    }
  }

  async function archived(tenant: Tenant): Promise<void> {
    expect((await root().rest('POST', path(tenant, '/archive'))).status).toBe(200);
    await eventually(
      () => get(tenant),
      ({ archived_at }) => !!archived_at,
      20_000,
    );
  }

  return {
    path,
    get,
    run,
    databaseOf,
    suspended,
    isThere,
    endCountdown,
    gone,
    purged,
    traces,
    begin,
    attempt,
    expectDeathsToEnd,
    archived,
  };
}
