import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  Mutation,
  ObjectType,
  Resolver,
  Root,
  registerEnumType,
} from 'type-graphql';
import type { Context } from '../context.ts';
import * as offboarding from '../domain/offboarding/offboarding.ts';
import type { TenantRow } from '../domain/organizations.ts';
import { OffboardingKind, OffboardingState } from '../entities/control/offboarding.ts';
import { Organization } from '../entities/control/organization.ts';
import { PurgeTenantArgs } from '../schema/offboarding-inputs.ts';
import { Allow } from '../schema/permissions.ts';
import { UuidScalar } from '../schema/scalars.ts';

registerEnumType(OffboardingKind, {
  name: 'OffboardingKind',
  description: 'What is done with a suspended tenant as a whole.',
  valuesConfig: {
    ARCHIVE: { description: 'Its database is written to an archive, which is held against it, and then dropped.' },
    RESTORE: { description: 'Its database is made anew from the archive.' },
    PURGE: { description: 'Everything of it is removed for good.' },
  },
});

registerEnumType(OffboardingState, {
  name: 'OffboardingState',
  description: 'How it stands.',
  valuesConfig: {
    QUEUED: { description: 'Waiting for a worker.' },
    RUNNING: { description: 'A worker is at it.' },
    RETRYING: { description: 'The last attempt failed; the next starts by itself.' },
    SUCCEEDED: { description: 'Done.' },
    FAILED: { description: 'Given up: the tenant is as it was, and `error` says why. It can be asked for again.' },
  },
});

@ObjectType({ description: 'The latest work on a suspended tenant as a whole.' })
class Offboarding {
  @Field(() => OffboardingKind, { description: 'What is done.' })
  kind!: OffboardingKind;

  @Field(() => OffboardingState, { description: 'How it stands.' })
  state!: OffboardingState;

  @Field(() => String, {
    nullable: true,
    description: 'What is under way, or failed: write, verify, drop; fetch, restore; databases, files.',
  })
  step?: string | null;

  @Field(() => String, { nullable: true, description: 'Why the latest attempt failed.' })
  error?: string | null;

  @Field(() => String, { nullable: true, description: 'The e-mail address of who asked for it.' })
  requestedBy?: string | null;

  @Field(() => Date, { description: 'When it was asked for, or its time had come.' })
  createdAt!: string;
}

@Resolver(() => Organization)
export class OffboardingResolver {
  @Mutation(() => Organization, {
    description:
      'Sets the end of a suspended tenant: at `purgeAt` everything of it is removed for good, and its slug is free. Until then ' +
      'cancelPurge calls it off, and so does making it active. Asked again, the countdown begins anew.',
  })
  @Allow('platform')
  purgeTenant(
    @Ctx() ctx: Context,
    @Args(() => PurgeTenantArgs) { tenantId, slug, afterMinutes }: PurgeTenantArgs,
  ): Promise<TenantRow> {
    return offboarding.purgeTenant(ctx, tenantId, slug, afterMinutes ?? offboarding.COUNTDOWN.usual);
  }

  @Mutation(() => Organization, {
    description: 'Calls the end of a tenant off, until it has begun. The tenant stays suspended.',
  })
  @Allow('platform')
  cancelPurge(
    @Ctx() ctx: Context,
    @Arg('tenantId', () => UuidScalar, { description: 'Which tenant.' }) tenantId: string,
  ): Promise<TenantRow> {
    return offboarding.cancelPurge(ctx, tenantId);
  }

  @Mutation(() => Organization, {
    description:
      'Archives a suspended tenant in the background (see Tenant.offboarding): its database is written to an archive, which is ' +
      'held against it and kept, and then dropped. `archivedAt` says since when.',
  })
  @Allow('platform')
  archiveTenant(
    @Ctx() ctx: Context,
    @Arg('tenantId', () => UuidScalar, { description: 'Which tenant.' }) tenantId: string,
  ): Promise<TenantRow> {
    return offboarding.archiveTenant(ctx, tenantId);
  }

  @Mutation(() => Organization, {
    description:
      'Restores an archived tenant in the background, to the present schema version (see Tenant.offboarding).',
  })
  @Allow('platform')
  unarchiveTenant(
    @Ctx() ctx: Context,
    @Arg('tenantId', () => UuidScalar, { description: 'Which tenant.' }) tenantId: string,
    @Arg('activate', () => Boolean, {
      nullable: true,
      description: 'Whether it is to be active then; else it stays suspended.',
    })
    activate?: boolean | null,
  ): Promise<TenantRow> {
    return offboarding.unarchiveTenant(ctx, tenantId, activate ?? false);
  }

  @FieldResolver(() => Offboarding, {
    nullable: true,
    description: 'The latest archiving, restoring or removing of it; absent where nobody asked for any.',
  })
  offboarding(@Root() tenant: TenantRow, @Ctx() ctx: Context): Promise<Offboarding | undefined> {
    return ctx.loaders.offboarding.load(tenant.id);
  }
}
