import { z } from 'zod';
import { EXPORT_PARTS } from '../../domain/export/exports.ts';
import * as documents from '../operations.gen.ts';
import type { Route } from '../route.ts';

const part = z.object({
  part: z
    .enum(EXPORT_PARTS, { error: 'must be data or files' })
    .default('data')
    .meta({ description: '`data`: the records. `files`: what is in the bucket.' }),
});

const MADE =
  'All data as files, without passwords and keys, of one instant. It is made in the background: ask for it by its id until its ' +
  'state is `ready`.';
const FETCHED =
  'The file itself. A download that was cut off goes on with `Range`; `If-Range` with the `ETag` of the first answer makes sure ' +
  'that it is the same file.';
const FILE = 'The file, or the part of it that `Range` names.';

const ofPlatform: Omit<Route, 'tag'>[] = [
  {
    method: 'GET',
    path: '/api/super-admin/tenants/{id}/exports',
    document: documents.ListTenantExportsDocument,
    summary: "List a tenant's exports",
    success: 'Array of exports, the newest first',
    answer: 'list',
    errors: ['tenant_not_ready'],
  },
  {
    method: 'POST',
    path: '/api/super-admin/tenants/{id}/exports',
    document: documents.ExportTenantDocument,
    summary: "Export a tenant's data",
    description: MADE,
    success: 'The export that was begun',
    status: 201,
    location: '{address}/{id}',
    errors: ['conflict', 'tenant_archived', 'tenant_not_ready'],
  },
  {
    method: 'GET',
    path: '/api/super-admin/tenants/{id}/exports/{export_id}',
    document: documents.GetTenantExportDocument,
    summary: "Get a tenant's export",
    success: 'How it stands',
  },
  {
    method: 'GET',
    path: '/api/super-admin/tenants/{id}/exports/{export_id}/download',
    document: documents.DownloadTenantExportDocument,
    summary: "Fetch a tenant's export",
    description: FETCHED,
    success: FILE,
    query: part,
    download: true,
    rateLimit: 'export',
    errors: ['conflict', 'range_not_satisfiable', 'rate_limited'],
  },
];

const ofTenant: Omit<Route, 'tag'>[] = [
  {
    method: 'GET',
    path: '/api/exports',
    document: documents.ListDataExportsDocument,
    summary: 'List exports of all data',
    success: 'Array of exports, the newest first',
    answer: 'list',
  },
  {
    method: 'POST',
    path: '/api/exports',
    document: documents.ExportDataDocument,
    summary: 'Export all data',
    description: MADE,
    success: 'The export that was begun',
    status: 201,
    location: '/api/exports/{id}',
    errors: ['conflict'],
  },
  {
    method: 'GET',
    path: '/api/exports/{export_id}',
    document: documents.GetDataExportDocument,
    summary: 'Get an export',
    success: 'How it stands',
  },
  {
    method: 'GET',
    path: '/api/exports/{export_id}/download',
    document: documents.DownloadDataExportDocument,
    summary: 'Fetch an export',
    description: FETCHED,
    success: FILE,
    query: part,
    download: true,
    rateLimit: 'export',
    errors: ['conflict', 'range_not_satisfiable', 'rate_limited'],
  },
];

export const exportRoutes: Route[] = [
  ...ofPlatform.map((row) => ({ ...row, tag: 'Super Admin' as const })),
  ...ofTenant.map((row) => ({ ...row, tag: 'Exports' as const })),
];
