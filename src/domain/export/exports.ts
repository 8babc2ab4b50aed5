/** Exports as they are asked for, listed and fetched: by the platform of any tenant, by a tenant of its own. */
import type { Readable } from 'node:stream';
import { newId, nowDate } from '../../clock.ts';
import type { ByteRange } from '../../components/object-store.ts';
import type { Context } from '../../context.ts';
import { query } from '../../db/control.ts';
import { type ExportedFile, ExportState, TenantExport } from '../../entities/control/tenant-export.ts';
import { AppError, notFound } from '../../errors.ts';
import { audit } from '../audit.ts';
import { getTenant } from '../organizations.ts';
import { tenantWithDatabase } from '../tenant-users.ts';

/** So many of a side's exports are kept, for so long. */
export const KEPT_EXPORTS = 3;
export const KEPT_DAYS = 7;

/** Whose exports are meant: all of a tenant, or only those that the tenant itself asked for. */
export interface Scope {
  tenantId: string;
  ownOnly: boolean;
}

/** An export as it is read. */
export type ExportRow = Omit<TenantExport, 'createdAt' | 'expiresAt' | 'finishedAt' | 'orgId' | 'takenAt'> & {
  tenantId: string;
  takenAt?: string | Date | null;
  createdAt: string | Date;
  finishedAt?: string | Date | null;
  expiresAt?: string | Date | null;
};

const COLUMNS = `id, org_id as "tenantId", is_own as "isOwn", requested_by as "requestedBy", state, attempt, error, records,
  records_total as "recordsTotal", place, data, files, taken_at as "takenAt", created_at as "createdAt",
  finished_at as "finishedAt", expires_at as "expiresAt"`;

const exportsOf = query<ExportRow>(
  'exports_of',
  `select ${COLUMNS} from tenant_exports where org_id = $1 and (is_own or not $2) order by id desc`,
);
const exportOf = query<ExportRow>(
  'export_of',
  `select ${COLUMNS} from tenant_exports where org_id = $1 and (is_own or not $2) and id = $3`,
);

/** Newest first. @throws {AppError} not_found */
export async function listExports(ctx: Context, { tenantId, ownOnly }: Scope): Promise<ExportRow[]> {
  await getTenant(ctx, tenantId);
  return ctx.rows(exportsOf, [tenantId, ownOnly]);
}

/** @throws {AppError} not_found for another tenant's as well. */
export async function getExport(ctx: Context, { tenantId, ownOnly }: Scope, id: string): Promise<ExportRow> {
  const [found] = await ctx.rows(exportOf, [tenantId, ownOnly, id]);
  if (!found) throw notFound('export');
  return found;
}

/**
 * Begins an export, which is made in the background.
 *
 * @throws {AppError} not_found, tenant_archived, tenant_not_ready; conflict while the same side's former one is not made yet.
 */
export async function requestExport(ctx: Context, { tenantId, ownOnly: isOwn }: Scope): Promise<ExportRow> {
  const { id: orgId } = await tenantWithDatabase(ctx, tenantId);
  return ctx.em.transactional(async (em) => {
    // Whoever asks at the same moment waits here.
    await em
      .getConnection()
      .execute('select from organizations where id = ? for update', [orgId], 'run', em.getTransactionContext());
    const unfinished = await em.count(TenantExport, {
      orgId,
      isOwn,
      state: { $in: [ExportState.QUEUED, ExportState.RUNNING] },
    });
    if (unfinished > 0)
      throw new AppError('conflict', { message: 'An export of this organization is being made already.' });
    const { actor } = ctx;
    const wanted = em.create(TenantExport, {
      id: newId(),
      orgId,
      isOwn,
      requestedBy: 'email' in actor ? actor.email : null,
      state: ExportState.QUEUED,
      attempt: 0,
      records: 0,
      createdAt: nowDate(),
    });
    em.persist(wanted);
    await ctx.services.queue.send(em, 'tenant.export', { exportId: wanted.id }, wanted.id);
    audit(em, ctx, { action: 'tenant.export', orgId, target: { type: 'export', id: wanted.id } });
    await em.flush();
    return { ...wanted, tenantId: orgId };
  });
}

/** The two files of an export. */
export const EXPORT_PARTS = ['data', 'files'] as const;
export type ExportPart = (typeof EXPORT_PARTS)[number];

const MEDIA: Record<ExportPart, { type: string; ending: string }> = {
  data: { type: 'application/gzip', ending: 'ndjson.gz' },
  files: { type: 'application/x-tar', ending: 'files.tar' },
};

/** `20261128T133000Z` */
export const fileStamp = (instant: Date): string => instant.toISOString().replaceAll(/[-:]|\.\d+/g, '');

/** A file to be sent. */
export interface Download {
  /** That a browser saves it under. */
  fileName: string;
  type: string;
  bytes: number;
  /** Another one for every other content. */
  etag: string;
  open(range?: ByteRange): Promise<Readable>;
}

/**
 * @param wanted one that the caller may have.
 * @throws {AppError} not_found for one without that part; conflict for one that is not ready.
 */
export async function downloadOf(
  ctx: Context,
  { id, tenantId }: Pick<ExportRow, 'id' | 'tenantId'>,
  part: ExportPart,
): Promise<Download> {
  const found = await getExport(ctx, { tenantId, ownOnly: false }, id);
  const { state, place, takenAt } = found;
  if (state !== ExportState.READY || !place) {
    throw new AppError('conflict', {
      message: state === ExportState.FAILED ? 'This export has failed.' : 'This export is still being made.',
    });
  }
  const file: ExportedFile | null | undefined = found[part];
  if (!file) throw new AppError('not_found', { message: 'This export has no files: the tenant has no bucket.' });
  const { slug } = await getTenant(ctx, tenantId);
  const { type, ending } = MEDIA[part];
  const { services } = ctx;
  return {
    fileName: `${slug}-${fileStamp(new Date(takenAt!))}.${ending}`,
    type,
    bytes: file.bytes,
    etag: `"${file.digest}"`,
    async open(range) {
      // Every part of it: whoever leaves out the first byte has all the others.
      const after = { part, ...(range && { firstByte: range.start, lastByte: range.end }) };
      await services.control.orm.em.fork().transactional(async (em) =>
        audit(em, ctx, {
          action: 'tenant.export_download',
          orgId: tenantId,
          target: { type: 'export', id },
          after,
        }),
      );
      return services.kept.read(place, file.name, range);
    },
  };
}
