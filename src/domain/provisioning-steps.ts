/**
 * The steps that make a tenant, in their order. Each may be repeated after a crash at any point of it: what is there is
 * adopted.
 */
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { nowDate } from '../clock.ts';
import { describeFailure } from '../components/describe-failure.ts';
import type { TenantRef } from '../components/tenant-store.ts';
import type { Services } from '../context.ts';
import { TENANT_SCHEMA_VERSION } from '../db/migrations/tenant/index.ts';
import { randomPassword } from '../db/secrets.ts';
import { Identity } from '../entities/control/identity.ts';
import { Organization, TenantStatus } from '../entities/control/organization.ts';
import { TenantDatabase } from '../entities/control/tenant-database.ts';
import { Usage } from '../entities/control/usage.ts';
import { TenantChange } from '../live/event-log.ts';
import { audit, bySystem } from './audit.ts';
import { StepFailure } from './durable-run.ts';
import { dropDatabases, type NotThere } from './left-databases.ts';
import { placeTenant } from './placement.ts';
import { tellOfTenant } from './tenant-events.ts';
import { seedAdmins, seedTenant, writeLimits } from './tenant-seeds.ts';
import { markAsGathered } from './written-to.ts';

/** What a worker knows of a run while it is at it. */
export interface StepContext {
  services: Services;
  orgId: string;
  /** What goes last in the transaction that is under way: it keeps other writers of events waiting until the commit. */
  toTell: (() => Promise<void>)[];
  /** Whether this attempt has taken a prepared database: its tables are of this version, and its seeds are in it. */
  isWarm?: boolean;
}

/** What a step leaves to be written together with its being done. */
export type Recorder = (em: EntityManager) => Promise<void>;

/** What a step does outside of the control database. */
export type Outside = () => Promise<Recorder | undefined>;

export interface StepDefinition {
  name: string;
  /**
   * In the transaction that starts the step: reads what the step needs, and does what the control database alone needs.
   *
   * @returns what is left to do outside of it. Nothing: the step ends in that very transaction.
   */
  begin(em: EntityManager, context: StepContext): Promise<Outside | undefined>;
}

/** What its share of the components is called. */
export const storeRef = (org: Pick<Organization, 'id' | 'mongoDatabase'>): TenantRef => ({
  mongoDatabase: org.mongoDatabase,
  storeName: `t-${org.id.replaceAll('-', '')}`,
});

const login = (em: EntityManager, orgId: string) => em.findOneOrFail(TenantDatabase, { orgId });

async function placeOf(em: EntityManager, { servers }: Services, orgId: string) {
  const { serverId, databaseName } = await login(em, orgId);
  return { server: await servers.byId(serverId), databaseName };
}

