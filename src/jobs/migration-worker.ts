/**
 * Brings the databases of tenants that were made by an older version up to date, while the gateway serves. Meanwhile a
 * request that needs what a database lacks is told to come again (db/tenants.ts).
 */
import { LockMode } from '@mikro-orm/postgresql';
import type { Services } from '../context.ts';
import { TENANT_SCHEMA_VERSION } from '../db/migrations/tenant/index.ts';
import type { RunningJob } from '../db/queue.ts';
import { audit, bySystem } from '../domain/audit.ts';
import { tellOfTenant } from '../domain/tenant-events.ts';
import { Organization } from '../entities/control/organization.ts';
import { UNFINISHED_MOVE } from '../entities/control/tenant-move.ts';
import { TenantChange } from '../live/event-log.ts';
import { every } from './timers.ts';

/** Tenants that one process brings up to date at the same time, beside its requests. */
const CONCURRENCY = 2;
const LOOK_AGAIN_MS = 60_000;

/** A tenant without a schema yet gets the newest by its provisioning, and one of a newer version is left alone. */
const BEHIND = { schemaVersion: { $gt: 0, $lt: TENANT_SCHEMA_VERSION } };

/** Sends a job for each tenant that is behind and has none. The start does this, and waits for none of them. */
export async function queueMigrations({ control, queue, log }: Pick<Services, 'control' | 'queue' | 'log'>) {
  const count = await control.orm.em.fork().transactional(async (em) => {
    const behind = await em.find(Organization, BEHIND, { fields: ['id'], orderBy: { id: 'asc' } });
    await queue.sendMigrations(
      em,
      behind.map(({ id }) => id),
    );
    // Whoever starts a gateway may just have removed what an earlier attempt failed of.
    if (behind.length > 0) await queue.retryMigrations(em);
    return behind.length;
  });
  if (count > 0)
    log.info({ tenants: count }, `${count} tenants to be brought to schema version ${TENANT_SCHEMA_VERSION}`);
}

/** @returns what ends the looking for further tenants; jobs end with the queue. */
export async function startMigrationWorker(services: Services): Promise<() => Promise<void>> {
  await services.queue.work('tenant.migrate', CONCURRENCY, (job) => work(services, job));
  // A gateway of the older version may still run beside this one, and make tenants.
  return every(LOOK_AGAIN_MS, () => queueMigrations(services), services.log);
}

async function work(services: Services, { data: { orgId }, retryCount }: RunningJob<'tenant.migrate'>): Promise<void> {
  const { control, log } = services;
  try {
    const slug = await migrate(services, orgId);
    if (!slug) return;
    log.info({ orgId }, `tenant ${slug} is at schema version ${TENANT_SCHEMA_VERSION}`);
    const left = await control.orm.em.fork().count(Organization, BEHIND);
    if (left === 0) log.info(`all tenants are at schema version ${TENANT_SCHEMA_VERSION}`);
  } catch (error) {
    log.warn(
      { orgId, attempt: retryCount + 1, err: error },
      `a tenant could not be brought to schema version ${TENANT_SCHEMA_VERSION}; it will be tried again`,
    );
    throw error;
  }
}

/** May be cut off anywhere: migrating again applies what is lacking, and grants anew what may not have been granted yet. */
async function migrate({ control, servers }: Services, orgId: string): Promise<string | undefined> {
  const server = await servers.find(orgId);
  if (!server) return undefined;
  const name = server.nameFor(orgId);
  // The queue lets one work on a tenant, but one that was thought dead may come back; the database is not dropped meanwhile.
  return server.alone(name, async () => {
    // Changes of tables do not follow to where it is being moved; it is looked at again when that has ended.
    const { rowCount } = await control.pool.query(
      `select from organizations where id = $1
          and not exists (select from tenant_moves where org_id = $1 and ${UNFINISHED_MOVE})`,
      [orgId],
    );
    return record(control, orgId, rowCount ? await server.migrate(name) : 0);
  });
}

/** @returns the tenant's slug, or nothing where there was nothing to do. */
function record(control: Services['control'], orgId: string, version: number): Promise<string | undefined> {
  return control.orm.em.fork().transactional(async (em) => {
    const org = await em.findOne(Organization, orgId, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!org || org.schemaVersion >= version) return undefined;
    audit(em, bySystem, {
      action: 'tenant.migrate',
      orgId,
      target: { type: 'tenant', id: orgId },
      before: { schema_version: org.schemaVersion },
      after: { schema_version: version },
    });
    org.schemaVersion = version;
    await tellOfTenant(em, TenantChange.UPDATED, org);
    return org.slug;
  });
}
