/** The one schema that serves both surfaces. */
import 'reflect-metadata';
import type { GraphQLSchema } from 'graphql';
import { buildSchema, getMetadataStorage, type PubSub } from 'type-graphql';
import type { Context } from '../context.ts';
import { ActivityLogsResolver } from '../resolvers/activity-logs.resolver.ts';
import { AgentsResolver } from '../resolvers/agents.resolver.ts';
import { ApiKeysResolver } from '../resolvers/api-keys.resolver.ts';
import { AuditLogResolver } from '../resolvers/audit-log.resolver.ts';
import { DatabaseServersResolver } from '../resolvers/database-servers.resolver.ts';
import { DivisionsResolver } from '../resolvers/divisions.resolver.ts';
import { ExceptionsResolver } from '../resolvers/exceptions.resolver.ts';
import { ExportsResolver } from '../resolvers/exports.resolver.ts';
import { HealthResolver } from '../resolvers/health.resolver.ts';
import { HoursCalendarResolver } from '../resolvers/hours-calendar.resolver.ts';
import { HoursEventsResolver } from '../resolvers/hours-events.resolver.ts';
import { HoursQuestionsResolver } from '../resolvers/hours-questions.resolver.ts';
import { ImpersonationsResolver } from '../resolvers/impersonations.resolver.ts';
import { OffboardingResolver } from '../resolvers/offboarding.resolver.ts';
import { RolesResolver } from '../resolvers/roles.resolver.ts';
import { SessionsResolver } from '../resolvers/sessions.resolver.ts';
import { SuperAdminsResolver } from '../resolvers/super-admins.resolver.ts';
import { TenantEventsResolver } from '../resolvers/tenant-events.resolver.ts';
import { TenantMovesResolver } from '../resolvers/tenant-moves.resolver.ts';
import { TenantUsersResolver } from '../resolvers/tenant-users.resolver.ts';
import { TenantsResolver } from '../resolvers/tenants.resolver.ts';
import { UpgradeEventsResolver } from '../resolvers/upgrade-events.resolver.ts';
import { UpgradePlansResolver, UpgradesResolver } from '../resolvers/upgrades.resolver.ts';
import { UsageResolver } from '../resolvers/usage.resolver.ts';
import { WorkingHoursResolver } from '../resolvers/working-hours.resolver.ts';
import { readCarriedInPlace } from './carried.ts';
import { describeCommon } from './descriptions.ts';
import { authorize, type Demand } from './permissions.ts';
import { DateTimeScalar } from './scalars.ts';
import { validate } from './validate.ts';

/** type-graphql asks for one; every subscription here brings its own feed, which ends one subscriber and not the process. */
const eachHasItsOwn: PubSub = {
  publish() {
    throw new Error('events are published by live/event-log.ts');
  },
  subscribe() {
    throw new Error('a subscription needs a feed of its own: give it `subscribe`');
  },
};

/** @throws when an operation declares no permission. */
export async function buildGatewaySchema(): Promise<GraphQLSchema> {
  readPlainFieldsPlainly();
  const schema = await buildSchema({
    resolvers: [
      AgentsResolver,
      ApiKeysResolver,
      ActivityLogsResolver,
      AuditLogResolver,
      DatabaseServersResolver,
      DivisionsResolver,
      ExceptionsResolver,
      ExportsResolver,
      HealthResolver,
      HoursCalendarResolver,
      HoursEventsResolver,
      HoursQuestionsResolver,
      ImpersonationsResolver,
      OffboardingResolver,
      RolesResolver,
      SessionsResolver,
      SuperAdminsResolver,
      TenantEventsResolver,
      TenantMovesResolver,
      TenantUsersResolver,
      TenantsResolver,
      UpgradeEventsResolver,
      UpgradePlansResolver,
      UpgradesResolver,
      UsageResolver,
      WorkingHoursResolver,
    ],
    scalarsMap: [{ type: Date, scalar: DateTimeScalar }],
    validateFn: validate,
    pubSub: eachHasItsOwn,
    // It would run the introspection query at every start, a third of the time that this takes. Apollo Server validates the schema.
    skipCheck: true,
    authChecker: async ({ root, context, info }, demands) => {
      // An event of a subscription: whoever follows was judged at its start, and is cut off when they may no more.
      if (info.operation.operation === 'subscription' && root !== undefined) return true;
      await authorize(context as Context, demands[0] as unknown as Demand, info.operation.operation === 'mutation');
      return true;
    },
  });
  refuseUndeclared(schema);
  readCarriedInPlace(schema);
  describeCommon(schema);
  return schema;
}

/**
 * type-graphql gives each field a resolver, also one that only reads a property. Without it the property is read in place: a
 * list of a hundred tenants, with some two thousand of them, costs a third less CPU.
 */
function readPlainFieldsPlainly(): void {
  for (const field of getMetadataStorage().fields) {
    field.simple ??= field.name === field.schemaName && !field.roles && !field.middlewares?.length;
  }
}

/** @throws when an operation declares no permission. */
export function refuseUndeclared(schema: GraphQLSchema): void {
  for (const type of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]) {
    for (const field of Object.values(type?.getFields() ?? {})) {
      if (!field.extensions.permission)
        throw new Error(`${type?.name}.${field.name} declares no permission: add @Allow(...)`);
    }
  }
}
