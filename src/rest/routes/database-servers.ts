import { RegisterDatabaseServerInput, UpdateDatabaseServerInput } from '../../schema/server-inputs.ts';
import * as documents from '../operations.gen.ts';
import type { Route } from '../route.ts';

const rows: Omit<Route, 'tag'>[] = [
  {
    method: 'GET',
    path: '/api/super-admin/database-servers',
    document: documents.ListDatabaseServersDocument,
    summary: 'List database servers',
    description: "PostgreSQL servers that tenants' databases are on, the home server first.",
    success: 'Array of database servers',
    answer: 'list',
  },
  {
    method: 'POST',
    path: '/api/super-admin/database-servers',
    document: documents.RegisterDatabaseServerDocument,
    summary: 'Register a database server',
    description:
      'It is looked at first: it must be reachable, PostgreSQL 15 or newer, no standby, and not registered yet, and its role ' +
      'able to create databases and roles.',
    success: 'Registered database server',
    status: 201,
    body: RegisterDatabaseServerInput.rules,
    location: '/api/super-admin/database-servers/{id}',
    errors: ['conflict'],
  },
  {
    method: 'GET',
    path: '/api/super-admin/database-servers/{id}',
    document: documents.GetDatabaseServerDocument,
    summary: 'Get a database server',
    success: 'Database server',
  },
  {
    method: 'PATCH',
    path: '/api/super-admin/database-servers/{id}',
    document: documents.UpdateDatabaseServerDocument,
    summary: 'Update a database server',
    description: 'Another name, address, region, capacity or state. A merge patch: what is absent stays.',
    success: 'Updated database server',
    body: UpdateDatabaseServerInput.rules,
    errors: ['conflict'],
  },
  {
    method: 'DELETE',
    path: '/api/super-admin/database-servers/{id}',
    document: documents.RemoveDatabaseServerDocument,
    summary: 'Remove a database server',
    description: 'One without tenants. The home server stays.',
    success: 'Removed',
    says: { status: 'removed' },
    errors: ['conflict'],
  },
];

export const databaseServerRoutes: Route[] = rows.map((row) => ({ ...row, tag: 'Super Admin' }));
