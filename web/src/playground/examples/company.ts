/** What a company's own people do. */
import { EXAMPLE_PASSWORD, type Example } from './example.ts';

const group = "A company's own side";

export const COMPANY: readonly Example[] = [
  {
    id: 'agents',
    group,
    title: 'Agents',
    about: 'Who works in the inbox, where, and who is online.',
    as: 'company',
    document: `query Agents($filter: AgentFilter) {
  agents(filter: $filter) {
    id
    fullName
    email
    role
    isActive
    isOnline
    divisions {
      name
    }
  }
}`,
    variables: { filter: { search: '' } },
  },
  {
    id: 'add-agent',
    group,
    title: 'Add an agent',
    about: 'They may sign in at once; counts against the limit of agents.',
    as: 'company',
    document: `mutation AddAgent($input: CreateAgentInput!) {
  createAgent(input: $input) {
    id
    fullName
    email
    role
  }
}`,
    variables: {
      input: { fullName: 'Sari {{number}}', email: 'sari-{{number}}@kopi.example', password: EXAMPLE_PASSWORD },
    },
  },
  {
    id: 'promote-agent',
    group,
    title: 'Make an agent a supervisor',
    about: 'The newest agent; a merge patch.',
    as: 'company',
    document: `mutation Promote($id: UUID!) {
  updateAgent(id: $id, input: { role: "supervisor" }) {
    fullName
    role
  }
}`,
    variables: { id: '{{agentId}}' },
  },
  {
    id: 'roles',
    group,
    title: 'Roles and permissions',
    about: 'What the roles allow, and everything that one could.',
    as: 'company',
    document: `query Roles {
  roles {
    id
    name
    isSystem
    agentCount
    permissions
  }
  permissions {
    code
    description
  }
}`,
  },
  {
    id: 'add-role',
    group,
    title: 'Make a role',
    about: 'Of permissions that you have yourself.',
    as: 'company',
    document: `mutation MakeRole($input: CreateRoleInput!) {
  createRole(input: $input) {
    id
    name
    permissions
  }
}`,
    variables: {
      input: {
        name: 'Team lead {{number}}',
        description: 'Runs a shift',
        permissions: ['DIVISIONS_VIEW', 'ANALYTICS_VIEW'],
      },
    },
  },
  {
    id: 'add-division',
    group,
    title: 'Make a division',
    about: 'Part of the organization, with a timezone of its own.',
    as: 'company',
    document: `mutation MakeDivision($input: CreateDivisionInput!) {
  createDivision(input: $input) {
    id
    name
    timezone
  }
}`,
    variables: { input: { name: 'Makassar {{number}}', timezone: 'Asia/Makassar' } },
  },
  {
    id: 'division-hours',
    group,
    title: 'Give a division its own hours',
    about: 'The first division; days that it never names are closed.',
    as: 'company',
    document: `mutation DivisionHours($divisionId: UUID!, $days: [WorkingHoursEntryInput!]!) {
  updateDivisionWorkingHours(divisionId: $divisionId, days: $days) {
    dayOfWeek
    startTime
    endTime
  }
}`,
    variables: { divisionId: '{{divisionId}}', days: [{ dayOfWeek: 1, startTime: '07:00', endTime: '15:00' }] },
  },
  {
    id: 'add-api-key',
    group,
    title: 'Make an API key',
    about: 'For a program, in the header X-API-Key. Told in this answer only.',
    as: 'company',
    document: `mutation MakeKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) {
    id
    name
    prefix
    scopes
    key
  }
}`,
    variables: { input: { name: 'Playground {{number}}', scopes: ['DIVISIONS_VIEW'] } },
  },
  {
    id: 'api-keys',
    group,
    title: 'API keys',
    about: 'Your own: what they may do and when they were last used.',
    as: 'company',
    document: `query Keys {
  apiKeys {
    id
    name
    prefix
    scopes
    lastUsedAt
    expiresAt
  }
}`,
  },
  {
    id: 'activity',
    group,
    title: 'Activity log',
    about: 'Who did what, the platform included; newest first.',
    as: 'company',
    document: `query Activity($filter: ActivityLogFilter) {
  activityLogs(first: 20, filter: $filter) {
    nodes {
      createdAt
      action
      actorKind
      actorEmail
      targetType
      after
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}`,
  },
  {
    id: 'sessions',
    group,
    title: 'Where I am signed in',
    about: 'All sessions of the account that asks.',
    as: 'company',
    document: `query Sessions {
  sessions {
    id
    current
    address
    userAgent
    lastUsedAt
    expiresAt
  }
}`,
  },
];