export const PROVISIONING_STEPS: readonly StepDefinition[] = [
  {
    name: 'reserve_names',
    async begin(em, { services, orgId }) {
      if ((await em.count(TenantDatabase, { orgId })) > 0) return undefined;
      const server = await placeTenant(em, services.servers, orgId);
      const name = server.nameFor(orgId);
      await em.insert(TenantDatabase, {
        orgId,
        serverId: server.id,
        databaseName: name,
        roleName: name,
        sealedPassword: services.keys.seal(randomPassword()),
        createdAt: nowDate(),
      });
      return undefined;
    },
  },
  {
    name: 'create_database',
    async begin(em, context) {
      const { servers, warmOn, keys } = context.services;
      const { serverId, databaseName, roleName, sealedPassword } = await login(em, context.orgId);
      const server = await servers.byId(serverId);
      const password = keys.open(sealedPassword);
      const warm = warmOn(server);
      context.isWarm = server.isHome && (await warm.take(em, databaseName, password));
      if (context.isWarm) return undefined;
      return async () => {
        context.isWarm = !server.isHome && (await warm.takeElsewhere(databaseName, password));
        if (context.isWarm) return undefined;
        await server.createRole(roleName, password);
        await server.createDatabase(databaseName);
        return undefined;
      };
    },
  },
  {
    name: 'apply_schema',
    async begin(em, { services, orgId, isWarm }) {
      const record = (schemaVersion: number) => async (em: EntityManager) => {
        await em.nativeUpdate(Organization, orgId, { schemaVersion });
      };
      // Only those of this very version are taken.
      if (isWarm) {
        await record(TENANT_SCHEMA_VERSION)(em);
        return undefined;
      }
      const { server, databaseName } = await placeOf(em, services, orgId);
      return async () => record(await server.bringUpToDate(databaseName));
    },
  },
  {
    name: 'seed_defaults',
    async begin(em, { services, orgId, isWarm }) {
      // Holding the row: a change of limits comes before, or after, and then its own job writes it (jobs/limits-worker).
      const limitsOf = async (em: EntityManager) =>
        (await em.findOneOrFail(Organization, orgId, { lockMode: LockMode.PESSIMISTIC_WRITE })).limits;
      if (isWarm && Object.keys(await limitsOf(em)).length === 0) return undefined;
      const { server, databaseName } = await placeOf(em, services, orgId);
      return async () => {
        await server.asOwner(databaseName, (client) => seedTenant(client, services.config.defaultTimezone));
        return async (em) => {
          const limits = await limitsOf(em);
          // Where a change took them away, its job does as well.
          if (Object.keys(limits).length === 0) return;
          await server.asOwner(databaseName, (client) => writeLimits(client, limits));
        };
      };
    },
  },
  {
    name: 'create_stores',
    async begin(em, { services: { components }, orgId }) {
      if (components.stores.length === 0) return undefined;
      const org = await em.findOneOrFail(Organization, orgId);
      return async () => {
        for (const store of components.stores) {
          await store.create(storeRef(org)).catch((error: unknown) => {
            throw new StepFailure(`The ${store.label} could not be made: ${describeFailure(error)}.`, { cause: error });
          });
        }
        return undefined;
      };
    },
  },
  {
    name: 'create_admin',
    async begin(em, { services, orgId }) {
      // Identities of a tenant that is not active yet are its first admin's: nobody else can have been invited.
      const admins = await em.find(Identity, { orgId });
      if (admins.length === 0) return undefined;
      const { server, databaseName } = await placeOf(em, services, orgId);
      return async () => {
        // As the owner: a tenant with max_agents 0 still gets its first admin, without whom nobody could come in at all.
        await server.asOwner(databaseName, (client) => seedAdmins(client, admins));
        // The gatherer would bring this within seconds; a tenant that has just become active already says it.
        return async (em) => {
          await em.nativeUpdate(Usage, { orgId }, { agentCount: admins.length });
        };
      };
    },
  },
  {
    name: 'activate',
    async begin(em, { services, orgId, toTell }) {
      const org = await em.findOneOrFail(Organization, orgId);
      org.status = TenantStatus.ACTIVE;
      audit(em, bySystem, {
        action: 'tenant.activate',
        orgId,
        target: { type: 'tenant', id: orgId },
        before: { status: TenantStatus.PROVISIONING },
        after: { status: TenantStatus.ACTIVE },
      });
      await markAsGathered(em, orgId, services.config.defaultTimezone);
      toTell.push(() => tellOfTenant(em, TenantChange.ACTIVATED, org));
      return undefined;
    },
  },
];

/**
 * Removes whatever the steps made, however far they came.
 *
 * @returns the database servers that did not answer: what they have is noted with the tenant's removal (left-databases.ts).
 */
export async function unmake({
  services,
  orgId,
  fence,
}: {
  services: Pick<Services, 'components' | 'control' | 'servers' | 'tenants'>;
  orgId: string;
  /**
   * Asked before anything goes. Throws where that is not to go: a tenant that was made since may have the slug, by which stores are named;
   * and one that was restored since may be in the place of the database.
   */
  fence: () => Promise<void>;
}): Promise<NotThere[]> {
  const org = await services.control.orm.em.fork().findOneOrFail(Organization, orgId);
  for (const store of services.components.stores) {
    await fence();
    await store.drop(storeRef(org)).catch((error: unknown) => {
      throw new StepFailure(`The ${store.label} could not be removed: ${describeFailure(error)}.`, { cause: error });
    });
  }
  services.tenants.forget(orgId);
  return dropDatabases(services, orgId, fence);
}
