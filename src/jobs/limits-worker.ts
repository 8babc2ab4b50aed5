/** Brings a change of limits to the tenant's own database, where they are enforced. */
import { LockMode } from '@mikro-orm/postgresql';
import type { Services } from '../context.ts';
import { writeLimits } from '../domain/tenant-seeds.ts';
import { Organization } from '../entities/control/organization.ts';

export function startLimitsWorker(services: Services): Promise<void> {
  return services.queue.work('tenant.apply-limits', 2, ({ data: { orgId } }) => applyLimits(services, orgId));
}

async function applyLimits({ control, servers }: Services, orgId: string): Promise<void> {
  // Holding the row keeps two of these from overtaking each other: the last to run writes the newest limits.
  await control.orm.em.fork().transactional(async (em) => {
    const org = await em.findOne(Organization, orgId, { lockMode: LockMode.PESSIMISTIC_WRITE });
    // Before the tenant has tables there is nothing to do: its seeds will bring the limits of that moment, as a restore from
    // its archive does.
    if (!org || org.schemaVersion === 0 || org.archivedAt) return;
    const server = await servers.of(orgId);
    await server.asOwner(server.nameFor(orgId), (client) => writeLimits(client, org.limits));
  });
}
