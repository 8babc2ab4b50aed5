import { Arg, Args, Ctx, Field, Int, Mutation, ObjectType, Query, Resolver, registerEnumType } from 'type-graphql';
import { type Context, tenantUser } from '../context.ts';
import * as exports from '../domain/export/exports.ts';
import { ExportState } from '../entities/control/tenant-export.ts';
import { PageArgs, pageOf } from '../schema/paging.ts';
import { Allow } from '../schema/permissions.ts';
import { UuidScalar } from '../schema/scalars.ts';

registerEnumType(ExportState, {
  name: 'ExportState',
  description: 'How an export stands.',
  valuesConfig: {
    QUEUED: { description: 'Waiting to be made, or to be made anew after a failure.' },
    RUNNING: { description: 'Being made.' },
    READY: { description: 'Its files can be fetched.' },
    FAILED: { description: 'Given up: its error says why.' },
  },
});

@ObjectType({ description: 'A file of an export.' })
class ExportFile {
  @Field({ description: 'Its size.' })
  bytes!: number;

  @Field({ description: 'SHA-256 of it, in hex.' })
  digest!: string;

  @Field(() => Int, { description: 'How many records, or objects, are in it.' })
  entries!: number;
}

@ObjectType({ description: 'All data of a tenant as files, of one instant.' })
class Export {
  @Field(() => UuidScalar)
  id!: string;

  @Field(() => UuidScalar, { description: 'Whose data it is.' })
  tenantId!: string;

  @Field(() => ExportState, { description: 'How it stands.' })
  state!: ExportState;

  @Field(() => String, { nullable: true, description: 'The e-mail address of who asked for it.' })
  requestedBy?: string | null;

  @Field(() => Int, { description: 'Records written so far.' })
  records!: number;

  @Field(() => Int, { nullable: true, description: 'Records that there are, as soon as they are counted.' })
  recordsTotal?: number | null;

  @Field(() => String, { nullable: true, description: 'Why the latest attempt failed.' })
  error?: string | null;

  @Field(() => Date, { nullable: true, description: 'The instant that it speaks of.' })
  takenAt?: string | Date | null;

  @Field(() => ExportFile, { nullable: true, description: 'The records: lines of JSON, compressed by gzip.' })
  data?: ExportFile | null;

  @Field(() => ExportFile, {
    nullable: true,
    description: "What is in the tenant's bucket, as a tar file; absent without an object store.",
  })
  files?: ExportFile | null;

  @Field(() => Date)
  createdAt!: string | Date;

  @Field(() => Date, { nullable: true, description: 'When it was ready, or was given up.' })
  finishedAt?: string | Date | null;

  @Field(() => Date, { nullable: true, description: 'When it is removed.' })
  expiresAt?: string | Date | null;
}

const anyOf = (tenantId: string): exports.Scope => ({ tenantId, ownOnly: false });
const ownOf = (ctx: Context): exports.Scope => ({ tenantId: tenantUser(ctx).orgId, ownOnly: true });

@Resolver()
export class ExportsResolver {
  @Query(() => [Export], { description: "A tenant's exports, the newest first; all, unless `first` says otherwise." })
  @Allow('platform')
  async tenantExports(
    @Ctx() ctx: Context,
    @Arg('tenantId', () => UuidScalar, { description: 'Which tenant.' }) tenantId: string,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<Export[]> {
    return pageOf(await exports.listExports(ctx, anyOf(tenantId)), page);
  }

  @Query(() => Export, { description: "One of a tenant's exports. Its files are fetched over REST." })
  @Allow('platform')
  tenantExport(
    @Ctx() ctx: Context,
    @Arg('tenantId', () => UuidScalar, { description: 'Which tenant.' }) tenantId: string,
    @Arg('exportId', () => UuidScalar, { description: 'Which export.' }) exportId: string,
  ): Promise<Export> {
    return exports.getExport(ctx, anyOf(tenantId), exportId);
  }

  @Mutation(() => Export, {
    description:
      'Exports all data of a tenant, suspended or not, without passwords and keys. It answers at once; the files are made in ' +
      'the background.',
  })
  @Allow('platform')
  exportTenant(
    @Ctx() ctx: Context,
    @Arg('tenantId', () => UuidScalar, { description: 'Which tenant.' }) tenantId: string,
  ): Promise<Export> {
    return exports.requestExport(ctx, anyOf(tenantId));
  }

  @Query(() => [Export], {
    description:
      'Exports of your organization that its own people asked for, the newest first; all, unless `first` says otherwise.',
  })
  @Allow('data.export')
  async dataExports(@Ctx() ctx: Context, @Args(() => PageArgs) page: PageArgs): Promise<Export[]> {
    return pageOf(await exports.listExports(ctx, ownOf(ctx)), page);
  }

  @Query(() => Export, { description: 'One of them. Its files are fetched over REST.' })
  @Allow('data.export')
  dataExport(
    @Ctx() ctx: Context,
    @Arg('exportId', () => UuidScalar, { description: 'Which export.' }) exportId: string,
  ): Promise<Export> {
    return exports.getExport(ctx, ownOf(ctx), exportId);
  }

  @Mutation(() => Export, {
    description:
      'Exports all data of your organization, without passwords and keys. It answers at once; the files are made in the background.',
  })
  @Allow('data.export', { unimpersonated: true })
  exportData(@Ctx() ctx: Context): Promise<Export> {
    return exports.requestExport(ctx, ownOf(ctx));
  }
}
