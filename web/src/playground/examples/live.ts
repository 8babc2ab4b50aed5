/** The subscriptions: each begins with what holds now and goes on with every change, also after a lost connection. */
import type { Example } from './example.ts';

export const LIVE: readonly Example[] = [
  {
    id: 'tenant-changed',
    group: 'Live',
    title: 'Companies come and go',
    about: 'Run it, then make or suspend a company in another window.',
    as: 'platform',
    document: `subscription CompanyChanged($after: Sequence) {
  tenantChanged(after: $after) {
    sequence
    kind
    change
    tenant {
      id
      name
      slug
      status
    }
    counts {
      total
      active
      suspended
    }
  }
}`,
  },
  {
    id: 'tenant-provisioning',
    group: 'Live',
    title: 'A company being made',
    about: 'The steps of the newest company and how each goes.',
    as: 'platform',
    document: `subscription Provisioning($tenantId: UUID!, $after: Sequence) {
  tenantProvisioning(tenantId: $tenantId, after: $after) {
    sequence
    kind
    tenantId
    provisioning {
      state
      steps {
        name
        state
        error
      }
    }
  }
}`,
    variables: { tenantId: '{{newestId}}' },
  },
  {
    id: 'system-health-changed',
    group: 'Live',
    title: 'The health of the platform',
    about: 'An event whenever a component goes down or comes back.',
    as: 'platform',
    document: `subscription HealthChanged($after: Sequence) {
  systemHealthChanged(after: $after) {
    sequence
    kind
    health {
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
      tenants {
        total
        active
        suspended
      }
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
    id: 'working-hours-status-changed',
    group: 'Live',
    title: 'Opening and closing',
    about: 'Public: an event at the moment a company opens, closes, or changes its hours.',
    as: 'anybody',
    document: `subscription OpenChanged($tenant: String, $after: Sequence) {
  workingHoursStatusChanged(tenant: $tenant, after: $after) {
    sequence
    kind
    status {
      isWorkingHours
      explanation
      nextChangeAt
      timezone
    }
  }
}`,
    variables: { tenant: '{{activeSlug}}' },
  },
  {
    id: 'audit-entry-added',
    group: 'Live',
    title: 'The audit log as it is written',
    about: 'Run it, then do something in another window.',
    as: 'platform',
    document: `subscription AuditEntryAdded($after: Sequence) {
  auditEntryAdded(after: $after) {
    sequence
    kind
    entry {
      ...Entry
    }
    recent {
      ...Entry
    }
  }
}

fragment Entry on AuditLogEntry {
  createdAt
  action
  actorKind
  actorEmail
  tenantSlug
  targetType
  targetId
}`,
  },
  {
    id: 'tenant-move',
    group: 'Live',
    title: 'A company on its way to another server',
    about: 'Every step of its move, as it happens; nothing until it is moved.',
    as: 'platform',
    document: `subscription Moving($tenantId: UUID!, $after: Sequence) {
  tenantMove(tenantId: $tenantId, after: $after) {
    sequence
    kind
    move {
      state
      steps {
        name
        state
        error
      }
    }
  }
}`,
    variables: { tenantId: '{{activeId}}' },
  },
  {
    id: 'upgrade-changed',
    group: 'Live',
    title: 'An upgrade of all companies as it goes on',
    about: 'The newest one, then each change of it and of each of its companies.',
    as: 'platform',
    document: `subscription Upgrading($after: Sequence) {
  upgradeChanged(after: $after) {
    sequence
    kind
    run {
      state
      toVersion
      total
      done
      failed
    }
    tenant {
      slug
      state
      error
    }
  }
}`,
  },
];
