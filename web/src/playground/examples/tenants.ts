/** The companies on the platform: the list, their lives, and going into one. */
import { EXAMPLE_PASSWORD, type Example } from './example.ts';

export const TENANTS: readonly Example[] = [
  {
    id: 'tenants',
    group: 'Tenants',
    title: 'The list, with usage',
    about: 'The newest first: status, what they use of what they may, how their making stands.',
    as: 'platform',
    document: `query Companies($filter: TenantFilter, $after: String) {
  tenants(first: 20, after: $after, filter: $filter, order: { field: CREATED_AT, direction: DESC }) {
    nodes {
      id
      name
      slug
      status
      country
      limits {
        maxAgents
        maxContacts
        maxMessagesMonth
      }
      usage {
        agentCount
        contactCount
        messagesThisMonth
      }
      provisioning {
        state
        attempt
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}`,
    variables: { filter: { search: '' } },
  },
  {
    id: 'tenant',
    group: 'Tenants',
    title: 'One of them, in full',
    about: 'The newest company with its users and thirty days of usage.',
    as: 'platform',
    document: `query Company($id: UUID!) {
  tenant(id: $id) {
    name
    slug
    status
    mongoDatabase
    schemaVersion
    createdAt
    provisioning {
      state
      steps {
        name
        state
        startedAt
        finishedAt
      }
    }
  }
  tenantUsers(tenantId: $id) {
    id
    email
    role
    isOnline
  }
  usageHistory(tenantId: $id, days: 30) {
    day
    agents
    contacts
    messages
  }
}`,
    variables: { id: '{{newestId}}' },
  },
  {
    id: 'slug-check',
    group: 'Tenants',
    title: 'Is a slug free?',
    about: 'Says why not, and proposes one that is.',
    as: 'platform',
    document: `query SlugFree($slug: String!, $name: String!) {
  slugCheck(slug: $slug) {
    slug
    available
    reason
    suggestion
  }
  suggestSlug(name: $name)
}`,
    variables: { slug: '{{newestSlug}}', name: 'Toko Roti Nusantara' },
  },
  {
    id: 'limits',
    group: 'Tenants',
    title: 'Change its limits',
    about: 'A merge patch: what is absent stays, null removes a limit.',
    as: 'platform',
    document: `mutation ChangeLimits($id: UUID!, $input: UpdateTenantInput!) {
  updateTenant(id: $id, input: $input) {
    slug
    limits {
      maxAgents
      maxContacts
      maxMessagesMonth
    }
  }
}`,
    variables: { id: '{{newestId}}', input: { limits: { maxAgents: 25, maxContacts: null } } },
  },
  {
    id: 'suspend',
    group: 'Tenants',
    title: 'Suspend a company',
    about: 'The newest active one: its users are out within a second, its data stays.',
    as: 'platform',
    document: `mutation Suspend($id: UUID!) {
  suspendTenant(id: $id) {
    slug
    status
  }
}`,
    variables: { id: '{{activeId}}' },
  },
  {
    id: 'restore',
    group: 'Tenants',
    title: 'Restore it',
    about: 'The newest suspended company is active again.',
    as: 'platform',
    document: `mutation Restore($id: UUID!) {
  updateTenant(id: $id, input: { status: ACTIVE }) {
    slug
    status
  }
}`,
    variables: { id: '{{suspendedId}}' },
  },
  {
    id: 'impersonate',
    group: 'Tenants',
    title: 'Go into a company',
    about: 'Fifteen minutes with the rights of its admin; the answer offers to use the token.',
    as: 'platform',
    document: `mutation GoInto($id: UUID!) {
  impersonateTenant(id: $id, reason: "A look from the playground", readOnly: false) {
    orgSlug
    email
    role
    expiresInSeconds
    token
  }
}`,
    variables: { id: '{{activeId}}' },
  },
  {
    id: 'impersonate-user',
    group: 'Tenants',
    title: 'Go in as one of its users',
    about: 'The same as one user, and looking only.',
    as: 'platform',
    document: `mutation GoInAs($tenantId: UUID!, $id: UUID!) {
  impersonateTenantUser(tenantId: $tenantId, id: $id, reason: "A look from the playground", readOnly: true) {
    orgSlug
    email
    role
    expiresInSeconds
    token
  }
}`,
    variables: { tenantId: '{{activeId}}', id: '{{userId}}' },
  },
  {
    id: 'company-sign-in',
    group: 'Tenants',
    title: "Sign in as a company's admin",
    about: 'The admin of the newest company that "Make a company" made; the answer offers to use the token.',
    as: 'anybody',
    document: `mutation CompanySignIn($email: String!, $password: String!, $tenant: String) {
  login(email: $email, password: $password, tenant: $tenant) {
    agent {
      email
      fullName
      role
    }
    tenant {
      slug
      name
    }
    token
  }
}`,
    variables: { email: '{{exampleEmail}}', password: EXAMPLE_PASSWORD, tenant: '{{exampleSlug}}' },
  },
];
