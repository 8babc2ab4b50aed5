import { abandonMoveRules, MoveTenantArgs } from '../../schema/move-inputs.ts';
import * as documents from '../operations.gen.ts';
import type { Route } from '../route.ts';

const path = '/api/super-admin/tenants/{id}/move';

const rows: Omit<Route, 'tag'>[] = [
  {
    method: 'GET',
    path,
    document: documents.GetTenantMoveDocument,
    summary: 'Get the move of a tenant',
    description:
      'Its latest move to another database server, step by step; an empty object for one that was never moved.',
    success: 'The move',
  },
  {
    method: 'POST',
    path,
    document: documents.MoveTenantDocument,
    summary: 'Move a tenant to another database server',
    description: 'While it is used, in the background. A move that has failed is tried again.',
    success: 'The move, under way',
    status: 202,
    body: MoveTenantArgs.rules.omit({ tenantId: true }),
    errors: ['not_found', 'tenant_not_ready', 'conflict'],
  },
  {
    method: 'DELETE',
    path,
    document: documents.CancelTenantMoveDocument,
    summary: 'Cancel a move',
    description: 'Before its switch: the tenant stays where it is.',
    success: 'The move, being cancelled',
    status: 202,
    errors: ['not_found', 'conflict'],
  },
  {
    method: 'POST',
    path: `${path}/undo`,
    document: documents.UndoTenantMoveDocument,
    summary: 'Undo a move',
    description: 'After its switch: the tenant goes back, with all that was written since.',
    success: 'The move, being undone',
    status: 202,
    errors: ['not_found', 'conflict'],
  },
  {
    method: 'POST',
    path: `${path}/finish`,
    document: documents.FinishTenantMoveDocument,
    summary: 'Finish a move',
    description: 'The former database is dropped.',
    success: 'The move, being finished',
    status: 202,
    errors: ['not_found', 'conflict'],
  },
  {
    method: 'POST',
    path: `${path}/abandon`,
    document: documents.AbandonTenantMoveDocument,
    summary: 'End a move without a server that does not answer',
    description:
      'The tenant stays on the server that it is on; what is left on the other one is named in `left_behind`. Refused while both ' +
      'servers answer.',
    success: 'The move, being ended',
    status: 202,
    body: abandonMoveRules,
    errors: ['not_found', 'conflict'],
  },
];

export const tenantMoveRoutes: Route[] = rows.map((row) => ({ ...row, tag: 'Super Admin' }));
