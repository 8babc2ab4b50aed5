import { CreateRoleInput, UpdateRoleInput } from '../../schema/people-inputs.ts';
import * as documents from '../operations.gen.ts';
import type { Route } from '../route.ts';

const rows: Omit<Route, 'tag'>[] = [
  {
    method: 'GET',
    path: '/api/roles',
    document: documents.ListRolesDocument,
    summary: 'List all roles with permissions',
    success: 'Array of roles, the three system roles first',
    answer: 'list',
  },
  {
    method: 'POST',
    path: '/api/roles',
    document: documents.CreateRoleDocument,
    summary: 'Create a custom role',
    description: 'Of permissions that the caller has: nobody grants what they may not do.',
    success: 'Created role',
    status: 201,
    body: CreateRoleInput.rules,
    location: '/api/roles/{id}',
    errors: ['conflict'],
  },
  {
    method: 'GET',
    path: '/api/roles/permissions',
    document: documents.ListPermissionsDocument,
    summary: 'List all available permissions',
    success: 'Array of permissions, each with what it allows',
  },
  {
    method: 'GET',
    path: '/api/roles/{id}',
    document: documents.GetRoleDocument,
    summary: 'Get a single role with permissions',
    success: 'Role',
  },
  {
    method: 'DELETE',
    path: '/api/roles/{id}',
    document: documents.DeleteRoleDocument,
    summary: 'Delete a custom role',
    description: 'One that nobody holds.',
    success: 'Role deleted',
    says: { message: 'Role deleted' },
    errors: ['conflict'],
  },
  {
    method: 'PATCH',
    path: '/api/roles/{id}',
    document: documents.UpdateRoleDocument,
    summary: 'Update a role',
    description: 'A merge patch: what is absent stays. What it allows holds for everybody who has it within a second.',
    success: 'Updated role',
    body: UpdateRoleInput.rules,
    errors: ['conflict'],
  },
];

export const roleRoutes: Route[] = rows.map((row) => ({ ...row, tag: 'Roles' }));
