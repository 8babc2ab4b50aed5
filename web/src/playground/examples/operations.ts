/** Running the platform. */
import type { Example } from './example.ts';

export const OPERATIONS: readonly Example[] = [
  {
    id: 'health',
    group: 'Operations',
    title: 'Is everything up?',
    about: 'The gateway, what it stands on, and the services beside it.',
    as: 'platform',
    document: `query Health {
  systemHealth {
    status
    infrastructure {
      controlPlane {
        ...Standing
      }
      postgres {
        ...Standing
      }
      mongodb {
        ...Standing
      }
      redis {
        ...Standing
      }
      kafka {
        ...Standing
      }
      minio {
        ...Standing
      }
    }
    microservices {
      apiGateway {
        ...Standing
      }
      chatEngine {
        ...Standing
      }
      wsServer {
        ...Standing
      }
    }
    tenants {
      total
      active
      suspended
    }
  }
}

fragment Standing on ComponentHealth {
  status
  since
  latencyMs
  error
}`,
  },
  {
    id: 'health-timeline',
    group: 'Operations',
    title: 'How it stood lately',
    about: 'One bar after the other for each component: the worst state in it and the mean latency.',
    as: 'platform',
    document: `query HealthTimeline($minutes: Int!, $buckets: Int!) {
  healthTimeline(minutes: $minutes, buckets: $buckets) {
    component
    buckets {
      from
      status
      latencyMs
    }
  }
}`,
    variables: { minutes: 60, buckets: 12 },
  },
  {
    id: 'audit-log',
    group: 'Operations',
    title: 'Audit log',
    about: 'Who did what on the platform, newest first; the filter is yours to narrow.',
    as: 'platform',
    document: `query AuditLog($filter: AuditLogFilter, $after: String) {
  auditLog(first: 20, after: $after, filter: $filter) {
    nodes {
      createdAt
      action
      actorKind
      actorEmail
      onBehalfOfEmail
      tenantSlug
      targetType
      before
      after
      requestId
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}`,
    variables: { filter: { from: '{{today}}T00:00:00Z' } },
  },
  {
    id: 'usage-standings',
    group: 'Operations',
    title: 'Who is near a limit?',
    about: 'The nearest first, and the day on which the limit will be reached.',
    as: 'platform',
    document: `query UsageStandings($minRatio: Float) {
  usageStandings(first: 20, minRatio: $minRatio) {
    tenant {
      slug
      name
    }
    metric
    used
    limit
    ratio
    forecastDate
  }
}`,
    variables: { minRatio: 0 },
  },
  {
    id: 'platform-usage',
    group: 'Operations',
    title: 'All companies together',
    about: 'Agents, contacts and messages, day by day.',
    as: 'platform',
    document: `query PlatformUsage($days: Int!) {
  platformUsage(days: $days) {
    day
    agents
    contacts
    messages
  }
}`,
    variables: { days: 30 },
  },
  {
    id: 'impersonations',
    group: 'Operations',
    title: 'Who is in a company right now?',
    about: 'Impersonations that run at this moment.',
    as: 'platform',
    document: `query Impersonations {
  impersonations {
    id
    impersonatorEmail
    email
    readOnly
    reason
    expiresAt
  }
}`,
  },
  {
    id: 'super-admins',
    group: 'Operations',
    title: 'Who runs the platform?',
    about: 'All super admins.',
    as: 'platform',
    document: `query SuperAdmins {
  superAdmins {
    id
    name
    email
    createdAt
  }
}`,
  },
];
