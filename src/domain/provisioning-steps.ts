/**
 * The steps that make a tenant, in their order. Each may be repeated after a crash at any point of it: what is there is
 * adopted. A step's `record` is written in the transaction that marks the step done.
 */
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { describeFailure } from '../components/describe-failure.ts';
import type { TenantRef } from '../components/tenant-store.ts';
import type { Services } from '../context.ts';
import { randomPassword } from '../db/secrets.ts';
import { Identity } from '../entities/control/identity.ts';
import { Organization, TenantStatus } from '../entities/control/organization.ts';
import { TenantDatabase } from '../entities/control/tenant-database.ts';
import { Usage } from '../entities/control/usage.ts';
import { TenantChange } from '../live/event-log.ts';
import { audit, bySystem } from './audit.ts';
import { tellOfTenant } from './tenant-events.ts';
import { seedAdmins, seedTenant, writeLimits } from './tenant-seeds.ts';

export interface StepContext {
  services: Services;
  orgId: string;
}

/** What a step leaves to be written together with its being done. */
type Recorder = (em: EntityManager) => Promise<void>;

export interface StepDefinition {
  name: string;
  run(context: StepContext): Promise<Recorder | undefined>;
}

/** A failure that was foreseen, told in a sentence for the operator. */
export class StepFailure extends Error {}

const storeRef = (org: Organization): TenantRef => ({
  mongoDatabase: org.mongoDatabase,
  storeName: `t-${org.id.replaceAll('-', '')}`,
});

const organization = ({ services, orgId }: StepContext) =>
  services.control.orm.em.fork().findOneOrFail(Organization, orgId);

const login = ({ services, orgId }: StepContext) =>
  services.control.orm.em.fork().findOneOrFail(TenantDatabase, { orgId });

export const PROVISIONING_STEPS: readonly StepDefinition[] = [
  {
    name: 'reserve_names',
    async run({ services, orgId }) {
      const name = services.cluster.nameFor(orgId);
      return async (em) => {
        await em.upsert(
          TenantDatabase,
          {
            orgId,
            databaseName: name,
            roleName: name,
            sealedPassword: services.keys.seal(randomPassword()),
            createdAt: new Date(),
          },
          { onConflictAction: 'ignore' },
        );
      };
    },
  },
  {
    name: 'create_database',
    async run(context) {
      const { cluster, keys } = context.services;
      const { databaseName, roleName, sealedPassword } = await login(context);
      await cluster.createRole(roleName, keys.open(sealedPassword));
      await cluster.createDatabase(databaseName);
      return undefined;
    },
  },
  {
    name: 'apply_schema',
    async run(context) {
      const { databaseName } = await login(context);
      const version = await context.services.cluster.bringUpToDate(databaseName);
      return async (em) => {
        await em.nativeUpdate(Organization, context.orgId, { schemaVersion: version });
      };
    },
  },
  {
    name: 'seed_defaults',
    async run(context) {
      const { cluster, config, control } = context.services;
      const { databaseName } = await login(context);
      // Holding the row: a change of limits comes before, or after, and then its own job writes it (jobs/limits-worker).
      await control.orm.em.fork().transactional(async (em) => {
        const { limits } = await em.findOneOrFail(Organization, context.orgId, {
          lockMode: LockMode.PESSIMISTIC_WRITE,
        });
        await cluster.asOwner(databaseName, async (client) => {
          await seedTenant(client, config.defaultTimezone);
          await writeLimits(client, limits);
        });
      });
      return undefined;
    },
  },
  {
    name: 'create_stores',
    async run(context) {
      const org = await organization(context);
      for (const store of context.services.components.stores) {
        await store.create(storeRef(org)).catch((error: unknown) => {
          throw new StepFailure(`The ${store.label} could not be made: ${describeFailure(error)}.`, { cause: error });
        });
      }
      return undefined;
    },
  },
  {
    name: 'create_admin',
    async run({ services, orgId }) {
      // Identities of a tenant that is not active yet are its first admin's: nobody else can have been invited.
      const admins = await services.control.orm.em.fork().find(Identity, { orgId });
      if (admins.length === 0) return undefined;
      const { databaseName } = await login({ services, orgId });
      // As the owner: a tenant with max_agents 0 still gets its first admin, without whom nobody could come in at all.
      await services.cluster.asOwner(databaseName, (client) => seedAdmins(client, admins));
      // The gatherer would bring this within seconds; a tenant that has just become active already says it.
      return async (em) => {
        await em.nativeUpdate(Usage, { orgId }, { agentCount: admins.length });
      };
    },
  },
  {
    name: 'activate',
    async run({ orgId }) {
      return async (em) => {
        const org = await em.findOneOrFail(Organization, orgId);
        org.status = TenantStatus.ACTIVE;
        audit(em, bySystem, {
          action: 'tenant.activate',
          orgId,
          target: { type: 'tenant', id: orgId },
          before: { status: TenantStatus.PROVISIONING },
          after: { status: TenantStatus.ACTIVE },
        });
        await tellOfTenant(em, TenantChange.ACTIVATED, org);
      };
    },
  },
];

/** Removes whatever the steps made, however far they came. */
export async function unmake(context: StepContext): Promise<void> {
  const { services, orgId } = context;
  const org = await organization(context);
  for (const store of services.components.stores) {
    await store.drop(storeRef(org)).catch((error: unknown) => {
      throw new StepFailure(`The ${store.label} could not be removed: ${describeFailure(error)}.`, { cause: error });
    });
  }
  services.tenants.forget(orgId);
  await services.cluster.drop(services.cluster.nameFor(orgId));
}
