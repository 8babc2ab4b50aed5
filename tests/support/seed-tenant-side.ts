/**
 * The groups of the API documentation's list that are a tenant's own side. The document has their titles and methods, word
 * for word; paths, requests and answers are the contract's (section 6) and ours, spelt as its other sections spell theirs.
 */
import type { SeedOperation } from './seed-operations.ts';

export interface TenantSideOperation extends SeedOperation {
  group: 'Auth' | 'Agents' | 'Roles' | 'API Keys' | 'Activity Logs';
  /** Something is made, and has an address of its own. */
  located?: true;
}

const ID = '00000000-0000-0000-0000-000000000000';
const INSTANT = '2024-08-25T15:00:00Z';
const times = { created_at: INSTANT, updated_at: INSTANT };

const user = {
  id: ID,
  email: 'test@example.com',
  full_name: 'full_name',
  role: 'agent',
  is_online: true,
  last_seen_at: INSTANT,
};
const agent = { ...user, role_id: ID, is_active: true, divisions: [{ id: ID, name: 'name' }], ...times };
const requiredOfAgent = [
  'id',
  'email',
  'full_name',
  'role',
  'role_id',
  'is_online',
  'is_active',
  'divisions',
  'created_at',
  'updated_at',
];

const role = {
  id: ID,
  name: 'name',
  description: 'description',
  is_system: false,
  permissions: ['divisions.view'],
  agent_count: 0,
  ...times,
};
const requiredOfRole = ['id', 'name', 'is_system', 'permissions', 'agent_count', 'created_at', 'updated_at'];

const key = { id: ID, name: 'name', prefix: 'osk_00000000', scopes: ['divisions.view'], created_at: INSTANT };
const requiredOfKey = ['id', 'name', 'prefix', 'scopes', 'created_at'];

const auth: Omit<TenantSideOperation, 'group'>[] = [
  {
    title: 'Login with email and password',
    method: 'POST',
    path: '/api/auth/login',
    body: { email: 'test@example.com', password: 'password', tenant: 'slug' },
    requiredInBody: ['email', 'password'],
    answer: {
      token: 'token',
      agent: { ...user, created_at: INSTANT },
      tenant: { id: ID, name: 'name', slug: 'slug' },
    },
    requiredInAnswer: ['token', 'agent', 'tenant'],
  },
  {
    title: 'Get current agent profile',
    method: 'GET',
    path: '/api/auth/me',
    answer: {
      id: ID,
      email: 'test@example.com',
      full_name: 'full_name',
      role: 'admin',
      permissions: ['agents.manage'],
      org_id: ID,
      org_slug: 'slug',
      org_status: 'active',
    },
    requiredInAnswer: ['id', 'email', 'full_name', 'role', 'permissions'],
  },
  {
    title: 'Logout (clears cookie)',
    method: 'POST',
    path: '/api/auth/logout',
    answer: { message: 'Signed out' },
    requiredInAnswer: ['message'],
  },
  {
    title: 'Issue a fresh JWT for the current session',
    method: 'GET',
    path: '/api/auth/token',
    answer: { token: 'token', expires_at: INSTANT },
    requiredInAnswer: ['token', 'expires_at'],
  },
  {
    title: 'Register a new tenant organization',
    method: 'POST',
    path: '/api/auth/register',
    body: { org_name: 'Acme', admin_email: 'test@example.com', admin_password: 'secret' },
    requiredInBody: ['org_name', 'admin_email', 'admin_password'],
    answer: { token: 'token', org_id: ID, message: 'message' },
    requiredInAnswer: ['token', 'org_id', 'message'],
  },
];

