/** Removes a tenant for good: everything that is its own, and at last itself, which frees its slug. The log of it stays. */
import { query } from '../../db/control.ts';
import { Organization } from '../../entities/control/organization.ts';
import type { Place } from '../../entities/control/tenant-export.ts';
import { publish, TenantChange } from '../../live/event-log.ts';
import { audit, bySystem } from '../audit.ts';
import { noteLeft } from '../left-databases.ts';
import { unmake } from '../provisioning-steps.ts';
import { tellOfTenant } from '../tenant-events.ts';
import { type Claimed, type OffboardingServices, refuseUnheld, tellStep, whileHeld } from './runs.ts';

interface KeptOf {
  place: Place;
  names: (string | null)[];
}

const keptOf = query<KeptOf>(
  'kept_of',
  `select place, array[name] as names from tenant_archives where org_id = $1
   union all select place, array[data->>'name', files->>'name'] from tenant_exports where org_id = $1 and place is not null`,
);

/** @throws {FencedOff}; what it failed of. */
export async function purgeTenantNow(services: OffboardingServices, run: Claimed): Promise<void> {
  const { control, kept } = services;
  const { orgId, requestedBy } = run;
  await tellStep(control, run, 'databases');
  const fence = () => refuseUnheld(control, run);
  const left = await unmake({ services, orgId, fence });
  await tellStep(control, run, 'files');
  const { rows } = await control.pool.query<KeptOf>({ ...keptOf, values: [orgId] });
  for (const { place, names } of rows) {
    for (const name of names) if (name) await kept.remove(place, name);
  }
  await whileHeld(control, run, async (em) => {
    const org = await em.findOneOrFail(Organization, orgId);
    const { name, slug, purgeAt } = org;
    const after = await noteLeft(em, org, left);
    audit(em, bySystem, {
      action: 'tenant.purge',
      orgId,
      target: { type: 'tenant', id: orgId },
      before: { name, slug, purgeAt, requestedBy },
      after,
    });
    await em.flush();
    await em.nativeDelete(Organization, orgId);
    await publish(em, 'access', { tenantId: orgId });
    await publish(em, 'api_key', { tenantId: orgId });
    await tellOfTenant(em, TenantChange.REMOVED, org);
  });
}
