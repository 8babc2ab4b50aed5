/**
 * The Super Admin section of the API documentation that this product is built to, as data: each operation with the
 * example request and answer that the document shows, word for word.
 */

export interface SeedOperation {
  title: string;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  /** Query parameters; `true` for the required ones. */
  query?: Record<string, boolean>;
  body?: Record<string, unknown>;
  /** Fields of the body that are marked as required. */
  requiredInBody?: string[];
  answer: unknown;
  /** Fields of the answer (of each item, where it is a list) that are marked as required. */
  requiredInAnswer?: string[];
}

const ID = '00000000-0000-0000-0000-000000000000';
const INSTANT = '2024-08-25T15:00:00Z';

const tenant = {
  id: ID,
  name: 'name',
  slug: 'slug',
  status: 'provisioning',
  mongo_database: 'mongo_database',
  limits: {},
  country: 'country',
  schema_version: 0,
  created_at: INSTANT,
  updated_at: INSTANT,
};
const requiredOfTenant = [
  'id',
  'name',
  'slug',
  'status',
  'mongo_database',
  'schema_version',
  'created_at',
  'updated_at',
];

export const seedOperations: SeedOperation[] = [
  {
    title: 'Super-admin login',
    method: 'POST',
    path: '/api/super-admin/login',
    body: { email: 'test@example.com', password: 'password' },
    requiredInBody: ['email', 'password'],
    answer: { token: 'token' },
  },
  {
    title: 'List all tenant organizations',
    method: 'GET',
    path: '/api/super-admin/tenants',
    answer: [tenant],
    requiredInAnswer: requiredOfTenant,
  },
  {
    title: 'Provision a new tenant',
    method: 'POST',
    path: '/api/super-admin/tenants',
    body: {
      name: 'name',
      slug: 'slug',
      limits: {},
      country: 'country',
      admin_email: 'test@example.com',
      admin_password: 'admin_password',
    },
    requiredInBody: ['name', 'slug'],
    answer: tenant,
    requiredInAnswer: requiredOfTenant,
  },
  {
    title: 'Get a tenant organization',
    method: 'GET',
    path: '/api/super-admin/tenants/{id}',
    answer: tenant,
    requiredInAnswer: requiredOfTenant,
  },
  {
    title: 'Suspend a tenant organization',
    method: 'DELETE',
    path: '/api/super-admin/tenants/{id}',
    answer: { status: 'suspended' },
  },
  {
    title: 'Update a tenant organization',
    method: 'PATCH',
    path: '/api/super-admin/tenants/{id}',
    body: { name: 'name', limits: {}, status: 'active' },
    answer: tenant,
    requiredInAnswer: requiredOfTenant,
  },
  {
    title: 'Impersonate a tenant admin',
    method: 'POST',
    path: '/api/super-admin/tenants/{id}/impersonate',
    answer: { token: 'token', org_id: ID, org_slug: 'org_slug', expires_in_seconds: 900 },
  },
  {
    title: 'List all tenants with usage statistics',
    method: 'GET',
    path: '/api/super-admin/usage',
    answer: [
      {
        ...tenant,
        usage: {
          id: ID,
          org_id: ID,
          agent_count: 0,
          contact_count: 0,
          messages_this_month: 0,
          active_integrations: 0,
          usage_month: '2024-08-25',
          updated_at: INSTANT,
        },
      },
    ],
    requiredInAnswer: requiredOfTenant,
  },
  {
    title: 'System health check',
    method: 'GET',
    path: '/api/super-admin/health',
    answer: {
      status: 'ok',
      infrastructure: {
        control_plane: { status: 'up' },
        postgres: { status: 'up' },
        mongodb: { status: 'up' },
        redis: { status: 'up' },
        kafka: { status: 'up' },
        minio: { status: 'up' },
      },
      microservices: {
        api_gateway: { status: 'status' },
        webhook_ingestor: { status: 'status' },
        ws_server: { status: 'status' },
        chat_engine: { status: 'status' },
        message_sender: { status: 'status' },
        ai_agent: { status: 'status' },
        billing_service: { status: 'status' },
      },
      platforms: {
        whatsapp: { status: 'active' },
        instagram: { status: 'active' },
        messenger: { status: 'active' },
        email: { status: 'active' },
      },
      tenants: { total: 0, active: 0, suspended: 0 },
    },
    requiredInAnswer: ['status', 'infrastructure', 'microservices', 'platforms', 'tenants'],
  },
  {
    title: 'List super-admin accounts',
    method: 'GET',
    path: '/api/super-admin/admins',
    answer: [{ id: ID, email: 'test@example.com', name: 'name', created_at: INSTANT }],
  },
  {
    title: 'Create a super-admin account',
    method: 'POST',
    path: '/api/super-admin/admins',
    body: { email: 'test@example.com', name: 'name', password: 'password' },
    requiredInBody: ['email', 'name', 'password'],
    answer: { id: ID, email: 'email', name: 'name' },
  },
  {
    title: 'Delete a super-admin account',
    method: 'DELETE',
    path: '/api/super-admin/admins/{id}',
    answer: { status: 'deleted' },
  },
  {
    title: "Reset a super-admin's password",
    method: 'POST',
    path: '/api/super-admin/admins/{id}/reset-password',
    body: { new_password: 'new_password' },
    requiredInBody: ['new_password'],
    answer: { status: 'password_reset' },
  },
  {
    title: 'List tenant users',
    method: 'GET',
    path: '/api/super-admin/users',
    query: { tenant_id: true, search: false },
    answer: [
      {
        id: ID,
        email: 'email',
        full_name: 'full_name',
        role: 'role',
        is_online: true,
        last_seen_at: INSTANT,
        created_at: INSTANT,
      },
    ],
  },
  {
    title: "Reset a tenant user's password",
    method: 'POST',
    path: '/api/super-admin/users/{id}/reset-password',
    query: { tenant_id: true },
    body: { new_password: 'new_password' },
    requiredInBody: ['new_password'],
    answer: { status: 'password_reset' },
  },
  {
    title: 'Suspend a tenant user',
    method: 'POST',
    path: '/api/super-admin/users/{id}/suspend',
    query: { tenant_id: true },
    answer: { status: 'suspended' },
  },
  {
    title: 'Activate a tenant user',
    method: 'POST',
    path: '/api/super-admin/users/{id}/activate',
    query: { tenant_id: true },
    answer: { status: 'activated' },
  },
  {
    title: 'Impersonate a tenant user',
    method: 'POST',
    path: '/api/super-admin/users/{id}/impersonate',
    query: { tenant_id: true },
    answer: { token: 'token', agent_id: ID, email: 'email', role: 'role', expires_in_seconds: 900 },
  },
];

const jsonType = (value: unknown) => (Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value);

/** Where an answer has what the example lacks, or another type of value; `{}` in an example may hold anything. */
export function departures(answer: unknown, example: unknown, at = ''): string[] {
  if (example === undefined) return [`${at} is not in the example`];
  if (jsonType(answer) !== jsonType(example)) return [`${at} is ${jsonType(answer)}, not ${jsonType(example)}`];
  if (Array.isArray(answer)) {
    return answer.flatMap((item, index) => departures(item, (example as unknown[])[0], `${at}[${index}]`));
  }
  if (jsonType(answer) !== 'object' || Object.keys(example as object).length === 0) return [];
  return Object.entries(answer as object).flatMap(([key, value]) =>
    departures(value, (example as Record<string, unknown>)[key], `${at}.${key}`),
  );
}