const agents: Omit<TenantSideOperation, 'group'>[] = [
  {
    title: 'List all agents',
    method: 'GET',
    path: '/api/agents',
    query: { search: false, role: false, division_id: false, online: false },
    answer: [agent],
    requiredInAnswer: requiredOfAgent,
  },
  {
    title: 'Create a new agent',
    method: 'POST',
    path: '/api/agents',
    body: { email: 'new@example.com', full_name: 'full_name', password: 'password', role: 'agent', division_ids: [] },
    requiredInBody: ['email', 'full_name', 'password'],
    answer: agent,
    requiredInAnswer: requiredOfAgent,
    located: true,
  },
  {
    title: 'Get an agent by ID',
    method: 'GET',
    path: '/api/agents/{id}',
    answer: agent,
    requiredInAnswer: requiredOfAgent,
  },
  {
    title: 'Delete an agent',
    method: 'DELETE',
    path: '/api/agents/{id}',
    answer: { message: 'Agent deleted' },
    requiredInAnswer: ['message'],
  },
  {
    title: 'Update an agent',
    method: 'PATCH',
    path: '/api/agents/{id}',
    body: {
      email: 'newer@example.com',
      full_name: 'full_name',
      password: 'password',
      role: 'supervisor',
      is_active: true,
    },
    answer: agent,
    requiredInAnswer: requiredOfAgent,
  },
  {
    title: 'Toggle agent online/offline status',
    method: 'PATCH',
    path: '/api/agents/{id}/status',
    body: { is_online: true },
    requiredInBody: ['is_online'],
    answer: agent,
    requiredInAnswer: requiredOfAgent,
  },
];

const roles: Omit<TenantSideOperation, 'group'>[] = [
  {
    title: 'List all roles with permissions',
    method: 'GET',
    path: '/api/roles',
    answer: [role],
    requiredInAnswer: requiredOfRole,
  },
  {
    title: 'Create a custom role',
    method: 'POST',
    path: '/api/roles',
    body: { name: 'Planner', description: 'description', permissions: ['divisions.view', 'divisions.manage'] },
    requiredInBody: ['name', 'permissions'],
    answer: role,
    requiredInAnswer: requiredOfRole,
    located: true,
  },
  {
    title: 'Get a single role with permissions',
    method: 'GET',
    path: '/api/roles/{id}',
    answer: role,
    requiredInAnswer: requiredOfRole,
  },
  {
    title: 'Delete a custom role',
    method: 'DELETE',
    path: '/api/roles/{id}',
    answer: { message: 'Role deleted' },
    requiredInAnswer: ['message'],
  },
  {
    title: 'Update a role',
    method: 'PATCH',
    path: '/api/roles/{id}',
    body: { name: 'Head planner', description: null, permissions: ['divisions.view'] },
    answer: role,
    requiredInAnswer: requiredOfRole,
  },
  {
    title: 'List all available permissions',
    method: 'GET',
    path: '/api/roles/permissions',
    answer: [{ code: 'agents.manage', description: 'description' }],
  },
];

const keys: Omit<TenantSideOperation, 'group'>[] = [
  {
    title: "List caller's API keys",
    method: 'GET',
    path: '/api/api-keys',
    answer: [{ ...key, expires_at: INSTANT, last_used_at: INSTANT }],
    requiredInAnswer: requiredOfKey,
  },
  {
    title: 'Create a new API key',
    method: 'POST',
    path: '/api/api-keys',
    body: { name: 'Exporter', scopes: ['divisions.view'], expires_at: '2199-01-01T00:00:00Z' },
    requiredInBody: ['name', 'scopes'],
    answer: { ...key, expires_at: INSTANT, key: 'osk_' },
    requiredInAnswer: [...requiredOfKey, 'key'],
  },
  {
    title: 'Revoke an API key',
    method: 'DELETE',
    path: '/api/api-keys/{id}',
    answer: { message: 'API key revoked' },
    requiredInAnswer: ['message'],
  },
];

const logs: Omit<TenantSideOperation, 'group'>[] = [
  {
    title: 'List activity logs',
    method: 'GET',
    path: '/api/activity-logs',
    query: { actor_id: false, action: false, target_type: false, target_id: false, from: false, to: false },
    answer: [
      {
        id: ID,
        action: 'agent.update',
        actor_kind: 'agent',
        actor_id: ID,
        actor_email: 'test@example.com',
        actor_name: 'name',
        on_behalf_of: ID,
        on_behalf_of_email: 'test@example.com',
        on_behalf_of_name: 'name',
        target_type: 'agent',
        target_id: ID,
        before: {},
        after: {},
        request_id: 'id',
        address: '127.0.0.1',
        created_at: INSTANT,
      },
    ],
    requiredInAnswer: ['id', 'action', 'actor_kind', 'created_at'],
  },
];

export const tenantSideOperations: TenantSideOperation[] = Object.entries({
  Auth: auth,
  Agents: agents,
  Roles: roles,
  'API Keys': keys,
  'Activity Logs': logs,
}).flatMap(([group, rows]) => rows.map((row) => ({ ...row, group: group as TenantSideOperation['group'] })));
