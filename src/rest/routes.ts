/**
 * The table of REST routes. A row names the method and path, the document that answers it, what its input may be, and
 * how the answer is spelt; there is no logic in it.
 */
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { z } from 'zod';
import * as rules from '../domain/rules.ts';
import {
  CreateSuperAdminInput,
  CredentialsArgs,
  LoginArgs,
  NewPasswordArgs,
  ProvisionTenantInput,
  UpdateTenantInput,
} from '../schema/inputs.ts';
import * as documents from './operations.gen.ts';

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `{name}` marks a path parameter; each is a UUID. */
  path: string;
  // biome-ignore lint/suspicious/noExplicitAny: a table holds documents of any result and variables
  document: TypedDocumentNode<any, any>;
  /** The title and the group that the API description shows; titles are the seeds'. */
  summary: string;
  tag: string;
  description?: string;
  /** 200 unless something is created. */
  status?: 201;
  /** What the query may hold, in GraphQL's spelling. Lists take `limit` and `after` besides. */
  query?: z.ZodObject;
  /** What the body may hold, in GraphQL's spelling; without it a body has to be empty. */
  body?: z.ZodType;
  /** `list`: a bare array. `connection`: the same, of the pages of a Relay connection. */
  answer?: 'list' | 'connection';
  /** Answered instead of the result. */
  says?: Record<string, string>;
  /** The address of what was created; `{id}` is its id. */
  location?: string;
}

const SUPER_ADMIN = 'Super Admin';
const tenantId = z.object({ tenantId: rules.uuid });

const superAdminRoutes: Route[] = [
  {
    method: 'POST',
    path: '/api/super-admin/login',
    document: documents.SuperAdminLoginDocument,
    summary: 'Super-admin login',
    description: 'Authenticate a super-admin and return a JWT token (8-hour expiry).',
    body: CredentialsArgs.rules,
  },
  {
    method: 'GET',
    path: '/api/super-admin/tenants',
    document: documents.ListTenantsDocument,
    summary: 'List all tenant organizations',
    answer: 'connection',
  },
  {
    method: 'POST',
    path: '/api/super-admin/tenants',
    document: documents.ProvisionTenantDocument,
    summary: 'Provision a new tenant',
    description: 'Create a new tenant organization with its own databases, in the background.',
    status: 201,
    body: ProvisionTenantInput.rules,
    location: '/api/super-admin/tenants/{id}',
  },
  {
    method: 'GET',
    path: '/api/super-admin/tenants/{id}',
    document: documents.GetTenantDocument,
    summary: 'Get a tenant organization',
  },
  {
    method: 'DELETE',
    path: '/api/super-admin/tenants/{id}',
    document: documents.SuspendTenantDocument,
    summary: 'Suspend a tenant organization',
    description: 'Soft-delete by setting status to suspended.',
  },
  {
    method: 'PATCH',
    path: '/api/super-admin/tenants/{id}',
    document: documents.UpdateTenantDocument,
    summary: 'Update a tenant organization',
    description: 'Update name, limits (a merge patch: a key set to null is removed), or status.',
    body: UpdateTenantInput.rules,
  },
  {
    method: 'POST',
    path: '/api/super-admin/tenants/{id}/impersonate',
    document: documents.ImpersonateTenantDocument,
    summary: 'Impersonate a tenant admin',
    description: "Generate a 15-minute JWT scoped to the tenant's admin role.",
  },
  {
    method: 'GET',
    path: '/api/super-admin/usage',
    document: documents.ListUsageDocument,
    summary: 'List all tenants with usage statistics',
    answer: 'connection',
  },
  {
    method: 'GET',
    path: '/api/super-admin/health',
    document: documents.GetSystemHealthDocument,
    summary: 'System health check',
  },
  {
    method: 'GET',
    path: '/api/super-admin/admins',
    document: documents.ListSuperAdminsDocument,
    summary: 'List super-admin accounts',
    answer: 'list',
  },
  {
    method: 'POST',
    path: '/api/super-admin/admins',
    document: documents.CreateSuperAdminDocument,
    summary: 'Create a super-admin account',
    status: 201,
    body: CreateSuperAdminInput.rules,
  },
  {
    method: 'DELETE',
    path: '/api/super-admin/admins/{id}',
    document: documents.DeleteSuperAdminDocument,
    summary: 'Delete a super-admin account',
    description: 'Cannot delete your own account.',
    says: { status: 'deleted' },
  },
  {
    method: 'POST',
    path: '/api/super-admin/admins/{id}/reset-password',
    document: documents.ResetSuperAdminPasswordDocument,
    summary: "Reset a super-admin's password",
    body: NewPasswordArgs.rules,
    says: { status: 'password_reset' },
  },
  {
    method: 'GET',
    path: '/api/super-admin/users',
    document: documents.ListTenantUsersDocument,
    summary: 'List tenant users',
    description: 'List agents in a tenant, optionally filtered by literal text in their e-mail address or name.',
    query: tenantId.extend({ search: rules.text.max(200).optional() }),
    answer: 'list',
  },
  {
    method: 'POST',
    path: '/api/super-admin/users/{id}/reset-password',
    document: documents.ResetTenantUserPasswordDocument,
    summary: "Reset a tenant user's password",
    query: tenantId,
    body: NewPasswordArgs.rules,
    says: { status: 'password_reset' },
  },
  {
    method: 'POST',
    path: '/api/super-admin/users/{id}/suspend',
    document: documents.SuspendTenantUserDocument,
    summary: 'Suspend a tenant user',
    query: tenantId,
    says: { status: 'suspended' },
  },
  {
    method: 'POST',
    path: '/api/super-admin/users/{id}/activate',
    document: documents.ActivateTenantUserDocument,
    summary: 'Activate a tenant user',
    query: tenantId,
    says: { status: 'activated' },
  },
  {
    method: 'POST',
    path: '/api/super-admin/users/{id}/impersonate',
    document: documents.ImpersonateTenantUserDocument,
    summary: 'Impersonate a tenant user',
    description: 'Generate a 15-minute JWT for a specific tenant user.',
    query: tenantId,
  },
].map((route) => ({ ...route, tag: SUPER_ADMIN }) as Route);

export const routes: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/auth/login',
    document: documents.LoginDocument,
    summary: 'Login with email and password',
    description: 'The JWT is in the body and in the httpOnly cookie access_token.',
    tag: 'Auth',
    body: LoginArgs.rules,
  },
  ...superAdminRoutes,
];
