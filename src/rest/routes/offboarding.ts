import { purgeRules, unarchiveRules } from '../../schema/offboarding-inputs.ts';
import * as documents from '../operations.gen.ts';
import type { Route } from '../route.ts';

const rows: Omit<Route, 'tag'>[] = [
  {
    method: 'POST',
    path: '/api/super-admin/tenants/{id}/purge',
    document: documents.PurgeTenantDocument,
    summary: 'Set the end of a suspended tenant',
    description:
      'After the countdown everything of the tenant is removed for good, and its slug is free. Until then the end can be called ' +
      'off. Asked again, the countdown begins anew.',
    success: 'The organization, with `purge_at`',
    body: purgeRules,
    errors: ['conflict'],
  },
  {
    method: 'DELETE',
    path: '/api/super-admin/tenants/{id}/purge',
    document: documents.CancelPurgeDocument,
    summary: 'Call the end of a tenant off',
    description: 'The tenant stays suspended.',
    success: 'The organization',
    errors: ['conflict'],
  },
  {
    method: 'POST',
    path: '/api/super-admin/tenants/{id}/archive',
    document: documents.ArchiveTenantDocument,
    summary: 'Archive a suspended tenant',
    description:
      'In the background its database is written to an archive, which is held against it and kept, and then dropped. ' +
      '`GET .../offboarding` says how far that is; `archived_at` says since when.',
    success: 'The organization, as it is before that',
    errors: ['conflict', 'tenant_archived'],
  },
  {
    method: 'POST',
    path: '/api/super-admin/tenants/{id}/unarchive',
    document: documents.UnarchiveTenantDocument,
    summary: 'Restore an archived tenant',
    description: 'In the background; `GET .../offboarding` says how far that is.',
    success: 'The organization, as it is before that',
    body: unarchiveRules.optional(),
    errors: ['conflict'],
  },
  {
    method: 'GET',
    path: '/api/super-admin/tenants/{id}/offboarding',
    document: documents.GetOffboardingDocument,
    summary: 'How the archiving, restoring or removing of a tenant stands',
    success: 'The latest of it; nothing where nobody asked for any',
  },
];

export const offboardingRoutes: Route[] = rows.map((row) => ({ ...row, tag: 'Super Admin' }));
